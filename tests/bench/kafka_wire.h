// The few Kafka requests of the load generator, encoded by hand on purpose: the generator must not share the
// broker's codec. Versions: Produce 7, Fetch 11 without a session, Metadata 1, CreateTopics 1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::bench {

// A v2 batch of about `batch_bytes` with records of `record_bytes` values (at least one record).
struct KafkaBatch {
  std::string bytes;
  std::int32_t records = 0;
};
KafkaBatch make_batch(std::size_t batch_bytes, std::size_t record_bytes);

// Whole frames; the correlation id is at kCorrelationAt.
inline constexpr std::size_t kCorrelationAt = 8;
std::string produce_frame(const std::string& topic, std::int32_t partition, std::int16_t acks,
                          const KafkaBatch& batch);
std::string fetch_frame(const std::string& topic, std::int32_t partition, std::int64_t offset,
                        std::int32_t max_bytes);
std::string metadata_frame(const std::string& topic);
std::string create_topic_frame(const std::string& topic, std::int32_t partitions);

// Errors of a reply (its body after the correlation id); anything malformed ends the program.
std::int16_t produce_error(std::string_view body);
std::int16_t create_topic_error(std::string_view body);
std::int16_t metadata_error(std::string_view body);

struct Fetched {
  std::int16_t error = 0;
  std::int64_t next_offset = -1;  // behind the last whole batch; -1 when there was none
  std::int64_t high_watermark = -1;
  std::size_t record_bytes = 0;
};
Fetched parse_fetch(std::string_view body);

}  // namespace tandem::bench
