// BatchBuilder writes one record set in any format: a v2 batch, or messages v0/v1 (one by one, or one
// compressed wrapper). For format conversion, recompression, the coordinators' own records and tests.
#pragma once

#include <string>

#include "base/result.h"
#include "broker/record/record.h"

namespace tandem::broker::record {

struct BatchOptions {
  std::int8_t magic = 2;
  Codec codec = Codec::none;
  int level = kDefaultLevel;
  TimestampType timestamp_type = TimestampType::create;
  std::int64_t base_offset = 0;
  std::int64_t log_append_time = kNoTimestamp;
  std::int64_t producer_id = kNoProducerId;
  std::int16_t producer_epoch = kNoProducerEpoch;
  std::int32_t base_sequence = kNoSequence;
  std::int32_t leader_epoch = kNoLeaderEpoch;
  bool transactional = false;
  bool control = false;
};

class BatchBuilder {
 public:
  explicit BatchBuilder(const BatchOptions& options) : options_(options) {}

  // Offsets ascend. Headers are dropped where the format has none.
  void append(std::int64_t offset, std::int64_t timestamp, Bytes key, Bytes value,
              std::string_view headers = {}, std::int32_t header_count = 0);
  // At the next offset.
  void append(std::int64_t timestamp, Bytes key, Bytes value) {
    append(count_ == 0 ? options_.base_offset : last_offset_ + 1, timestamp, key, value);
  }

  std::int32_t count() const { return count_; }
  std::int64_t last_offset() const { return last_offset_; }
  std::int64_t max_timestamp() const;
  // The offset that a time index gives for max_timestamp(): the batch's last one, or the message's own.
  std::int64_t offset_of_max_timestamp() const;
  std::size_t bytes_written() const { return body_.size(); }

  // The bytes of the set; empty when nothing was appended. Once.
  base::Result<std::string> finish();

 private:
  void append_message(std::int64_t offset, std::int64_t timestamp, Bytes key, Bytes value);
  base::Result<std::string> finish_v2();
  base::Result<std::string> finish_wrapper();

  BatchOptions options_;
  std::string body_;
  std::int32_t count_ = 0;
  std::int64_t last_offset_ = -1;
  std::int64_t base_timestamp_ = kNoTimestamp;
  std::int64_t max_timestamp_ = kNoTimestamp;
  std::int64_t offset_of_max_ = -1;
};

// Appends one message v0/v1 with its overhead and CRC.
void write_message(std::string& out, std::int8_t magic, std::int64_t offset, std::uint8_t attributes,
                   std::int64_t timestamp, Bytes key, Bytes value);

// The end marker of a transaction.
enum class ControlType : std::int16_t { abort = 0, commit = 1 };
struct EndMarker {
  ControlType type = ControlType::abort;
  std::int32_t coordinator_epoch = 0;
};
std::string write_end_marker(const BatchOptions& options, std::int64_t timestamp, EndMarker marker);
// What the first record of a control batch says; nothing for an emptied batch or a type we do not know.
std::optional<EndMarker> read_end_marker(const RecordView& record);

}  // namespace tandem::broker::record
