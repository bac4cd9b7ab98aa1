#include "broker/log/log.h"

#include <algorithm>

#include "broker/log/file_names.h"
#include "fs/checkpoint.h"

namespace tandem::broker::log {

using base::Errc;
using base::make_error;
using base::Result;
using base::Status;
using record::BatchPiece;

namespace {

constexpr std::int16_t kRecordListTooLarge = 18;

// A few pieces fit without an allocation; converted sets may need more.
class Pieces {
 public:
  void add(std::string_view piece) {
    if (piece.empty()) return;
    if (many_.empty() && count_ < few_.size()) {
      few_[count_++] = piece;
      return;
    }
    if (many_.empty()) many_.assign(few_.begin(), few_.end());
    many_.push_back(piece);
  }
  std::span<const std::string_view> span() const {
    return many_.empty() ? std::span(few_.data(), count_) : std::span(many_);
  }

 private:
  std::array<std::string_view, 4> few_;
  std::size_t count_ = 0;
  std::vector<std::string_view> many_;
};

}  // namespace

Log::Log(fs::Disk& disk, std::string dir, TopicPartition where, const LogConfig& config)
    : disk_(disk),
      dir_(std::move(dir)),
      where_(std::move(where)),
      config_(config),
      epochs_(disk, fs::join(dir_, "leader-epoch-checkpoint")) {}

Status Log::note(Status status) {
  if (!status) fail(status.error());
  return status;
}

Status Log::set_topic_id(const protocol::Uuid& id) {
  if (topic_id_ == id) return {};
  if (auto status = note(
          fs::write_checkpoint(disk_, fs::join(dir_, "partition.metadata"), format_partition_metadata(id)));
      !status)
    return status;
  topic_id_ = id;
  return {};
}

void Log::note_recent(std::int64_t offset, std::int64_t segment, std::uint64_t position, std::uint64_t size) {
  recent_[recent_next_++ % kRecentMax] = {offset, end_offset() - 1, segment, position, size};
}

Status Log::take_snapshot(std::int64_t offset) {
  producers_.set_end_offset(offset);
  if (offset <= snapshot_offset_) return {};
  const std::string path = fs::join(dir_, segment_file(offset, kSnapshotSuffix));
  auto file = disk_.open(path, fs::OpenMode::create);
  if (!file) return file.error();
  if (auto status = (*file)->truncate(0); !status) return status;
  (*file)->set_append_position(0);
  if (auto status = (*file)->append(producers_.snapshot()); !status) return status;
  snapshots_to_sync_.insert(path);
  snapshot_offset_ = offset;
  return {};
}

// In a compacted log nothing tells what a loss of power took at the end of a segment from what compaction
// took: where flushes are asked for, the next segment begins when this one is on the disk. So it does in
// every log where acknowledgements wait for the disk, which leaves little to sync: the next start may find
// the topic made compacted.
Status Log::sync_full(Segment& full) {
  const bool acknowledges_synced = flush_on_ack_ || config_.flush_messages == 1;
  if (!acknowledges_synced && !(config_.cleanup_compact && flushes_asked())) return {};
  const auto file = full.file();
  if (!file) return file.error();
  if (auto status = (*file)->datasync(); !status) return status;
  if (dir_synced_ == dir_changes_) return {};
  if (auto status = disk_.sync_dir(dir_); !status) return status;
  dir_synced_ = dir_changes_;
  return {};
}

Status Log::roll_to(std::int64_t base_offset, std::int64_t now_ms) {
  Segment& old = active();
  if (old.base_offset() == base_offset) {
    // An empty active segment of the same base takes the place of its successor.
    ENSURE(old.size() == 0, "segment {} rolled onto itself with {} bytes", base_offset, old.size());
    segments_.erase(base_offset);
  } else {
    if (auto status = old.write_staged(config_); !status) return status;
    if (auto status = old.close(notes_); !status) return status;
    if (auto status = sync_full(old); !status) return status;
    // A flush may have moved the recovery point over its data, or is about to: no start reads it again then.
    if (flushes_asked() || recovery_point() > old.base_offset()) {
      if (auto status = old.flush_indexes(true); !status) return status;
    }
    rolled_[old.base_offset()].file = old.make_inactive();
  }
  auto segment = Segment::create(disk_, dir_, base_offset, now_ms);
  if (!segment) return segment.error();
  ++dir_changes_;
  if (auto status = take_snapshot(base_offset); !status) return status;
  segments_.emplace(base_offset, std::move(*segment));
  return {};
}

Status Log::roll(std::int64_t now_ms) { return note(roll_to(end_offset(), now_ms)); }

Status Log::track_producers(std::span<const BatchPiece> batches) {
  for (const BatchPiece& batch : batches) {
    const record::BatchView header = batch.view();
    if (!header.has_producer_id()) continue;
    const std::string whole = header.control() ? std::string(batch.head).append(batch.rest) : std::string();
    const auto txn = producers_.apply(header, whole);
    if (!txn) continue;
    if (txn->aborted) {
      const AbortedTxn entry{txn->producer_id, txn->first_offset, txn->last_offset,
                             producers_.stable_offset_after(*txn)};
      if (auto status = append_aborted(disk_, active().txn_index_path(), entry); !status) return status;
    }
    producers_.complete(*txn);
  }
  return {};
}

Status Log::do_append(std::span<const BatchPiece> batches, Segment::Append& append, std::int64_t now_ms) {
  if (auto status = sync_cut(); !status) return status;
  for (const BatchPiece& batch : batches) {
    const record::BatchView header = batch.view();
    auto status =
        header.magic() >= 2 ? epochs_.assign(header.leader_epoch(), header.offset_field()) : epochs_.clear();
    if (!status) return status;
  }
  if (active().should_roll(append, config_)) {
    if (auto status = roll_to(append.first_offset, now_ms); !status) return status;
  }
  Pieces pieces;
  for (const BatchPiece& batch : batches) {
    pieces.add(batch.head);
    pieces.add(batch.rest);
  }
  append.pieces = pieces.span();
  Segment& segment = active();
  const std::uint64_t position = segment.size();
  if (auto status = segment.append(append, config_); !status) return status;
  end_offset_.store(append.last_offset + 1, std::memory_order_release);
  size_.fetch_add(append.bytes, std::memory_order_release);
  note_recent(append.first_offset, segment.base_offset(), position, append.bytes);
  if (auto status = track_producers(batches); !status) return status;
  producers_.set_end_offset(append.last_offset + 1);
  return {};
}

Result<AppendOutcome> Log::append(const record::Validated& records, record::Origin origin,
                                  std::int64_t now_ms, bool stage) {
  if (failure_) return *failure_;
  ENSURE(records.ok() && records.first_offset == end_offset(), "append at {} to a log that ends at {}",
         records.first_offset, end_offset());
  AppendOutcome outcome;
  const std::span<const BatchPiece> batches =
      records.many.empty() ? std::span(&records.one, 1) : std::span<const BatchPiece>(records.many);
  if (static_cast<std::int64_t>(records.bytes) > config_.segment_bytes) {
    outcome.error = kRecordListTooLarge;
    outcome.message =
        fmt::format("{} bytes do not fit a segment of {}", records.bytes, config_.segment_bytes);
    return outcome;
  }
  const record::BatchView first = batches.front().view();
  if (origin == record::Origin::client && first.has_producer_id()) {
    ProducerVerdict verdict = producers_.check(first);
    if (verdict.duplicate) {
      outcome.duplicate = true;
      outcome.first_offset = verdict.duplicate->first_offset();
      outcome.last_offset = verdict.duplicate->last_offset;
      outcome.log_append_time = verdict.duplicate->timestamp;
      return outcome;
    }
    if (verdict.reject != ProducerReject::none) {
      outcome.error = static_cast<std::int16_t>(verdict.reject);
      outcome.message = std::move(verdict.message);
      return outcome;
    }
  }
  Segment::Append append{.bytes = records.bytes,
                         .first_offset = records.first_offset,
                         .last_offset = records.last_offset,
                         .max_timestamp = records.max_timestamp,
                         .offset_of_max = records.offset_of_max_timestamp,
                         .now_ms = now_ms,
                         .stage = stage && records.many.empty()};
  if (auto status = note(do_append(batches, append, now_ms)); !status) return status.error();
  outcome.first_offset = records.first_offset;
  outcome.last_offset = records.last_offset;
  outcome.log_append_time = records.log_append_time;
  return outcome;
}

Result<AppendOutcome> Log::append_as_follower(std::string_view records, std::int64_t now_ms) {
  if (failure_) return *failure_;
  std::vector<BatchPiece> batches;
  Segment::Append append{.now_ms = now_ms};
  std::int64_t next = end_offset();
  record::BatchCursor cursor(records);
  while (cursor.next()) {
    const record::BatchView& batch = cursor.batch();
    if (!batch.is_valid())
      return make_error(Errc::corrupt, "batch at offset {} has a wrong CRC", batch.offset_field());
    const std::int64_t first = batch.magic() >= 2 ? batch.offset_field() : batch.last_offset();
    if (first < next)
      return make_error(Errc::invalid_argument, "offset {} is below the log's end {}", first, next);
    if (batches.empty()) append.first_offset = first;
    if (batch.max_timestamp() > append.max_timestamp) {
      append.max_timestamp = batch.max_timestamp();
      append.offset_of_max = batch.last_offset();
    }
    next = batch.next_offset();
    batches.push_back({batch.bytes(), {}});
  }
  AppendOutcome outcome;
  if (batches.empty()) return outcome;
  append.last_offset = next - 1;
  append.bytes = cursor.consumed();
  if (auto status = note(do_append(batches, append, now_ms)); !status) return status.error();
  outcome.first_offset = append.first_offset;
  outcome.last_offset = append.last_offset;
  return outcome;
}

void Log::set_high_watermark(std::int64_t offset) {
  high_watermark_.store(offset, std::memory_order_release);
  producers_.on_high_watermark(offset);
}

std::int64_t Log::first_unstable_offset() const {
  return std::max(producers_.first_unstable_offset().value_or(end_offset()), start_offset());
}

Status Log::advance_start(std::int64_t offset) {
  if (offset <= start_offset()) return {};
  ENSURE(offset <= high_watermark(), "start {} beyond the high watermark {}", offset, high_watermark());
  start_offset_.store(offset, std::memory_order_release);
  return note(epochs_.truncate_from_start(offset));
}

void Log::release_readers() {
  for (auto& [base, segment] : segments_) segment->release_readers();
}

Status Log::close(bool sync) {
  if (failure_) return *failure_;
  if (auto status = note(active().close(notes_)); !status) return status;
  if (auto status = note(take_snapshot(end_offset())); !status) return status;
  if (!sync) return {};
  FlushWork work = begin_flush(last_flush_ms_);
  const Status status = run(disk_, work);
  end_flush(work, status);
  return status;
}

}  // namespace tandem::broker::log
