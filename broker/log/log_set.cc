#include "broker/log/log_set.h"

#include <algorithm>

#include "broker/log/file_names.h"
#include "fs/checkpoint.h"

namespace tandem::broker::log {

using base::Errc;
using base::make_error;
using base::Result;
using base::Status;

namespace {

constexpr std::string_view kRecoveryPoints = "recovery-point-offset-checkpoint";
constexpr std::string_view kLogStarts = "log-start-offset-checkpoint";
constexpr std::string_view kHighWatermarks = "replication-offset-checkpoint";
constexpr std::string_view kMetaProperties = "meta.properties";
constexpr std::string_view kCleanShutdown = ".kafka_cleanshutdown";

// A directory that is new has to be as durable as what will be acknowledged in it.
Status make_durable(fs::Disk& disk, const std::string& path) {
  std::vector<std::string> parents;
  for (std::string at = path; at != fs::parent(at) && !fs::exists(disk, at); at = fs::parent(at))
    parents.push_back(fs::parent(at));
  if (auto status = disk.make_dirs(path); !status) return status;
  for (const std::string& parent : parents)
    if (auto status = disk.sync_dir(parent); !status) return status;
  return {};
}

// Another broker on it, or a file that cannot be right: a person has to look. A failing disk takes only
// itself.
Status without(LogDir& dir, const Status& status) {
  if (status || (status.error().code != Errc::io && status.error().code != Errc::no_space)) return status;
  dir.online = false;
  dir.failure = status.error();
  return {};
}

}  // namespace

void LoadJob::run(fs::Disk& disk) {
  auto loaded = Log::load(disk, path, where, options, report);
  if (!loaded) {
    error = loaded.error();
    return;
  }
  log = std::move(*loaded);
  log->set_high_watermark(std::clamp(high_watermark, log->start_offset(), log->end_offset()));
}

LogSet::LogSet(fs::Disk& disk, std::vector<std::string> paths) : disk_(disk) {
  for (auto& path : paths) {
    LogDir dir;
    dir.path = std::move(path);
    dirs_.push_back(std::move(dir));
  }
}

Result<OffsetCheckpoint> LogSet::read_offsets(const LogDir& dir, std::string_view name) {
  const std::string path = fs::join(dir.path, name);
  const auto contents = fs::read_file(disk_, path);
  if (!contents) {
    if (contents.error().code == Errc::not_found) return OffsetCheckpoint{};
    return contents.error();
  }
  auto offsets = parse_offset_checkpoint(*contents, path);
  // A checkpoint is a hint: without it more is recovered, nothing is lost.
  if (!offsets) return OffsetCheckpoint{};
  return offsets;
}

Status LogSet::open_dir(LogDir& dir) {
  if (auto status = make_durable(disk_, dir.path); !status) return status;
  auto lock = disk_.lock(fs::join(dir.path, ".lock"));
  if (!lock) return lock.error();
  dir.lock = std::move(*lock);
  dir.clean = fs::exists(disk_, fs::join(dir.path, kCleanShutdown));
  const std::string meta = fs::join(dir.path, kMetaProperties);
  if (const auto contents = fs::read_file(disk_, meta)) {
    auto identity = parse_meta_properties(*contents, meta);
    if (!identity) return identity.error();
    dir.identity = std::move(*identity);
  } else if (contents.error().code != Errc::not_found) {
    return contents.error();
  }
  for (const auto& [name, target] : {std::pair{kRecoveryPoints, &dir.recovery_points},
                                     {kLogStarts, &dir.log_starts},
                                     {kHighWatermarks, &dir.high_watermarks}}) {
    auto offsets = read_offsets(dir, name);
    if (!offsets) return offsets.error();
    *target = std::move(*offsets);
  }
  return {};
}

Status LogSet::open() {
  std::optional<base::Error> last;
  for (LogDir& dir : dirs_) {
    if (auto status = without(dir, open_dir(dir)); !status) return status;
    if (dir.failure) last = dir.failure;
  }
  if (any_online()) return {};
  return make_error(Errc::io, "none of the {} log directories can be used: {}", dirs_.size(),
                    last ? last->context : "none is given");
}

Result<std::int32_t> LogSet::stored_broker_id() const {
  std::int32_t id = -1;
  for (const LogDir& dir : dirs_) {
    if (!dir.online || dir.identity.broker_id < 0) continue;
    if (id >= 0 && dir.identity.broker_id != id)
      return make_error(Errc::invalid_argument, "{} belongs to broker {}, another log directory to broker {}",
                        dir.path, dir.identity.broker_id, id);
    id = dir.identity.broker_id;
  }
  return id;
}

Status LogSet::claim(std::int32_t broker_id, const std::string& cluster_id, std::string_view date_comment) {
  for (LogDir& dir : dirs_) {
    if (!dir.online) continue;
    if (auto status = without(dir, claim_dir(dir, broker_id, cluster_id, date_comment)); !status)
      return status;
  }
  return {};
}

Status LogSet::claim_dir(LogDir& dir, std::int32_t broker_id, const std::string& cluster_id,
                         std::string_view date_comment) {
  if (dir.identity.broker_id >= 0 && dir.identity.broker_id != broker_id)
    return make_error(
        Errc::invalid_argument,
        "{}/meta.properties names broker {}, this is broker {}: use its own log.dirs, or remove the "
        "file if the data may change hands",
        dir.path, dir.identity.broker_id, broker_id);
  if (!dir.identity.cluster_id.empty() && dir.identity.cluster_id != cluster_id)
    return make_error(Errc::invalid_argument,
                      "{}/meta.properties names cluster {}, zookeeper.connect leads to cluster {}", dir.path,
                      dir.identity.cluster_id, cluster_id);
  if (dir.identity.broker_id == broker_id && dir.identity.cluster_id == cluster_id) return {};
  dir.identity.broker_id = broker_id;
  dir.identity.cluster_id = cluster_id;
  return fs::write_checkpoint(disk_, fs::join(dir.path, kMetaProperties),
                              format_meta_properties(dir.identity, date_comment));
}

Status LogSet::scan_dir(std::size_t index, std::vector<LoadJob>& out) {
  LogDir& dir = dirs_[index];
  const auto entries = disk_.list(dir.path);
  if (!entries) return entries.error();
  for (const auto& entry : *entries) {
    if (!entry.is_directory || entry.name == kRemoteIndexCacheDir) continue;
    const std::string path = fs::join(dir.path, entry.name);
    const auto name = parse_partition_dir(entry.name);
    // A file system's own directory at a mount point is not ours to judge.
    if (!name && entry.name == "lost+found") continue;
    if (!name)
      return make_error(
          Errc::invalid_argument,
          "{} is not the directory of a partition (topic-partition, or topic-partition.uniqueId-delete): "
          "move it out of {}",
          path, dir.path);
    if (name->kind == DirKind::deleted) leftovers_.push_back({{}, path});
    if (name->kind != DirKind::partition && name->kind != DirKind::future) continue;
    LoadJob job;
    job.future = name->kind == DirKind::future;
    job.dir = index;
    job.path = path;
    job.where = {name->topic, name->partition};
    const auto offset_of = [&job](const OffsetCheckpoint& offsets) {
      const auto it = offsets.find(job.where);
      return it == offsets.end() ? std::int64_t{0} : it->second;
    };
    job.options.clean = dir.clean;
    job.options.recovery_point = offset_of(dir.recovery_points);
    job.options.log_start = offset_of(dir.log_starts);
    job.high_watermark = offset_of(dir.high_watermarks);
    out.push_back(std::move(job));
    ++dir.logs;
  }
  return {};
}

Result<std::vector<LoadJob>> LogSet::load_jobs(
    const std::function<LogConfig(const TopicPartition&)>& config_of, std::int64_t now_ms) {
  std::vector<LoadJob> jobs;
  for (std::size_t i = 0; i < dirs_.size(); ++i) {
    if (!dirs_[i].online) continue;
    if (auto status = without(dirs_[i], scan_dir(i, jobs)); !status) return status.error();
  }
  std::map<std::pair<TopicPartition, bool>, std::string> seen;
  for (LoadJob& job : jobs) {
    const auto [it, fresh] = seen.emplace(std::pair(job.where, job.future), job.path);
    if (!fresh)
      return make_error(Errc::invalid_argument, "{} and {} are the same partition: move one away", it->second,
                        job.path);
    job.options.config = config_of(job.where);
    job.options.now_ms = now_ms;
  }
  return jobs;
}

Status LogSet::forget_clean_shutdown() {
  for (LogDir& dir : dirs_) {
    if (!dir.online) continue;
    if (auto status = without(dir, forget_clean_shutdown(dir)); !status) return status;
  }
  return {};
}

Status LogSet::forget_clean_shutdown(LogDir& dir) {
  const auto status = disk_.unlink(fs::join(dir.path, kCleanShutdown));
  if (!status && status.error().code != Errc::not_found) return status;
  // Also when it is gone already: a start may have removed it and failed to make that last.
  return disk_.sync_dir(dir.path);
}

Result<std::size_t> LogSet::place() const {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < dirs_.size(); ++i)
    if (dirs_[i].online && (!best || dirs_[i].logs < dirs_[*best].logs)) best = i;
  if (!best) return make_error(Errc::io, "no log directory is online");
  return *best;
}

std::string LogSet::path_for(std::size_t dir, const TopicPartition& where) const {
  return fs::join(dirs_[dir].path, partition_dir(where.topic, where.partition));
}

std::string LogSet::future_path_for(std::size_t dir, const TopicPartition& where,
                                    std::string_view unique) const {
  return fs::join(dirs_[dir].path, renamed_dir(where.topic, where.partition, unique, "-future"));
}

std::optional<std::size_t> LogSet::find(std::string_view path) const {
  for (std::size_t i = 0; i < dirs_.size(); ++i)
    if (dirs_[i].path == path) return i;
  return std::nullopt;
}

Status LogSet::write_offsets(std::size_t dir, std::string_view name, const OffsetCheckpoint& offsets) {
  return fs::write_checkpoint(disk_, fs::join(dirs_[dir].path, name), format_offset_checkpoint(offsets));
}

Status LogSet::write_high_watermarks(std::size_t dir, const OffsetCheckpoint& offsets) {
  return write_offsets(dir, kHighWatermarks, offsets);
}

Status LogSet::write_recovery_points(std::size_t dir, const OffsetCheckpoint& offsets) {
  return write_offsets(dir, kRecoveryPoints, offsets);
}

Status LogSet::write_log_starts(std::size_t dir, const OffsetCheckpoint& offsets) {
  return write_offsets(dir, kLogStarts, offsets);
}

Status LogSet::mark_clean(std::size_t dir, std::int64_t broker_epoch) {
  return fs::write_checkpoint(disk_, fs::join(dirs_[dir].path, kCleanShutdown),
                              format_clean_shutdown(broker_epoch));
}

bool LogSet::any_online() const {
  return std::any_of(dirs_.begin(), dirs_.end(), [](const LogDir& dir) { return dir.online; });
}

bool LogSet::all_read() const {
  return std::none_of(dirs_.begin(), dirs_.end(), [](const LogDir& dir) { return dir.failure.has_value(); });
}

bool LogSet::all_online() const {
  return std::all_of(dirs_.begin(), dirs_.end(), [](const LogDir& dir) { return dir.online; });
}

}  // namespace tandem::broker::log
