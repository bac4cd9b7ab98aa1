// Logs that Replicas makes for partitions that are new here: where they go, and how many are made at a time.
#include <algorithm>

#include "broker/api/replicas.h"
#include "broker/log/file_names.h"

namespace tandem::broker::api {

using base::Errc;
using base::make_error;
using base::Result;
using base::Status;
using protocol::ErrorCode;

namespace {

// A log takes three syncs; what waits for the disk at the same time shares commits of the file system's
// journal.
constexpr std::size_t kMakersMax = 32;

}  // namespace

// One log that is to be made. make() may be called on any thread.
struct Replicas::NewLog {
  Where where;
  protocol::Uuid topic_id;
  std::size_t dir = 0;
  std::string path;
  log::LoadOptions options;
  std::unique_ptr<log::Log> log;  // the outcome
  Status status;
  bool fresh = false;  // there was no directory of its name

  void make(fs::Disk& disk) {
    const auto there = disk.info(path);
    fresh = !there && there.error().code == Errc::not_found;
    log::LoadReport report;
    auto loaded = log::Log::load(disk, path, where, options, report);
    if (!loaded) {
      status = loaded.error();
      return;
    }
    log = std::move(*loaded);
    if (!topic_id.is_zero()) status = log->set_topic_id(topic_id);
  }
};

// Of a partition that is not here; STALE_CONTROLLER_EPOCH: it was deleted since.
ErrorCode Replicas::check_new(const replica::Partition::State& state, const std::string& topic,
                              const protocol::Uuid& topic_id) {
  if (const auto error = replica::Partition(node_.broker_id).check(state); error != ErrorCode::none)
    return error;
  const auto& deletions = state_[shards_.owner(topic, state.partition_index)]->deletions;
  const bool deleted = deletions.cover(topic_id, state.partition_index, state.leader_epoch);
  return deleted ? ErrorCode::stale_controller_epoch : ErrorCode::none;
}

Result<Replicas::NewLog> Replicas::place(const Wanted& wanted) {
  NewLog out;
  out.where = {wanted.topic, wanted.state.partition_index};
  out.topic_id = wanted.topic_id;
  out.options.now_ms = clock_.wall().ms;
  out.options.flush_on_ack = options_.flush_on_ack;
  const std::lock_guard lock(mutex_);
  // What is not new may lie in a directory that is offline: an empty log elsewhere would take its place. What
  // a reassignment adds is called new again whenever the broker comes back, and may lie in one that this
  // start has not read. (Of one that failed since, all replicas are known, and all that were half made.)
  const bool may_be_there =
      wanted.state.is_new ? wanted.state.leader_epoch > 0 && !logs_.all_read() : !logs_.all_online();
  if (may_be_there || half_made_.contains(out.where))
    return make_error(Errc::unavailable, "{}-{} may be in a log directory that is offline", out.where.topic,
                      out.where.partition);
  const auto asked = wanted_dirs_.extract(out.where);
  const auto place = asked && logs_.dirs()[asked.mapped()].online ? asked.mapped() : logs_.place();
  if (!place) return place.error();
  out.dir = *place;
  out.path = logs_.path_for(out.dir, out.where);
  ++logs_.dirs()[out.dir].logs;
  return out;
}

// What there is of a log that could not be made. False: it may be there after the next start.
bool Replicas::put_away(NewLog& made) {
  made.log.reset();
  const std::string away =
      fs::join(fs::parent(made.path),
               log::renamed_dir(made.where.topic, made.where.partition, unique_name(), "-delete"));
  auto status = made.fresh ? disk_.rename(made.path, away) : made.status;
  if (!status && status.error().code == Errc::not_found) return true;
  if (status) status = disk_.sync_dir(fs::parent(made.path));
  if (!status) return false;
  delete_later({{}, away}, 0);
  return true;
}

Replica* Replicas::take_in(NewLog made) {
  if (!made.status) {
    if (!put_away(made)) {
      const std::lock_guard lock(mutex_);
      half_made_.insert(made.where);
    }
    dir_failed(made.dir, made.status.error());
    return nullptr;
  }
  const auto& [topic, partition] = made.where;
  const std::size_t shard = shards_.owner(topic, partition);
  state_[shard]->made_in.insert(made.dir);
  log_.info("Created log for partition {}-{} in {}", topic, partition, made.path);
  auto replica = std::make_shared<Replica>(*this, topic, partition, shard, made.dir, node_.broker_id,
                                           made.log->high_watermark(), options_.lag_max);
  replica->log = std::move(made.log);
  Replica* taken = replica.get();
  add(std::move(replica));
  return taken;
}

void Replicas::make_beside(std::map<Where, NewLog>& logs) {
  if (logs.size() == 1) return logs.begin()->second.make(disk_);
  net::ThreadPool makers("make", static_cast<int>(std::min(kMakersMax, logs.size())));
  for (auto& [where, log] : logs) makers.run([this, &log = log] { log.make(disk_); });
  makers.wait_idle();
}

std::set<Replicas::Where> Replicas::make_logs(const std::vector<Wanted>& wanted) {
  std::map<Where, NewLog> logs;
  std::map<std::string, log::LogConfig> configs;  // of each topic once
  std::set<Where> failed;
  for (const Wanted& each : wanted) {
    const Where where{each.topic, each.state.partition_index};
    if (logs.contains(where) || find(where.topic, where.partition) != nullptr) continue;
    if (check_new(each.state, each.topic, each.topic_id) != ErrorCode::none) continue;  // become() says why
    auto log = place(each);
    if (!log) {
      failed.insert(where);
      continue;
    }
    auto config = configs.find(each.topic);
    if (config == configs.end()) config = configs.emplace(each.topic, options_.config_of(each.topic)).first;
    log->options.config = config->second;
    logs.emplace(where, std::move(*log));
  }
  if (logs.empty()) return failed;
  make_beside(logs);
  for (auto& [where, log] : logs)
    if (take_in(std::move(log)) == nullptr) failed.insert(where);
  for (const auto& [topic, config] : configs)
    if (options_.on_created) options_.on_created(topic);
  return failed;
}

bool Replicas::sync_made(std::size_t shard) {
  bool good = true;
  for (const std::size_t dir : std::exchange(state_[shard]->made_in, {})) {
    Status status = disk_.sync_dir(options_.log_dirs[dir]);
    if (!status) {
      dir_failed(dir, status.error());
    } else {
      // It may have failed elsewhere, where nobody knew of logs that were just being made.
      const std::lock_guard lock(mutex_);
      if (logs_.dirs()[dir].online) continue;
      status = make_error(Errc::io, "{} is offline", logs_.dirs()[dir].path);
    }
    good = false;
    for (const auto& [topic, partitions] : state_[shard]->topics)
      for (const auto& [partition, replica] : partitions) lose_dir(*replica, dir, status.error());
  }
  return good;
}

}  // namespace tandem::broker::api
