// What a leader checks before it appends a produced record set, record by record and with Kafka's own error
// codes (Kafka's LogValidator and the checks around it), and the offsets, epoch and timestamps that it
// assigns. A v2 batch that is kept as sent is never copied: only its 61-byte header is rewritten beside it.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "broker/record/builder.h"

namespace tandem::broker::record {

enum class Origin : std::uint8_t { client, coordinator, replication };

struct ValidateOptions {
  std::string_view topic;  // named in messages
  std::int32_t partition = 0;
  std::int64_t next_offset = 0;  // the first offset to assign
  std::int32_t leader_epoch = kNoLeaderEpoch;
  std::int64_t now_ms = 0;
  Origin origin = Origin::client;
  std::int8_t to_magic = 2;     // message.format.version of the topic
  std::optional<Codec> target;  // compression.type; nothing is "producer"
  int level = kDefaultLevel;
  bool compacted = false;  // cleanup.policy has compact: every record needs a key
  TimestampType timestamp_type = TimestampType::create;
  std::int64_t before_max_ms = INT64_MAX;  // message.timestamp.before.max.ms
  std::int64_t after_max_ms = INT64_MAX;   // message.timestamp.after.max.ms
  std::size_t batch_bytes_max = 1048588;   // max.message.bytes
  ReaderLimits limits;
};

struct RecordError {
  std::int32_t index = 0;
  std::string message;
};

// One batch to append: `head` holds at least a v2 header or a whole message, `rest` what follows.
struct BatchPiece {
  std::string_view head;
  std::string_view rest;
  BatchView view() const { return BatchView(head); }
  std::size_t size() const { return head.size() + rest.size(); }
};

// The outcome. Accepted (reject == none): piece(s) point into the input, into `header` or into `rebuilt`, so
// keep both alive and in place until the append is done.
struct Validated {
  Reject reject = Reject::none;
  std::string message;
  std::vector<RecordError> record_errors;

  std::array<char, kBatchHeaderSize> header;
  std::string rebuilt;
  std::vector<BatchPiece> many;  // legacy sets and rebuilt ones
  BatchPiece one;                // used when `many` is empty
  std::size_t bytes = 0;
  std::int64_t first_offset = 0;
  std::int64_t last_offset = -1;
  std::int64_t max_timestamp = kNoTimestamp;
  std::int64_t offset_of_max_timestamp = -1;
  std::int64_t log_append_time = kNoTimestamp;  // set when the topic uses LogAppendTime

  bool ok() const { return reject == Reject::none; }
};

// Fills `out` (reused by the caller, so that a small batch allocates nothing).
void validate(std::string_view records, const ValidateOptions& options, Validated& out);

}  // namespace tandem::broker::record
