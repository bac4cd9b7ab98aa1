// The table of APIs: key, name, versions (0 to the newest of Apache Kafka 3.9), from where they are flexible,
// whether ApiVersions lists them, and how to make their messages. Dispatch, ApiVersions, docs/protocol.md,
// the fuzzer and the round-trip tests all read it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "broker/protocol/api_key.h"
#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

// A message of some API, for walkers that do not know its type.
class AnyMessage {
 public:
  virtual ~AnyMessage() = default;
  virtual void walk(Fields& fields) = 0;
};

template <class M>
class Boxed final : public AnyMessage {
 public:
  void walk(Fields& fields) override { fields.walk(message); }
  M message;
};

template <class M>
std::unique_ptr<AnyMessage> make_message() {
  return std::make_unique<Boxed<M>>();
}

struct Api {
  ApiKey key;
  std::string_view name;
  std::int16_t version_max;
  std::int16_t flexible_since;
  bool advertised;  // serves clients, so that ApiVersions names it
  std::unique_ptr<AnyMessage> (*make_request)();
  std::unique_ptr<AnyMessage> (*make_response)();

  constexpr bool has(std::int16_t version) const { return version >= 0 && version <= version_max; }
  constexpr bool flexible(std::int16_t version) const { return version >= flexible_since; }
};

std::span<const Api> all_apis();        // ascending by key
const Api* find_api(std::int16_t key);  // nullptr: no such API
const Api& api_of(ApiKey key);          // one that must exist

}  // namespace tandem::broker::protocol
