// LogSet: the log directories of a broker: lock, identity (meta.properties), clean-shutdown marker, what
// partitions lie where, the offset checkpoints, and where a new partition goes. Used by one thread (the
// server's control thread); the logs themselves are loaded by LoadJobs on any threads and then belong to
// their shards.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/log/loader.h"
#include "broker/log/log.h"

namespace tandem::broker::log {

// One log directory as open() found it.
struct LogDir {
  std::string path;
  bool clean = false;
  bool online = true;
  std::optional<base::Error> failure;  // why the start found it offline
  MetaProperties identity;
  OffsetCheckpoint recovery_points;
  OffsetCheckpoint log_starts;
  OffsetCheckpoint high_watermarks;
  std::size_t logs = 0;  // placed here
  std::unique_ptr<fs::Lock> lock;
};

// One partition directory to load. run() may be called on any thread, once.
struct LoadJob {
  std::size_t dir = 0;  // index into LogSet::dirs()
  std::string path;
  TopicPartition where;
  LoadOptions options;
  std::int64_t high_watermark = 0;
  bool future = false;  // *-future: to take the place of the same partition's log in another directory

  std::unique_ptr<Log> log;  // the outcome, or
  std::optional<base::Error> error;
  LoadReport report;

  void run(fs::Disk& disk);
};

class LogSet {
 public:
  LogSet(fs::Disk& disk, std::vector<std::string> paths);

  // Makes what is missing, locks, reads identities and checkpoints; a sub-directory that is no partition
  // refuses the start, as does a lock that another process holds. A directory that cannot be read, or where
  // one of the next steps cannot write, is offline; all offline is an error of open().
  base::Status open();
  // The identity of the cluster: written where missing, refused where it differs. broker_id -1 is not
  // checked.
  base::Result<std::int32_t> stored_broker_id() const;  // -1 where none has one
  base::Status claim(std::int32_t broker_id, const std::string& cluster_id, std::string_view date_comment);
  // The partitions found. `config_of` gives each topic's settings.
  base::Result<std::vector<LoadJob>> load_jobs(
      const std::function<LogConfig(const TopicPartition&)>& config_of, std::int64_t now_ms);
  // Directories left by deletions before the stop (*-delete): to be removed.
  std::vector<PendingDelete> leftovers() const { return leftovers_; }
  // Called when loading has begun: from now on a crash is an unclean stop.
  base::Status forget_clean_shutdown();

  std::vector<LogDir>& dirs() { return dirs_; }
  // The online directory with the fewest logs.
  base::Result<std::size_t> place() const;
  std::string path_for(std::size_t dir, const TopicPartition& where) const;
  std::string future_path_for(std::size_t dir, const TopicPartition& where, std::string_view unique) const;
  std::optional<std::size_t> find(std::string_view path) const;

  // Offsets of all logs of one directory.
  base::Status write_high_watermarks(std::size_t dir, const OffsetCheckpoint& offsets);
  base::Status write_recovery_points(std::size_t dir, const OffsetCheckpoint& offsets);
  base::Status write_log_starts(std::size_t dir, const OffsetCheckpoint& offsets);
  // After every log of the directory was closed and synced.
  base::Status mark_clean(std::size_t dir, std::int64_t broker_epoch);
  void set_offline(std::size_t dir) { dirs_[dir].online = false; }
  bool any_online() const;
  bool all_online() const;
  bool all_read() const;  // online when the start was over

 private:
  base::Status write_offsets(std::size_t dir, std::string_view name, const OffsetCheckpoint& offsets);
  base::Status open_dir(LogDir& dir);
  base::Status claim_dir(LogDir& dir, std::int32_t broker_id, const std::string& cluster_id,
                         std::string_view date_comment);
  base::Status forget_clean_shutdown(LogDir& dir);
  base::Result<OffsetCheckpoint> read_offsets(const LogDir& dir, std::string_view name);
  base::Status scan_dir(std::size_t index, std::vector<LoadJob>& out);

  fs::Disk& disk_;
  std::vector<LogDir> dirs_;
  std::vector<PendingDelete> leftovers_;
};

}  // namespace tandem::broker::log
