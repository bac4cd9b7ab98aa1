// What the two ways of kafka-configs.sh share: which entity is meant and what is to become of its settings.
// By brokers (configs.cc) it speaks as Kafka 3.9's tool; with --zookeeper (configs_zookeeper.cc) it changes
// the tree itself, as Kafka 2.7's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tools/kafka/options.h"

namespace tandem::tools::kafka {

struct EntityType {
  std::string_view plural;
  std::int8_t resource;
  std::int8_t dynamic_source;  // which source --describe shows without --all; 0: every one
};

struct Entity {
  EntityType type;
  std::optional<std::string> name;  // "": the default of all; nullopt: every one
};

// "a=1,b=[x,y]" or the lines of a file.
base::Result<std::vector<std::pair<std::string, std::string>>> configs_to_add(const Options& options);
std::vector<std::string> configs_to_delete(const Options& options);

// What is wrong with the options beside --zookeeper; empty: nothing.
std::string broken_tree_rule(const Options& options, const base::Result<Entity>& entity);
// Errc::invalid_argument where Apache's tool says no more than the sentence.
base::Status configs_by_zookeeper(const Options& options, const Entity& entity);

}  // namespace tandem::tools::kafka
