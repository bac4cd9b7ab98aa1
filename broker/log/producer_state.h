// ProducerState: what one log remembers of its idempotent and transactional producers: epoch, the last five
// batches (so that a repeated one is recognised), open transactions and from them the first unstable offset.
// Kept in step with the log by its owner; saved in snapshots of Kafka's version 1 (46-byte entries, only the
// last batch each).
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "broker/record/builder.h"
#include "broker/record/validate.h"

namespace tandem::broker::log {

struct BatchMetadata {
  std::int32_t last_sequence = record::kNoSequence;
  std::int32_t offset_delta = 0;
  std::int64_t last_offset = -1;
  std::int64_t timestamp = record::kNoTimestamp;

  std::int64_t first_offset() const { return last_offset - offset_delta; }
  std::int32_t first_sequence() const;
};

struct ProducerEntry {
  static constexpr std::size_t kBatchesMax = 5;

  std::int16_t epoch = record::kNoProducerEpoch;
  std::int32_t coordinator_epoch = -1;
  std::int64_t last_timestamp = record::kNoTimestamp;
  std::int64_t txn_first_offset = -1;  // of the open transaction
  std::uint8_t count = 0;
  std::array<BatchMetadata, kBatchesMax> batches;  // oldest first

  bool empty() const { return count == 0; }
  const BatchMetadata& last() const { return batches[count - 1]; }
  std::int32_t last_sequence() const { return empty() ? record::kNoSequence : last().last_sequence; }
  void add(const BatchMetadata& batch);
  void set_epoch(std::int16_t next);  // a new epoch forgets the batches
};

struct CompletedTxn {
  std::int64_t producer_id = 0;
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
  bool aborted = false;
};

// Kafka's error numbers for a batch that breaks its producer's order.
enum class ProducerReject : std::int16_t {
  none = 0,
  out_of_order_sequence_number = 45,
  invalid_producer_epoch = 47,
  invalid_txn_state = 48,
};

struct ProducerVerdict {
  ProducerReject reject = ProducerReject::none;
  std::optional<BatchMetadata> duplicate;  // already appended: answer with its offsets
  std::string message;
};

class ProducerState {
 public:
  // Whether a client's batch may be appended. Changes nothing.
  ProducerVerdict check(const record::BatchView& batch) const;
  // The batch is in the log now. Gives the transaction that its marker ended; `whole` is needed for control
  // batches.
  std::optional<CompletedTxn> apply(const record::BatchView& header, std::string_view whole);
  // The end of the transaction is written: it no longer holds the stable offset down once replicated.
  void complete(const CompletedTxn& txn);
  // The stable offset to note beside a transaction that just ended.
  std::int64_t stable_offset_after(const CompletedTxn& txn) const;

  // The earliest offset of a transaction that is open, or ended above the high watermark.
  std::optional<std::int64_t> first_unstable_offset() const;
  void on_high_watermark(std::int64_t high_watermark);

  std::int64_t end_offset() const { return end_offset_; }
  void set_end_offset(std::int64_t offset) { end_offset_ = offset; }
  void clear(std::int64_t end_offset);
  void expire(std::int64_t now_ms, std::int64_t expiration_ms);
  std::size_t size() const { return producers_.size(); }
  const std::unordered_map<std::int64_t, ProducerEntry>& producers() const { return producers_; }

  std::string snapshot() const;
  // Replaces everything by a snapshot taken at `offset`.
  base::Status load(std::string_view snapshot, std::int64_t offset, std::int64_t now_ms,
                    std::int64_t expiration_ms);

 private:
  std::unordered_map<std::int64_t, ProducerEntry> producers_;
  std::map<std::int64_t, std::int64_t> open_;          // first offset -> producer id
  std::map<std::int64_t, std::int64_t> unreplicated_;  // first offset -> last offset (its marker)
  std::int64_t end_offset_ = 0;
};

}  // namespace tandem::broker::log
