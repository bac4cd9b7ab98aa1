// Moves of logs between directories (AlterReplicaLogDirs): on the owner's thread a copy grows in a directory
// named *-future, read by disk threads slice by slice, and when it has all of the log it takes its place. The
// order of the renames is Kafka's: after a crash between them both are there whole, and the start says so.
#include "broker/api/replicas.h"
#include "fs/disk.h"

namespace tandem::broker::api {

using base::Error;
using base::Status;
using protocol::ErrorCode;

namespace {

constexpr std::uint64_t kSliceBytes = std::uint64_t{1} << 20;    // read at once for one copy
constexpr std::uint64_t kAtOnceBytes = std::uint64_t{64} << 10;  // a rest that the owner copies itself
constexpr std::size_t kDirNameMax = 255;

// Where `copy` stops being a beginning of `log`, by their leader epochs (as a follower's truncation).
std::int64_t common_end(log::Log& log, log::Log& copy) {
  std::int64_t end = std::min(log.end_offset(), copy.end_offset());
  auto epoch = copy.epochs().latest();
  while (epoch) {
    const auto known = log.epochs().end_of(*epoch, log.end_offset());
    if (known.epoch < 0) return end;  // older than all that the log knows
    end = std::min(end, known.end_offset);
    if (known.epoch == *epoch) return end;
    const auto own = copy.epochs().end_of(known.epoch, copy.end_offset());
    if (own.epoch < 0) return std::min(end, copy.start_offset());
    end = std::min(end, own.end_offset);
    if (own.epoch == known.epoch) return end;
    epoch = own.epoch;
  }
  return end;
}

}  // namespace

ErrorCode Replicas::move(const std::string& topic, std::int32_t partition, const std::string& path) {
  const Where where{topic, partition};
  Replica* replica = find(topic, partition);
  std::size_t dir = 0;
  std::string future;
  const std::string unique = unique_name();
  {
    const std::lock_guard lock(mutex_);
    const auto found = logs_.find(path);
    if (!found) return ErrorCode::log_dir_not_found;
    dir = *found;
    if (!logs_.dirs()[dir].online) return ErrorCode::kafka_storage_error;
    future = logs_.future_path_for(dir, where, unique);
    if (fmt::format("{}-{}.{}-future", topic, partition, unique).size() > kDirNameMax)
      return ErrorCode::invalid_topic_exception;
    if (replica == nullptr) {
      wanted_dirs_[where] = dir;
      return ErrorCode::replica_not_available;
    }
    if (replica->log->failed()) return ErrorCode::kafka_storage_error;
  }
  if (replica->move && replica->move->dir != dir) drop_move(*replica);
  if (replica->move || replica->dir == dir) return ErrorCode::none;
  {
    const std::lock_guard lock(mutex_);
    // The partition's copy may be in one of those.
    if (!logs_.all_online()) return ErrorCode::kafka_storage_error;
  }
  log::LoadReport report;
  auto copy = log::Log::load(disk_, future, where,
                             {.config = options_.config_of(topic),
                              .now_ms = clock_.wall().ms,
                              .flush_on_ack = options_.flush_on_ack},
                             report);
  Status status = copy ? (*copy)->truncate_fully_at(replica->log->start_offset()) : Status(copy.error());
  if (status && replica->log->topic_id()) status = (*copy)->set_topic_id(*replica->log->topic_id());
  if (status) status = disk_.sync_dir(fs::parent(future));
  if (!status) {
    dir_failed(dir, status.error());
    return ErrorCode::kafka_storage_error;
  }
  log_.info("Moving {}-{} from {} to {}", topic, partition, replica->log->dir(), future);
  begin_move(*replica, std::move(*copy), dir);
  move_on(*replica);
  return ErrorCode::none;
}

void Replicas::begin_move(Replica& replica, std::shared_ptr<log::Log> copy, std::size_t dir) {
  auto move = std::make_unique<LogMove>();
  move->log = std::move(copy);
  move->dir = dir;
  state_[replica.shard]->moving.insert(&replica);
  const std::lock_guard lock(mutex_);
  ++logs_.dirs()[dir].logs;
  replica.move = std::move(move);
}

// One that a stop interrupted goes on once a controller speaks of the partition.
void Replicas::install_copy(log::LoadJob& job) {
  Replica* replica = find(job.where.topic, job.where.partition);
  if (replica == nullptr || replica->log->failed()) {
    log_.warn("{} is left alone: the log that it is a copy of is not here", job.path);
    return;
  }
  begin_move(*replica, std::move(job.log), job.dir);
  if (const Status status = align_copy(*replica); !status) move_failed(*replica, status.error());
}

std::shared_ptr<log::Log> Replicas::forget_move(Replica& replica) {
  state_[replica.shard]->moving.erase(&replica);
  const std::lock_guard lock(mutex_);
  const std::unique_ptr<LogMove> gone = std::move(replica.move);
  auto& logs = logs_.dirs()[gone->dir].logs;
  logs -= std::min<std::size_t>(logs, 1);
  return gone->log;
}

void Replicas::drop_move(Replica& replica) {
  if (!replica.move) return;
  const std::size_t dir = replica.move->dir;
  const auto copy = forget_move(replica);
  auto gone = copy->mark_deleted(unique_name());
  if (!gone) return dir_failed(dir, gone.error());
  delete_later(std::move(*gone), copy->config().file_delete_delay_ms);
}

void Replicas::move_failed(Replica& replica, const Error& error) {
  log_.error("{}-{} is not moved to {}: {}", replica.topic, replica.partition, replica.move->log->dir(),
             error.context);
  const std::size_t dir = replica.move->dir;
  if (error.code != base::Errc::io && error.code != base::Errc::no_space) return drop_move(replica);
  forget_move(replica);
  dir_failed(dir, error);
}

// The copy is a beginning of the log again, whatever happened to this.
Status Replicas::align_copy(Replica& replica) {
  log::Log& copy = *replica.move->log;
  log::Log& log = *replica.log;
  if (copy.end_offset() < log.start_offset() || copy.start_offset() > log.end_offset()) {
    if (auto status = copy.truncate_fully_at(log.start_offset()); !status) return status;
  }
  const std::int64_t end = std::max(common_end(log, copy), copy.start_offset());
  if (end < copy.end_offset()) {
    if (auto cut = copy.truncate_to(end); !cut) return cut.error();
  }
  copy.set_high_watermark(std::clamp(log.high_watermark(), copy.start_offset(), copy.end_offset()));
  return copy.advance_start(std::min(log.start_offset(), copy.high_watermark()));
}

void Replicas::on_cut(Replica& replica) {
  ++replica.cuts;
  if (!replica.move || replica.move->log->failed()) return;
  if (const Status status = align_copy(replica); !status) move_failed(replica, status.error());
}

// The next thing that there is to do for a move; called again when it is done, and by the tick.
void Replicas::move_on(Replica& replica) {
  if (!replica.move || replica.move->busy) return;
  if (replica.core.role() == replica::Role::none || replica.log->failed()) return;
  if (const Status status = align_copy(replica); !status) return move_failed(replica, status.error());
  if (replica.move->log->end_offset() < replica.log->end_offset()) return copy_some(replica);
  if (!replica.move->synced) return sync_copy(replica);
  swap_in(replica);
}

void Replicas::copy_some(Replica& replica) {
  if (quotas_.exceeded(Throttle::moves)) return;  // the tick asks again
  const auto copy = replica.move->log;
  auto range = replica.log->read(copy->end_offset(), kSliceBytes, replica.log->end_offset(), true);
  if (!range) return on_log_failure(replica, range.error());
  const auto bytes = std::make_shared<std::string>(range->size, '\0');
  const auto status = std::make_shared<Status>();
  const auto read = [range = *range, bytes, status] {
    const auto got = range.file->pread(range.position, *bytes);
    if (!got) *status = got.error();
    bytes->resize(got ? *got : 0);
  };
  const auto self = state_[replica.shard]->topics[replica.topic][replica.partition];
  const auto done = [this, self, copy, cuts = replica.cuts, bytes, status] {
    if (!self->move || self->move->log != copy) return;  // it ended meanwhile
    self->move->busy = false;
    if (!*status) return on_log_failure(*self, status->error());
    copied(*self, copy, cuts, *bytes);
  };
  replica.move->busy = true;
  if (range->size <= kAtOnceBytes && replica.move->synced) {
    read();
    return done();
  }
  pool_->run(shards_.loop(replica.shard), read, done);
}

void Replicas::copied(Replica& replica, const std::shared_ptr<log::Log>& copy, std::uint64_t cuts,
                      std::string_view bytes) {
  if (cuts != replica.cuts) return move_on(replica);  // what was read is not the log's any more
  record::BatchCursor cursor(bytes);
  Status status;
  // The log may begin within a batch: the copy then begins where the batch does.
  if (copy->start_offset() == copy->end_offset() && cursor.next() && cursor.batch().magic() >= 2 &&
      cursor.batch().offset_field() < copy->end_offset())
    status = copy->truncate_fully_at(cursor.batch().offset_field());
  if (status) {
    const auto appended = copy->append_as_follower(bytes, clock_.wall().ms);
    if (!appended) status = appended.error();
  }
  if (!status) return move_failed(replica, status.error());
  quotas_.record(Throttle::moves, bytes.size());
  move_on(replica);
}

void Replicas::sync_copy(Replica& replica) {
  const auto copy = replica.move->log;
  const auto job =
      std::make_shared<std::pair<log::FlushWork, Status>>(copy->begin_flush(clock_.wall().ms), Status{});
  const auto self = state_[replica.shard]->topics[replica.topic][replica.partition];
  replica.move->busy = true;
  pool_->run(
      shards_.loop(replica.shard), [this, job] { job->second = log::Log::run(disk_, job->first); },
      [this, self, copy, job] {
        copy->end_flush(job->first, job->second);
        if (!self->move || self->move->log != copy) return;
        self->move->busy = false;
        if (!job->second) return move_failed(*self, job->second.error());
        self->move->synced = true;
        move_on(*self);
      });
}

void Replicas::swap_in(Replica& replica) {
  const auto copy = replica.move->log;
  const auto old = replica.log;
  const std::size_t old_dir = replica.dir;
  std::string path;
  {
    const std::lock_guard lock(mutex_);
    path = logs_.path_for(replica.move->dir, {replica.topic, replica.partition});
  }
  // What was promised to be on disk is there in the new directory before the old one goes.
  Status status;
  if (flush_on_ack() || old->config().flush_messages != log::kNever) {
    log::FlushWork work = copy->begin_data_flush(clock_.wall().ms);
    status = log::Log::run(disk_, work);
    copy->end_flush(work, status);
  }
  if (status) status = copy->move_to(path);
  if (status) status = disk_.sync_dir(fs::parent(path));
  if (!status) return move_failed(replica, status.error());
  state_[replica.shard]->moving.erase(&replica);
  {
    const std::lock_guard lock(mutex_);
    replica.dir = replica.move->dir;
    replica.log = copy;
    replica.move.reset();
    auto& logs = logs_.dirs()[old_dir].logs;
    logs -= std::min<std::size_t>(logs, 1);
  }
  copy->set_config(old->config());
  copy->set_high_watermark(replica.core.high_watermark());
  log_.info("{}-{} is served from {} now", replica.topic, replica.partition, path);
  auto gone = old->mark_deleted(unique_name());
  if (!gone) {
    dir_failed(old_dir, gone.error());
  } else {
    delete_later(std::move(*gone), copy->config().file_delete_delay_ms);
  }
  if (!copy->failed()) after_append(replica, clock_.wall().ms);
  pool_->run([this] { write_checkpoints(false); });
  replica.changed();
}

}  // namespace tandem::broker::api
