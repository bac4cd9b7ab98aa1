// Replicas: every partition replica of this broker, by owner shard, and the log directories below them:
// opening and recovering at start, checkpoints, retention, flushes and deletions while it runs, the clean
// end. The server makes it, calls open_dirs(), claim(), load() before the shards start, start() after,
// shutdown() when they have stopped.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/api/control_order.h"
#include "broker/api/deletions.h"
#include "broker/api/disk_sync.h"
#include "broker/api/following.h"
#include "broker/api/recovery_points.h"
#include "broker/api/replica.h"
#include "broker/api/replication_quotas.h"
#include "broker/api/services.h"
#include "broker/api/staged_appends.h"
#include "broker/api/waiting.h"
#include "broker/log/log_set.h"
#include "broker/replica/fetch_session.h"
#include "net/executors.h"

namespace tandem::broker::api {

struct ReplicasOptions {
  std::vector<std::string> log_dirs;
  int recovery_threads = 2;  // for all directories
  int disk_threads = 2;
  std::int64_t retention_check_ms = 300000;
  std::int64_t checkpoint_ms = 60000;                // log.flush.offset.checkpoint.interval.ms
  std::int64_t high_watermark_checkpoint_ms = 5000;  // replica.high.watermark.checkpoint.interval.ms
  std::int64_t producer_expiration_check_ms = 600000;
  std::size_t fetch_session_slots = 1000;         // max.incremental.fetch.session.cache.slots
  base::milliseconds lag_max{30000};              // replica.lag.time.max.ms
  bool flush_on_ack = false;                      // tandem.log.flush.on.ack
  std::uint64_t seed = 1;                         // of fetch sessions' ids and the names of what is deleted
  replica::QuotaWindows quota_windows = {};       // replication.quota.window.*
  replica::QuotaWindows move_quota_windows = {};  // alter.log.dirs.replication.quota.window.*
  bool rack_aware = false;  // replica.selector.class: consumers may be sent to a follower in their rack
  // Settings of a topic; called on any thread.
  std::function<log::LogConfig(const std::string& topic)> config_of;
  // A log was made for a topic, whose settings in the tree may be new: no notification tells them. Any
  // thread.
  std::function<void(const std::string& topic)> on_created = {};
  // A log directory is gone; called on any thread. All gone: the process should end.
  std::function<void(const std::string& dir, bool all)> on_dir_failure;
  // The controller should ask which replicas have failed, or have not any more. Any thread.
  std::function<void()> on_replica_failure = {};
};

// Leadership of a partition of an internal topic changed: the coordinators load or unload. On the owner's
// thread.
using OnLeadership = std::function<void(Replica& replica, bool leader)>;

class Replicas {
 public:
  using Where = log::TopicPartition;

  Replicas(const base::Clock& clock, logging::Logger log, Shards& shards, Node& node, fs::Disk& disk,
           ReplicasOptions options);
  ~Replicas();

  // ---- life, on the server's thread ----
  base::Status open_dirs();
  base::Result<std::int32_t> stored_broker_id() const { return logs_.stored_broker_id(); }
  base::Status claim(const std::string& date_comment);  // node.broker_id and node.cluster_id are known
  base::Status load();
  void start();
  // After the shards stopped: closes and syncs all logs, writes checkpoints and the marker of a clean stop.
  base::Status shutdown();
  void on_leadership(OnLeadership callback) { on_leadership_ = std::move(callback); }  // before start()
  // What works for partitions with replicas elsewhere; before start(). They end before the shards do.
  void attach(Following* following, IsrKeeper* keeper, FollowerProbes* probes = nullptr) {
    following_ = following;
    keeper_ = keeper;
    probes_ = probes;
  }

  // ---- on the owner's thread ----
  Replica* find(std::string_view topic, std::int32_t partition);
  std::size_t owner(std::string_view topic, std::int32_t partition) const {
    return shards_.owner(topic, partition);
  }
  // Whether what a controller asks comes in the order in which it was sent; asked before each of the next
  // verbs. Where it does not, nothing is done.
  bool in_order(std::size_t shard, const ControlMark& mark) { return state_[shard]->control.admits(mark); }
  protocol::ErrorCode become(const replica::Partition::State& state, const std::string& topic,
                             const protocol::Uuid& topic_id);
  // Makes the logs of those that are to be here and are not, at the same time, for become() to find. Gives
  // those that could not be made, which are not to be tried again.
  struct Wanted {
    const replica::Partition::State& state;
    const std::string& topic;
    const protocol::Uuid& topic_id;
  };
  std::set<Where> make_logs(const std::vector<Wanted>& wanted);
  // As become(), where the tree has said that the topic of this name has this id: a log that is of another
  // id is of a topic that was deleted while this broker was away, and goes first.
  protocol::ErrorCode replace(const replica::Partition::State& state, const std::string& topic,
                              const protocol::Uuid& topic_id);
  // Once for all logs that become() and replace() have made on this shard: their directories are there after
  // a power cut. False when a log directory failed: then all logs of this shard in it have failed.
  bool sync_made(std::size_t shard);
  protocol::ErrorCode stop(const std::string& topic, std::int32_t partition, std::int32_t leader_epoch,
                           bool remove);
  // The controller has told the whole cluster, in this leader epoch, that all replicas of the partition are
  // on other brokers: one that is here is stopped, and its log kept.
  void leave(const std::string& topic, const protocol::Uuid& topic_id, std::int32_t partition,
             std::int32_t leader_epoch);
  // A follower fetched: its progress, what waits for it, and whether it is in sync again.
  void on_follower_fetch(Replica& replica, std::int32_t follower, const replica::Partition::Fetched& fetched);
  // Asks for the in-sync sets of this shard without those that lag, and without suspects.
  void shrink_isrs(std::size_t shard, bool lagging);
  // AlterReplicaLogDirs: a copy grows in `path` and takes the log's place once it has all of it.
  protocol::ErrorCode move(const std::string& topic, std::int32_t partition, const std::string& path);
  void on_cut(Replica& replica);  // its log was truncated: so is the copy
  void after_append(Replica& replica, std::int64_t now_ms);
  void on_log_failure(Replica& replica, const base::Error& error);
  // What its leader sent does not continue its log: nothing is fetched before the next leader epoch.
  void on_misfit(const Replica& replica, const base::Error& error);
  // A read at `offset` found bytes that are not what was written. A follower cuts them off and fetches them
  // again; a leader makes room for another that has them. Where there is none, that read fails and the rest
  // is served.
  void on_damage(Replica& replica, std::int64_t offset, const base::Error& error);
  void flush_later(Replica& replica, log::FlushWork work);
  // Once all that the log has now is durable, and what was cut off it gone, if acknowledgements wait for
  // that; or its sync has failed: `then` sees which.
  void when_durable(Replica& replica, std::function<void()> then);
  // `then`, on this thread, once what is written down does not say that the log is whole beyond `offset`:
  // after a power cut no recovery would look at what a cut there leaves behind, or at what comes in its
  // place.
  void before_cut(Replica& replica, std::int64_t offset, std::function<void()> then);
  // A log is gone, or begins anew: what is written down must not say any more where it begins, or that it is
  // whole up to somewhere, or the next recovery would take that for true of what comes in its place.
  void checkpoint_soon();
  record::Validated& scratch(std::size_t shard) { return state_[shard]->scratch; }
  StagedAppends& staged(std::size_t shard) { return state_[shard]->staged; }
  Delays& delays(std::size_t shard) { return *state_[shard]->delays; }
  replica::FetchSessions& sessions(std::size_t shard) { return state_[shard]->sessions; }
  bool may_delete() const { return true; }
  bool rack_aware() const { return options_.rack_aware; }
  ReplicationQuotas& quotas() { return quotas_; }
  const ReplicationQuotas& quotas() const { return quotas_; }

  // ---- any thread ----
  const base::Clock& clock() const { return clock_; }
  bool flush_on_ack() const { return options_.flush_on_ack; }
  Shards& shards() { return shards_; }
  void heard(std::int32_t follower) {
    if (probes_ != nullptr) probes_->heard(follower);
  }
  // The metadata does not name these brokers any more: no watermark waits for those of them that are not in
  // sync.
  void on_brokers_gone(const std::set<std::int32_t>& gone);
  // This broker shuts down: it follows no new leader of a partition in whose in-sync set it is not, so that
  // it does not come back into one that it has just left.
  void begin_shutdown() { leaving_ = true; }
  // Whether the sender is the newest controller seen; remembers its epoch.
  bool accept_controller(std::int32_t controller_epoch);
  void config_changed(const std::string& topic);  // asks config_of again; "": of all topics
  struct Known {
    std::string topic;
    std::int32_t partition;
    std::uint64_t size;
    std::int64_t lag;
    bool future = false;
  };
  struct DirStatus {
    std::string path;
    bool online = true;
    std::vector<Known> logs;
    fs::DiskSpace space;
  };
  std::vector<DirStatus> dir_status();

 private:
  struct ShardState {
    explicit ShardState(base::Random random, std::size_t slots) : sessions(random, slots) {}
    struct Hash {
      using is_transparent = void;
      std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    std::unordered_map<std::string, std::unordered_map<std::int32_t, std::shared_ptr<Replica>>, Hash,
                       std::equal_to<>>
        topics;
    ControlOrder control;
    Deletions deletions;
    record::Validated scratch;
    StagedAppends staged;
    replica::FetchSessions sessions;
    std::unique_ptr<Delays> delays;
    std::unique_ptr<DiskSync> sync;  // null unless acknowledgements wait for the disk
    std::unique_ptr<net::Timer> tick;
    base::Instant next_retention{};
    base::Instant next_expiration{};
    base::Instant next_lag_check{};
    std::set<std::size_t> made_in;  // log directories with logs that are new, until sync_made()
    std::set<Replica*> moving;      // those with a copy under way
  };
  void add(std::shared_ptr<Replica> replica);
  struct NewLog;
  protocol::ErrorCode check_new(const replica::Partition::State& state, const std::string& topic,
                                const protocol::Uuid& topic_id);
  base::Result<NewLog> place(const Wanted& wanted);
  void make_beside(std::map<Where, NewLog>& logs);
  Replica* take_in(NewLog made);  // null: it could not be made
  bool put_away(NewLog& made);
  void install(log::LoadJob& job);
  void install_copy(log::LoadJob& job);
  void follow_or_not(Replica& replica);
  void ask_isr(Replica& replica, replica::IsrChange change);
  void on_isr_answered(Replica& replica, const replica::IsrChange& asked, protocol::ErrorCode error,
                       const replica::IsrChange& now);
  void tell_notes(log::Log& log);
  void make_syncs();
  void on_synced(Replica& replica, const base::Status& status);
  // ---- moves, on the owner's thread ----
  void begin_move(Replica& replica, std::shared_ptr<log::Log> copy, std::size_t dir);
  void move_on(Replica& replica);
  void copy_some(Replica& replica);
  void copied(Replica& replica, const std::shared_ptr<log::Log>& copy, std::uint64_t cuts,
              std::string_view bytes);
  void sync_copy(Replica& replica);
  void swap_in(Replica& replica);
  void drop_move(Replica& replica);                         // the copy goes
  std::shared_ptr<log::Log> forget_move(Replica& replica);  // its files stay
  void move_failed(Replica& replica, const base::Error& error);
  base::Status align_copy(Replica& replica);
  void tick(std::size_t shard);
  void retain(Replica& replica);
  bool mend(Replica& replica);
  void tell_of_damage(Replica& replica, base::Instant now);
  void delete_later(log::PendingDelete gone, std::int64_t delay_ms);
  void delete_due(bool all);
  void write_checkpoints(bool high_watermarks_only);
  base::Status write_recovery_points(std::size_t dir, const log::OffsetCheckpoint& said);
  void lower_recovery_points(std::size_t dir, const Where& where, std::int64_t offset);
  void checkpoint_tick();
  void dir_failed(std::size_t dir, const base::Error& error);
  void lose_dir(Replica& replica, std::size_t dir, const base::Error& error);  // on the owner's thread
  std::string unique_name();                                                   // 32 hex digits

  const base::Clock& clock_;
  logging::Logger log_;
  Shards& shards_;
  Node& node_;
  fs::Disk& disk_;
  ReplicasOptions options_;
  OnLeadership on_leadership_;
  ReplicationQuotas quotas_;
  Following* following_ = nullptr;
  IsrKeeper* keeper_ = nullptr;
  FollowerProbes* probes_ = nullptr;
  std::atomic<bool> leaving_ = false;
  std::vector<std::unique_ptr<ShardState>> state_;

  std::mutex mutex_;  // guards what follows
  log::LogSet logs_;
  std::map<Where, std::shared_ptr<Replica>> all_;
  std::map<Where, std::size_t> wanted_dirs_;  // of logs that are not here yet, by AlterReplicaLogDirs
  std::set<Where> half_made_;                 // in a directory that failed, which the next start finds
  std::multimap<std::int64_t, log::PendingDelete> deletions_;  // by wall time when due
  RecoveryPoints recovery_points_;
  std::int32_t controller_epoch_ = 0;
  base::Random random_;
  std::mutex checkpoint_mutex_;  // one writer of checkpoint files at a time
  base::Instant next_checkpoint_{};
  base::Instant next_high_watermarks_{};
  std::atomic<bool> checkpoint_queued_{false};
  std::unique_ptr<net::ThreadPool> pool_;
  std::unique_ptr<net::ThreadPool> sync_pool_;  // of acknowledgements, which wait for nothing else
};

}  // namespace tandem::broker::api
