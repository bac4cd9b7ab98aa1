// Known: a key of server.properties that is recognised but has no member: what it sets is not here (yet). Its
// default is Kafka 3.9's, so that DescribeConfigs lists it as Kafka does; a null default is "null".
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "conf/setting.h"

namespace tandem::broker::config {

// When a value stops the start: neglecting it would weaken security or run the wrong kind of cluster.
enum class Refuse { never, when_true, when_set };

struct Known {
  std::string_view key;
  conf::Type type;
  const char* fallback;
  conf::Change change;
  std::string_view doc;
  Refuse refuse = Refuse::never;
  std::string_view reason = {};
  std::optional<double> min = {};  // what Kafka takes at least, though the value does not act
};

std::span<const Known> known_later();
std::span<const Known> known_security();

}  // namespace tandem::broker::config
