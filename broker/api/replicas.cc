#include "broker/api/replicas.h"

#include <algorithm>

#include "fs/disk.h"

namespace tandem::broker::api {

using base::Errc;
using base::make_error;
using base::milliseconds;
using base::Result;
using base::Status;
using protocol::ErrorCode;

namespace {

constexpr auto kTick = std::chrono::seconds(1);

}  // namespace

Replicas::Replicas(const base::Clock& clock, logging::Logger log, Shards& shards, Node& node, fs::Disk& disk,
                   ReplicasOptions options)
    : clock_(clock),
      log_(log),
      shards_(shards),
      node_(node),
      disk_(disk),
      options_(std::move(options)),
      quotas_(clock, options_.quota_windows, options_.move_quota_windows),
      logs_(disk, options_.log_dirs),
      recovery_points_(options_.log_dirs.size()),
      random_(options_.seed) {
  for (std::size_t i = 0; i < shards_.size(); ++i)
    state_.push_back(std::make_unique<ShardState>(random_.split(), options_.fetch_session_slots));
  pool_ = std::make_unique<net::ThreadPool>("disk", options_.disk_threads);
  if (options_.flush_on_ack) make_syncs();
}

Replicas::~Replicas() = default;

// ---- start ---------------------------------------------------------------------------------------------

Status Replicas::open_dirs() { return logs_.open(); }

Status Replicas::claim(const std::string& date_comment) {
  return logs_.claim(node_.broker_id, node_.cluster_id, date_comment);
}

Status Replicas::load() {
  const auto begin = clock_.now();
  auto jobs = logs_.load_jobs([this](const Where& where) { return options_.config_of(where.topic); },
                              clock_.wall().ms);
  if (!jobs) return jobs.error();
  for (std::size_t i = 0; i < logs_.dirs().size(); ++i) {
    auto& found = logs_.dirs()[i].recovery_points;
    recovery_points_.begin(i, std::make_shared<log::OffsetCheckpoint>(std::exchange(found, {})));
    recovery_points_.end(i);
  }
  for (log::LoadJob& job : *jobs) job.options.flush_on_ack = options_.flush_on_ack;
  if (auto status = logs_.forget_clean_shutdown(); !status) return status;
  for (const log::LogDir& dir : logs_.dirs())
    if (dir.failure) log_.error("Log directory {} is offline: {}", dir.path, dir.failure->context);
  std::erase_if(*jobs, [this](const log::LoadJob& job) { return !logs_.dirs()[job.dir].online; });
  log_.info("Loading {} logs from {} directories", jobs->size(), logs_.dirs().size());
  {
    net::ThreadPool loaders("recovery", options_.recovery_threads);
    for (log::LoadJob& job : *jobs) loaders.run([this, &job] { job.run(disk_); });
    loaders.wait_idle();
  }
  for (const bool future : {false, true})
    for (log::LoadJob& job : *jobs)
      if (job.future == future) install(job);
  for (const auto& gone : logs_.leftovers()) delete_later(gone, 0);
  const auto took = std::chrono::duration_cast<milliseconds>(clock_.now() - begin);
  log_.info("Loaded {} logs in {}ms", all_.size(), took.count());
  if (!logs_.any_online()) return make_error(Errc::io, "no log directory is usable");
  return {};
}

void Replicas::install(log::LoadJob& job) {
  for (const auto& note : job.report.notes)
    log_.warn("{}-{}: {}", job.where.topic, job.where.partition, note);
  if (job.report.recovered_segments > 0)
    log_.info("Recovered {}-{}: {} segments read, {} bytes cut off", job.where.topic, job.where.partition,
              job.report.recovered_segments, job.report.truncated_bytes);
  if (job.error) {
    log_.error("Cannot load {}: {}", job.path, job.error->context);
    logs_.dirs()[job.dir].failure = job.error;
    dir_failed(job.dir, *job.error);
    return;
  }
  if (job.future) return install_copy(job);
  auto replica = std::make_shared<Replica>(*this, job.where.topic, job.where.partition,
                                           owner(job.where.topic, job.where.partition), job.dir,
                                           node_.broker_id, job.log->high_watermark(), options_.lag_max);
  replica->log = std::move(job.log);
  // Its directory may have failed with a log that was installed before.
  if (!logs_.dirs()[job.dir].online) replica->log->fail(make_error(Errc::io, "{} is offline", job.path));
  add(std::move(replica));
}

void Replicas::add(std::shared_ptr<Replica> replica) {
  state_[replica->shard]->topics[replica->topic][replica->partition] = replica;
  const std::lock_guard lock(mutex_);
  all_[{replica->topic, replica->partition}] = std::move(replica);
}

void Replicas::start() {
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    shards_.post(shard, [this, shard] {
      ShardState& state = *state_[shard];
      net::Loop& loop = shards_.loop(shard);
      const auto now = clock_.now();
      state.delays = std::make_unique<Delays>(loop);
      state.next_retention =
          now + std::min<base::Duration>(milliseconds(options_.retention_check_ms), milliseconds(30000));
      state.next_expiration = now + milliseconds(options_.producer_expiration_check_ms);
      state.next_lag_check = now + options_.lag_max / 2;
      state.tick = std::make_unique<net::Timer>(loop, [this, shard] { tick(shard); });
      state.tick->set(now + kTick);
    });
  }
  next_checkpoint_ = clock_.now() + milliseconds(options_.checkpoint_ms);
  next_high_watermarks_ = clock_.now() + milliseconds(options_.high_watermark_checkpoint_ms);
}

// ---- partitions ----------------------------------------------------------------------------------------

Replica* Replicas::find(std::string_view topic, std::int32_t partition) {
  auto& topics = state_[shards_.owner(topic, partition)]->topics;
  const auto it = topics.find(topic);
  if (it == topics.end()) return nullptr;
  const auto found = it->second.find(partition);
  return found == it->second.end() ? nullptr : found->second.get();
}

ErrorCode Replicas::become(const replica::Partition::State& state, const std::string& topic,
                           const protocol::Uuid& topic_id) {
  Replica* replica = find(topic, state.partition_index);
  if (replica != nullptr) {
    const bool others_lead = state.leader >= 0 && state.leader != node_.broker_id;
    if (replica->damage && others_lead && !mend(*replica)) return ErrorCode::kafka_storage_error;
    if (replica->log->failed()) return ErrorCode::kafka_storage_error;
    const auto& known = replica->log->topic_id();
    if (known && !topic_id.is_zero() && *known != topic_id) return ErrorCode::inconsistent_topic_id;
    const bool only_adds_id = !known && !topic_id.is_zero() && replica->core.role() != replica::Role::none &&
                              state.leader_epoch == replica->core.leader_epoch();
    if (only_adds_id)
      return replica->log->set_topic_id(topic_id) ? ErrorCode::none : ErrorCode::kafka_storage_error;
    if (const auto error = replica->core.check(state); error != ErrorCode::none) return error;
  } else {
    const auto error = check_new(state, topic, topic_id);
    if (error == ErrorCode::stale_controller_epoch)
      log_.warn("{}-{} was deleted: what the controller said of it in leader epoch {} comes too late", topic,
                state.partition_index, state.leader_epoch);
    if (error != ErrorCode::none) return error;
    if (!make_logs({{state, topic, topic_id}}).empty()) return ErrorCode::kafka_storage_error;
    replica = find(topic, state.partition_index);
  }
  Status status;
  if (!topic_id.is_zero()) status = replica->log->set_topic_id(topic_id);
  if (following_ != nullptr) following_->unfollow(*replica);
  const bool fresh_leader = replica->core.apply(state, replica->ends(), clock_.now());
  if (status && replica->core.is_leader())
    status = replica->log->epochs().assign(state.leader_epoch, replica->log->end_offset());
  if (!status) {
    on_log_failure(*replica, status.error());
    return ErrorCode::kafka_storage_error;
  }
  replica->changed();
  // What a recovery read is in the page cache; a leader's watermark waits for the disk.
  if (replica->core.is_leader()) when_durable(*replica, {});
  if (on_leadership_ && (fresh_leader || !replica->core.is_leader()))
    on_leadership_(*replica, replica->core.is_leader());
  follow_or_not(*replica);
  move_on(*replica);
  return ErrorCode::none;
}

ErrorCode Replicas::replace(const replica::Partition::State& state, const std::string& topic,
                            const protocol::Uuid& topic_id) {
  Replica* old = find(topic, state.partition_index);
  // Stopped or deleted meanwhile: what came behind the request counts.
  if (old == nullptr || old->log->failed()) return ErrorCode::inconsistent_topic_id;
  const auto& known = old->log->topic_id();
  if (known && *known != topic_id) {
    log_.warn("{}-{} is of topic id {}, which is deleted; it gives way to {}", topic, state.partition_index,
              known->to_string(), topic_id.to_string());
    const auto error = stop(topic, state.partition_index, replica::kEpochDuringDelete, true);
    if (error != ErrorCode::none) return error;
  }
  return become(state, topic, topic_id);
}

// A follower of a partition that nobody leads has nobody to fetch from.
void Replicas::follow_or_not(Replica& replica) {
  if (following_ == nullptr || replica.core.role() != replica::Role::follower) return;
  const auto& isr = replica.core.state().isr;
  if (leaving_ && std::find(isr.begin(), isr.end(), node_.broker_id) == isr.end()) return;
  if (replica.core.leader() >= 0 && !replica.log->failed()) following_->follow(replica);
}

ErrorCode Replicas::stop(const std::string& topic, std::int32_t partition, std::int32_t leader_epoch,
                         bool remove) {
  Replica* found = find(topic, partition);
  if (found == nullptr) return ErrorCode::none;  // stopping what is not there is done
  if (found->log->failed()) return ErrorCode::kafka_storage_error;
  if (const auto error = found->core.check_stop(leader_epoch); error != ErrorCode::none) return error;
  if (following_ != nullptr) following_->unfollow(*found);
  found->core.stop();
  found->changed();
  if (on_leadership_) on_leadership_(*found, false);
  if (!remove) return ErrorCode::none;
  drop_move(*found);
  const std::string unique = unique_name();
  const std::int64_t delay = found->log->config().file_delete_delay_ms;
  auto gone = found->log->mark_deleted(unique);
  if (!gone) {
    on_log_failure(*found, gone.error());
    return ErrorCode::kafka_storage_error;
  }
  log_.info("Log for partition {}-{} is renamed to {} and is scheduled for deletion", topic, partition,
            gone->directory);
  delete_later(std::move(*gone), delay);
  if (const auto& id = found->log->topic_id())
    state_[found->shard]->deletions.add(*id, partition,
                                        leader_epoch == replica::kEpochDuringDelete
                                            ? kTopicIsDeleted
                                            : std::max(leader_epoch, found->core.state().leader_epoch));
  auto& partitions = state_[found->shard]->topics[topic];
  const auto keep = partitions[partition];  // until the end of this call
  partitions.erase(partition);
  if (partitions.empty()) state_[keep->shard]->topics.erase(topic);
  {
    const std::lock_guard lock(mutex_);
    all_.erase({topic, partition});
    auto& logs = logs_.dirs()[keep->dir].logs;
    logs -= std::min<std::size_t>(logs, 1);
  }
  checkpoint_soon();  // what is written down of this log is not true of another of its name
  return ErrorCode::none;
}

std::string Replicas::unique_name() {
  const std::lock_guard lock(mutex_);
  return fmt::format("{:016x}{:016x}", random_.next(), random_.next());
}

void Replicas::leave(const std::string& topic, const protocol::Uuid& topic_id, std::int32_t partition,
                     std::int32_t leader_epoch) {
  const Replica* found = find(topic, partition);
  if (found == nullptr || found->core.role() == replica::Role::none) return;
  const auto& known = found->log->topic_id();
  const bool of_another_topic = known && !topic_id.is_zero() && *known != topic_id;
  const std::int32_t epoch = of_another_topic ? replica::kEpochDuringDelete : leader_epoch;
  if (stop(topic, partition, epoch, false) != ErrorCode::none) return;
  log_.info("{}-{} is on other brokers in leader epoch {}: its replica here is stopped", topic, partition,
            leader_epoch);
}

bool Replicas::accept_controller(std::int32_t controller_epoch) {
  const std::lock_guard lock(mutex_);
  if (controller_epoch < controller_epoch_) return false;
  controller_epoch_ = controller_epoch;
  return true;
}

void Replicas::config_changed(const std::string& topic) {
  std::vector<std::shared_ptr<Replica>> changed;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [where, replica] : all_)
      if (topic.empty() || where.topic == topic) changed.push_back(replica);
  }
  std::map<std::string, log::LogConfig> configs;  // of each topic once
  for (auto& replica : changed) {
    auto config = configs.find(replica->topic);
    if (config == configs.end()) {
      config = configs.emplace(replica->topic, options_.config_of(replica->topic)).first;
    }
    shards_.post(replica->shard, [replica, value = config->second] { replica->log->set_config(value); });
  }
}

// ---- failures ------------------------------------------------------------------------------------------

void Replicas::on_log_failure(Replica& replica, const base::Error& error) {
  // What a peer or a reader did wrong is no failure of the disk.
  if (error.code != Errc::io && error.code != Errc::no_space) {
    log_.error("{}-{} is offline: {}", replica.topic, replica.partition, error.context);
    replica.log->fail(error);
    if (following_ != nullptr) following_->unfollow(replica);
    if (replica.core.is_leader() && options_.on_replica_failure) options_.on_replica_failure();
    return;
  }
  dir_failed(replica.dir, error);
}

void Replicas::on_misfit(const Replica& replica, const base::Error& error) {
  log_.warn("{}-{} takes nothing more in leader epoch {}, what broker {} sent does not fit its log: {}",
            replica.topic, replica.partition, replica.core.leader_epoch(), replica.core.leader(),
            error.context);
}

void Replicas::dir_failed(std::size_t dir, const base::Error& error) {
  std::string path;
  bool all = false;
  std::vector<std::shared_ptr<Replica>> affected;
  {
    const std::lock_guard lock(mutex_);
    if (!logs_.dirs()[dir].online) return;
    logs_.set_offline(dir);
    path = logs_.dirs()[dir].path;
    all = !logs_.any_online();
    for (const auto& [where, replica] : all_)
      if (replica->dir == dir || (replica->move && replica->move->dir == dir)) affected.push_back(replica);
  }
  log_.error("Log directory {} is offline: {}", path, error.context);
  for (auto& replica : affected) {
    shards_.post(replica->shard, [this, replica, dir, error] { lose_dir(*replica, dir, error); });
  }
  if (options_.on_dir_failure) options_.on_dir_failure(path, all);
}

void Replicas::lose_dir(Replica& replica, std::size_t dir, const base::Error& error) {
  if (replica.move && replica.move->dir == dir) forget_move(replica);
  if (replica.dir != dir) return;
  replica.log->fail(error);
  if (following_ != nullptr) following_->unfollow(replica);
  replica.changed();
}

void Replicas::on_damage(Replica& replica, std::int64_t offset, const base::Error& error) {
  log_.error("{}-{}: {}", replica.topic, replica.partition, error.context);
  const bool others_have_it = replica.core.isr_size() > 1;
  if (replica.core.is_leader() && !others_have_it) return;
  replica.log->fail(error);
  replica.damage = Replica::Damage{offset};
  if (following_ != nullptr) following_->unfollow(replica);
  if (replica.core.is_leader()) {
    replica.changed();
    return tell_of_damage(replica, clock_.now());
  }
  // Who has no leader keeps what it has.
  if (replica.core.role() == replica::Role::follower && replica.core.leader() >= 0 && mend(replica))
    follow_or_not(replica);
}

// What does not begin with a good batch any more is fetched again.
bool Replicas::mend(Replica& replica) {
  const auto cut = replica.log->set_aside(replica.damage->offset);
  if (!cut) {
    on_log_failure(replica, cut.error());
    return false;
  }
  replica.damage.reset();
  checkpoint_soon();
  on_cut(replica);
  log_.warn("{}-{}: {} bytes are set aside, the log now ends at {}", replica.topic, replica.partition, *cut,
            replica.log->end_offset());
  if (replica.core.follow(0, replica.ends())) replica.changed();
  return true;
}

void Replicas::tell_of_damage(Replica& replica, base::Instant now) {
  Replica::Damage& damage = *replica.damage;
  if (now < damage.tell_at) return;
  damage.tell_at = now + damage.tell_after;
  damage.tell_after = std::min<base::Duration>(damage.tell_after * 2, std::chrono::minutes(1));
  if (options_.on_replica_failure) options_.on_replica_failure();
}

// ---- directories, for DescribeLogDirs -------------------------------------------------------------------

std::vector<Replicas::DirStatus> Replicas::dir_status() {
  std::vector<DirStatus> out;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& dir : logs_.dirs()) out.push_back({dir.path, dir.online, {}, {}});
    for (const auto& [where, replica] : all_) {
      const auto lag = std::max<std::int64_t>(0, replica->log->high_watermark() - replica->log->end_offset());
      out[replica->dir].logs.push_back({where.topic, where.partition, replica->log->size(), lag});
      if (!replica->move) continue;
      const log::Log& copy = *replica->move->log;
      out[replica->move->dir].logs.push_back(
          {where.topic, where.partition, copy.size(), replica->log->end_offset() - copy.end_offset(), true});
    }
  }
  for (DirStatus& dir : out) {
    const auto space = disk_.space(dir.path);
    if (space) dir.space = *space;
  }
  return out;
}

}  // namespace tandem::broker::api
