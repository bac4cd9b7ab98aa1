// The periodic work of Replicas: flushes, retention, checkpoints, deletions, and the clean end.
#include <algorithm>

#include "broker/api/replicas.h"

namespace tandem::broker::api {

using base::milliseconds;
using base::Status;

// ---- flushing ------------------------------------------------------------------------------------------

void Replicas::tell_notes(log::Log& log) {
  for (const auto& note : log.take_notes()) log_.warn("{}", note);
}

void Replicas::after_append(Replica& replica, std::int64_t now_ms) {
  tell_notes(*replica.log);
  const bool due = replica.log->config().flush_messages != log::kNever && replica.log->flush_due(now_ms);
  if (!due && flush_on_ack()) return state_[replica.shard]->sync->want(replica);
  if (!due) {
    log::FlushWork rolled = replica.log->take_rolled_flush();
    if (!rolled.empty()) flush_later(replica, std::move(rolled));
    return;
  }
  // flush.messages promises that what is acknowledged is on disk: the owner waits, as Kafka does.
  log::FlushWork work = replica.log->begin_data_flush(now_ms);
  const Status status = log::Log::run(disk_, work);
  replica.log->end_flush(work, status);
  if (!status) return on_log_failure(replica, status.error());
  ENSURE(replica.log->recovery_point() == replica.log->end_offset(), "flushed up to {} of {}",
         replica.log->recovery_point(), replica.log->end_offset());
}

void Replicas::flush_later(Replica& replica, log::FlushWork work) {
  const auto self = state_[replica.shard]->topics[replica.topic][replica.partition];
  const auto job = std::make_shared<std::pair<log::FlushWork, Status>>(std::move(work), Status{});
  pool_->run(
      shards_.loop(replica.shard), [this, job] { job->second = log::Log::run(disk_, job->first); },
      [this, self, log = replica.log, job] {
        log->end_flush(job->first, job->second);
        // One that another took the place of meanwhile was renamed.
        if (!job->second && log == self->log) on_log_failure(*self, job->second.error());
      });
}

void Replicas::make_syncs() {
  constexpr std::size_t kSyncThreadsMax = 8;
  const std::size_t lanes = state_.size() * options_.log_dirs.size();
  sync_pool_ = std::make_unique<net::ThreadPool>("sync", static_cast<int>(std::min(lanes, kSyncThreadsMax)));
  for (std::size_t shard = 0; shard < state_.size(); ++shard)
    state_[shard]->sync = std::make_unique<DiskSync>(
        shards_.loop(shard), *sync_pool_, disk_, options_.log_dirs.size(),
        [this](Replica& replica, const Status& status) { on_synced(replica, status); });
}

void Replicas::on_synced(Replica& replica, const Status& status) {
  const bool deleted = !status && status.error().code == base::Errc::closed;
  if (!status && !deleted) on_log_failure(replica, status.error());
  replica.synced();
}

void Replicas::when_durable(Replica& replica, std::function<void()> then) {
  const log::Log& log = *replica.log;
  const bool waits = flush_on_ack() && (log.recovery_point() < log.end_offset() || log.has_unsynced_cut());
  if (waits && !log.failed()) return state_[replica.shard]->sync->want(replica, std::move(then));
  if (then) then();
}

// ---- the tick of a shard ---------------------------------------------------------------------------------

void Replicas::tick(std::size_t shard) {
  ShardState& state = *state_[shard];
  const auto now = clock_.now();
  const std::int64_t now_ms = clock_.wall().ms;
  const bool retention = now >= state.next_retention;
  const bool expiration = now >= state.next_expiration;
  const bool lag_check = now >= state.next_lag_check;
  if (retention) state.next_retention = now + milliseconds(options_.retention_check_ms);
  if (expiration) state.next_expiration = now + milliseconds(options_.producer_expiration_check_ms);
  if (lag_check) state.next_lag_check = now + options_.lag_max / 2;
  std::vector<std::shared_ptr<Replica>> replicas;
  for (const auto& [topic, partitions] : state.topics)
    for (const auto& [index, replica] : partitions) replicas.push_back(replica);
  for (const auto& replica : replicas) {
    if (replica->damage) tell_of_damage(*replica, now);
    if (replica->log->failed()) continue;
    if (replica->log->flush_due(now_ms)) flush_later(*replica, replica->log->begin_flush(now_ms));
    if (expiration) replica->log->expire_producers(now_ms);
    if (!retention) continue;
    retain(*replica);
    replica->log->release_readers();
  }
  if (lag_check || probes_ != nullptr) shrink_isrs(shard, lag_check);
  const std::set<Replica*> moving = state.moving;
  for (Replica* replica : moving) move_on(*replica);
  if (shard == 0) checkpoint_tick();
  state.tick->set(now + std::chrono::seconds(1));
}

void Replicas::retain(Replica& replica) {
  auto gone = replica.log->apply_retention(clock_.wall().ms);
  tell_notes(*replica.log);
  if (!gone) return on_log_failure(replica, gone.error());
  if (gone->files.empty()) return;
  log_.info("Deleting {} files of {}-{}, its log now starts at {}", gone->files.size(), replica.topic,
            replica.partition, replica.log->start_offset());
  delete_later(std::move(*gone), replica.log->config().file_delete_delay_ms);
  replica.changed();  // followers are told where the log begins
}

// ---- deletions -------------------------------------------------------------------------------------------

void Replicas::delete_later(log::PendingDelete gone, std::int64_t delay_ms) {
  const std::lock_guard lock(mutex_);
  deletions_.emplace(clock_.wall().ms + delay_ms, std::move(gone));
}

void Replicas::delete_due(bool all) {
  const std::int64_t now_ms = clock_.wall().ms;
  while (true) {
    log::PendingDelete gone;
    {
      const std::lock_guard lock(mutex_);
      if (deletions_.empty() || (!all && deletions_.begin()->first > now_ms)) return;
      gone = std::move(deletions_.begin()->second);
      deletions_.erase(deletions_.begin());
    }
    for (const auto& file : gone.files) {
      const auto status = disk_.unlink(file);
      if (!status && status.error().code != base::Errc::not_found) log_.warn("{}", status.error().context);
    }
    if (gone.directory.empty()) continue;
    if (const auto status = fs::remove_tree(disk_, gone.directory); !status)
      log_.warn("{}", status.error().context);
  }
}

// ---- checkpoints -----------------------------------------------------------------------------------------

void Replicas::checkpoint_tick() {
  const auto now = clock_.now();
  if (now >= next_checkpoint_) {
    next_checkpoint_ = now + milliseconds(options_.checkpoint_ms);
    next_high_watermarks_ = now + milliseconds(options_.high_watermark_checkpoint_ms);
    pool_->run([this] { write_checkpoints(false); });
  } else if (now >= next_high_watermarks_) {
    next_high_watermarks_ = now + milliseconds(options_.high_watermark_checkpoint_ms);
    pool_->run([this] { write_checkpoints(true); });
  }
  pool_->run([this] { delete_due(false); });
}

void Replicas::before_cut(Replica& replica, std::int64_t offset, std::function<void()> then) {
  const auto self = replica.shared_from_this();
  const Where where{replica.topic, replica.partition};
  const std::size_t dir = replica.dir;
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    recovery_points_.wait(where, offset);
    waits = recovery_points_.may_exceed(dir, where, offset);
  }
  const auto cut = [this, self, where, dir, offset, then = std::move(then)] {
    if (self->dir == dir) {
      then();
    } else {  // a move has ended meanwhile
      before_cut(*self, offset, then);
    }
    const std::lock_guard lock(mutex_);
    recovery_points_.end_wait(where);
  };
  if (!waits) return cut();
  const auto lower = [this, dir, where, offset] { lower_recovery_points(dir, where, offset); };
  pool_->run(shards_.loop(replica.shard), lower, cut);
}

void Replicas::checkpoint_soon() {
  if (checkpoint_queued_.exchange(true)) return;
  pool_->run([this] {
    checkpoint_queued_ = false;
    write_checkpoints(false);
  });
}

void Replicas::write_checkpoints(bool high_watermarks_only) {
  struct Offsets {
    bool online = false;
    log::OffsetCheckpoint high_watermarks;
    std::shared_ptr<log::OffsetCheckpoint> recovery_points = std::make_shared<log::OffsetCheckpoint>();
    log::OffsetCheckpoint log_starts;
  };
  const std::lock_guard writer(checkpoint_mutex_);
  std::vector<Offsets> dirs(options_.log_dirs.size());
  const auto gather = [&](const Where& where, const log::Log& log, Offsets& out) {
    out.high_watermarks.emplace_hint(out.high_watermarks.end(), where, log.high_watermark());
    if (high_watermarks_only) return;
    const std::int64_t whole = recovery_points_.bounded(where, log.recovery_point());
    out.recovery_points->emplace_hint(out.recovery_points->end(), where, whole);
    if (log.start_offset() > 0) out.log_starts.emplace_hint(out.log_starts.end(), where, log.start_offset());
  };
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [where, replica] : all_) {
      gather(where, *replica->log, dirs[replica->dir]);
      if (replica->move) gather(where, *replica->move->log, dirs[replica->move->dir]);
    }
    for (std::size_t i = 0; i < dirs.size(); ++i) {
      dirs[i].online = logs_.dirs()[i].online;
      if (dirs[i].online && !high_watermarks_only) recovery_points_.begin(i, dirs[i].recovery_points);
    }
  }
  for (std::size_t i = 0; i < dirs.size(); ++i) {
    if (!dirs[i].online) continue;
    auto status = logs_.write_high_watermarks(i, dirs[i].high_watermarks);
    if (status && !high_watermarks_only) status = write_recovery_points(i, *dirs[i].recovery_points);
    if (status && !high_watermarks_only) status = logs_.write_log_starts(i, dirs[i].log_starts);
    if (!status) dir_failed(i, status.error());
  }
}

// What has been announced as coming.
Status Replicas::write_recovery_points(std::size_t dir, const log::OffsetCheckpoint& said) {
  if (auto status = logs_.write_recovery_points(dir, said); !status) return status;
  RecoveryPoints::Said before;  // goes once the lock is free
  const std::lock_guard lock(mutex_);
  before = recovery_points_.end(dir);
  return {};
}

// Only this file, from what it said before: a broker may have ten thousand logs. Where many cuts wait, the
// first writes for all.
void Replicas::lower_recovery_points(std::size_t dir, const Where& where, std::int64_t offset) {
  const std::lock_guard writer(checkpoint_mutex_);
  RecoveryPoints::Said stands;
  std::map<Where, std::int64_t> cuts;
  {
    const std::lock_guard lock(mutex_);
    if (!logs_.dirs()[dir].online || !recovery_points_.may_exceed(dir, where, offset)) return;
    stands = recovery_points_.stands(dir);
    cuts = recovery_points_.cuts();
  }
  const auto said = RecoveryPoints::lowered(stands, cuts);
  {
    const std::lock_guard lock(mutex_);
    recovery_points_.begin(dir, said);
  }
  if (const auto status = write_recovery_points(dir, *said); !status) dir_failed(dir, status.error());
}

// ---- the end ---------------------------------------------------------------------------------------------

Status Replicas::shutdown() {
  pool_->wait_idle();
  if (sync_pool_) sync_pool_->wait_idle();
  std::vector<bool> clean(logs_.dirs().size(), true);
  {
    // Syncs that wait at the same time share one commit of the file system's journal.
    constexpr int kClosers = 32;
    net::ThreadPool closers("close", std::max(kClosers, options_.recovery_threads));
    std::mutex marks;
    for (const auto& [where, replica] : all_) {
      const auto close = [&, replica = replica](log::Log& log, std::size_t dir) {
        const auto status = log.close(true);
        tell_notes(log);
        if (status) return;
        log_.error("Cannot close {}-{}: {}", replica->topic, replica->partition, status.error().context);
        const std::lock_guard lock(marks);
        clean[dir] = false;
      };
      closers.run([close, replica = replica] {
        close(*replica->log, replica->dir);
        if (replica->move) close(*replica->move->log, replica->move->dir);
      });
    }
    closers.wait_idle();
  }
  write_checkpoints(false);
  Status outcome;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    if (!clean[i] || !logs_.dirs()[i].online) continue;
    if (auto status = logs_.mark_clean(i, node_.broker_epoch); !status) outcome = status;
    logs_.dirs()[i].lock.reset();
  }
  return outcome;
}

}  // namespace tandem::broker::api
