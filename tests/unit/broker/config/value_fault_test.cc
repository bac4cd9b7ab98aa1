#include "broker/config/value_fault.h"

#include <doctest/doctest.h>

#include "broker/config/topic_config.h"

namespace tandem::broker::config {

namespace {

std::string fault(std::string_view key, std::string_view value) {
  const auto table = make_topic_table();
  TopicConfig config;
  const auto status = set_or_fault(*table.rows().find(std::string(key)), value, &config);
  return status ? "" : status.error().context;
}

}  // namespace

// Texts as Kafka 3.9.1 sent them to the same requests (tests/interop/broker_differential).
TEST_CASE("a value that a setting does not take is refused in the words of Kafka's ConfigException") {
  CHECK(fault("retention.ms", "abc") ==
        "Invalid value abc for configuration retention.ms: Not a number of type LONG");
  CHECK(fault("segment.bytes", "99999999999") ==
        "Invalid value 99999999999 for configuration segment.bytes: Not a number of type INT");
  CHECK(fault("min.insync.replicas", "0") ==
        "Invalid value 0 for configuration min.insync.replicas: Value must be at least 1");
  CHECK(fault("min.cleanable.dirty.ratio", "2") ==
        "Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1");
  CHECK(fault("preallocate", "yes") ==
        "Invalid value yes for configuration preallocate: Expected value to be either true or false");
  CHECK(fault("compression.type", "best") ==
        "Invalid value best for configuration compression.type: String must be one of: uncompressed, zstd, "
        "lz4, snappy, gzip, producer");
  CHECK(fault("cleanup.policy", "delete,burn") ==
        "Invalid value burn for configuration cleanup.policy: String must be one of: compact, delete");
}

TEST_CASE("a value that a setting takes is set") {
  CHECK(fault("retention.ms", "5") == "");
  CHECK(fault("cleanup.policy", "compact,delete") == "");
}

}  // namespace tandem::broker::config
