#include "broker/api/replica.h"

#include "broker/api/replicas.h"

namespace tandem::broker::api {

using protocol::ErrorCode;

namespace {

record::ValidateOptions validate_options(const Replica& replica, const AppendRequest& request,
                                         std::int64_t now_ms) {
  const log::LogConfig& config = replica.log->config();
  return {.topic = replica.topic,
          .partition = replica.partition,
          .next_offset = replica.log->end_offset(),
          .leader_epoch = replica.core.leader_epoch(),
          .now_ms = now_ms,
          .origin = request.origin,
          .to_magic = config.message_format,
          .target = config.compression,
          .level = config.compression_level,
          .compacted = config.cleanup_compact,
          .timestamp_type = config.timestamp_type,
          .before_max_ms = config.timestamp_before_max_ms,
          .after_max_ms = config.timestamp_after_max_ms,
          .batch_bytes_max = static_cast<std::size_t>(config.max_message_bytes)};
}

}  // namespace

replica::LogEnds Replica::ends() const {
  return {log->start_offset(), log->end_offset(), log->first_unstable_offset(),
          log->config().min_insync_replicas, durable_end()};
}

std::int64_t Replica::durable_end() const {
  return owner.flush_on_ack() ? log->recovery_point() : log->end_offset();
}

Appended Replica::append(const AppendRequest& request) {
  Appended out;
  out.error = core.check_leader();
  if (out.error == ErrorCode::none && log->failed()) out.error = ErrorCode::kafka_storage_error;
  if (out.error == ErrorCode::none && request.acks == -1 &&
      !core.enough_replicas(log->config().min_insync_replicas))
    out.error = ErrorCode::not_enough_replicas;
  if (out.error == ErrorCode::not_enough_replicas) out.log_start = log->start_offset();
  if (!out.ok()) return out;
  const std::int64_t now_ms = owner.clock().wall().ms;
  record::Validated& validated = owner.scratch(shard);
  record::validate(request.records, validate_options(*this, request, now_ms), validated);
  if (!validated.ok()) {
    out.error = static_cast<ErrorCode>(validated.reject);
    out.message = std::move(validated.message);
    out.record_errors = std::move(validated.record_errors);
    out.log_start = log->start_offset();
    return out;
  }
  const auto outcome = log->append(validated, request.origin, now_ms, request.stage);
  if (!outcome) {
    owner.on_log_failure(*this, outcome.error());
    out.error = ErrorCode::kafka_storage_error;
    return out;
  }
  out.error = static_cast<ErrorCode>(outcome->error);
  out.message = outcome->message;
  out.base_offset = outcome->first_offset;
  out.last_offset = outcome->last_offset;
  out.log_append_time = outcome->log_append_time;
  out.log_start = log->start_offset();
  if (!out.ok()) return out;
  out.staged = request.stage;
  if (out.staged) {
    owner.staged(shard).add(*this);  // a duplicate too: it waits for the write of what it repeats
  } else if (!outcome->duplicate && !settle(now_ms)) {
    out.error = ErrorCode::kafka_storage_error;
  }
  return out;
}

bool Replica::settle(std::int64_t now_ms) {
  owner.after_append(*this, now_ms);
  if (log->failed()) return false;
  core.on_append(ends(), core.has_followers() ? owner.clock().now() : base::Instant{});
  changed();
  return true;
}

void Replica::write_staged() {
  if (log->failed()) return;
  if (const auto status = log->write_staged(); !status) owner.on_log_failure(*this, status.error());
}

// ---- as follower ---------------------------------------------------------------------------------------

ErrorCode Replica::not_following() const {
  if (core.role() != replica::Role::follower) return ErrorCode::not_leader_or_follower;
  return log->failed() ? ErrorCode::kafka_storage_error : ErrorCode::none;
}

// What is wrong with the bytes is told from what is wrong with the disk.
ErrorCode Replica::failed(const base::Error& error) {
  if (error.code == base::Errc::corrupt && !log->failed()) return ErrorCode::corrupt_message;
  if (error.code == base::Errc::invalid_argument && !log->failed()) {
    owner.on_misfit(*this, error);
    return ErrorCode::offset_out_of_range;
  }
  owner.on_log_failure(*this, error);
  return ErrorCode::kafka_storage_error;
}

// The leader's log may begin within a batch, which is sent whole. Where this log ends there or before,
// nothing is left in it that the leader has not deleted, which it does below its high watermark only: it
// begins anew, where the batch does. What is to be kept here is never given up for a batch that overlaps it.
std::optional<std::int64_t> Replica::begins_anew_at(std::string_view records,
                                                    std::int64_t leader_start) const {
  const std::int64_t end = log->end_offset();
  if (std::max(leader_start, log->start_offset()) < end) return std::nullopt;
  record::BatchCursor cursor(records);
  if (!cursor.next() || cursor.batch().magic() < 2) return std::nullopt;
  const std::int64_t first = cursor.batch().offset_field();
  const bool end_is_within = first < end && end < cursor.batch().next_offset();
  return end_is_within && cursor.batch().is_valid() ? std::optional(first) : std::nullopt;
}

ErrorCode Replica::append_fetched(std::int64_t offset, std::int64_t leader_start, std::string_view records) {
  if (const auto error = not_following(); error != ErrorCode::none) return error;
  if (offset != log->end_offset())
    return failed(base::make_error(base::Errc::invalid_argument, "fetched from {} on, it ends at {}", offset,
                                   log->end_offset()));
  const std::int64_t now_ms = owner.clock().wall().ms;
  const std::int64_t deleted = std::max(leader_start, log->start_offset());
  const auto anew_at = begins_anew_at(records, leader_start);
  if (anew_at) {
    if (const auto error = restart(*anew_at); error != ErrorCode::none) return error;
  }
  const auto outcome = log->append_as_follower(records, now_ms);
  if (!outcome) return failed(outcome.error());
  owner.after_append(*this, now_ms);
  if (log->failed()) return ErrorCode::kafka_storage_error;
  return anew_at ? follow(deleted, deleted) : ErrorCode::none;
}

ErrorCode Replica::truncate(std::int64_t offset) {
  if (const auto error = not_following(); error != ErrorCode::none) return error;
  const std::int64_t written = std::min(offset, log->recovery_point());
  const auto cut = log->truncate_to(offset);
  if (!cut) return failed(cut.error());
  if (log->recovery_point() < written) owner.checkpoint_soon();  // with the batch that holds the offset
  owner.on_cut(*this);
  core.follow(0, ends());
  changed();
  return ErrorCode::none;
}

ErrorCode Replica::restart(std::int64_t offset) {
  if (const auto error = not_following(); error != ErrorCode::none) return error;
  if (const auto status = log->truncate_fully_at(offset); !status) return failed(status.error());
  owner.checkpoint_soon();
  owner.on_cut(*this);
  core.follow(0, ends());
  changed();
  return ErrorCode::none;
}

ErrorCode Replica::follow(std::int64_t high_watermark, std::int64_t log_start) {
  if (const auto error = not_following(); error != ErrorCode::none) return error;
  const bool moved = core.follow(high_watermark, ends());
  if (moved) changed();
  if (log_start <= log->start_offset()) return ErrorCode::none;
  if (const auto status = log->advance_start(std::min(log_start, core.high_watermark())); !status)
    return failed(status.error());
  return ErrorCode::none;
}

void Replica::synced() {
  if (!log->failed()) core.on_append(ends(), owner.clock().now());
  changed();
}

void Replica::changed() {
  if (log != nullptr) log->set_high_watermark(core.high_watermark());
  if (waiters_.empty()) return;
  // A waiter may complete and start another: walk a list of its own.
  std::vector<std::shared_ptr<Waiter>> walking;
  walking.swap(waiters_);
  for (auto& waiter : walking)
    if (!waiter->on_change(*this)) waiters_.push_back(std::move(waiter));
}

void Replica::wait(std::shared_ptr<Waiter> waiter) {
  if (waiters_.size() >= prune_at_) {
    std::erase_if(waiters_, [](const auto& other) { return other->is_done(); });
    prune_at_ = std::max(kWaitersMin, 2 * waiters_.size());
  }
  waiters_.push_back(std::move(waiter));
}

}  // namespace tandem::broker::api
