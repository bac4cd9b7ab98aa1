// GroupService: the group coordinator core on its home thread (shard 0), with what it needs around it:
// records go to the owner of their __consumer_offsets partition and come back when committed, partitions are
// loaded when this broker becomes their leader and served once what was loaded is committed. Handlers speak
// to it from any thread; answers come on the home thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>

#include "broker/api/replicas.h"
#include "broker/group/coordinator.h"
#include "net/executors.h"
#include "net/timer.h"

namespace tandem::broker::api {

inline constexpr std::string_view kOffsetsTopic = "__consumer_offsets";

class GroupService {
 public:
  struct Options {
    group::GroupOptions core;
    base::milliseconds commit_timeout{5000};  // offsets.commit.timeout.ms
    std::uint64_t seed = 1;
  };
  using OnJoin = std::function<void(protocol::JoinGroupResponse)>;
  using OnSync = std::function<void(protocol::SyncGroupResponse)>;
  using OnCommit = std::function<void(protocol::OffsetCommitResponse)>;

  GroupService(const base::Clock& clock, logging::Logger log, Shards& shards, Replicas& replicas,
               Options options);
  ~GroupService();  // after the shards have stopped

  void start();  // any thread, once the shards run
  // What Replicas tells of internal topics; on the owner's thread.
  void on_leadership(Replica& replica, bool leader);
  void on_topic_deleted(const std::string& topic);

  // Runs the task with the core on the home thread: here and now when this is it.
  using Task = std::function<void(group::GroupCoordinator&, group::Now)>;
  void run(Task task);
  void join(group::Caller caller, protocol::JoinGroupRequest request, std::int16_t version, OnJoin done);
  void sync(protocol::SyncGroupRequest request, OnSync done);
  void commit(protocol::OffsetCommitRequest request, std::int16_t version, OnCommit done);

  std::int32_t partition_of(std::string_view group) const {
    return group::partition_of(group, options_.core.partitions);
  }

 private:
  struct Core;  // of the home thread
  struct Load;
  class Commit;
  class Settling;

  group::Now now() const { return {clock_.now(), clock_.wall()}; }
  void run_here(const Task& task);
  void perform();
  void append(group::Append append);
  void append_at_owner(const group::Append& append);
  void appended(std::uint64_t id, protocol::ErrorCode error);
  void load_next(std::shared_ptr<Load> load);
  void read_at_owner(std::shared_ptr<Load> load);
  void decode(Load& load);
  void replay(std::shared_ptr<Load> load);
  void settle(std::shared_ptr<Load> load);
  void settled(std::shared_ptr<Load> load);

  const base::Clock& clock_;
  logging::Logger log_;
  Shards& shards_;
  Replicas& replicas_;
  Options options_;
  std::unique_ptr<Core> core_;
  net::ThreadPool loader_;  // reads and decodes what is to be loaded
};

}  // namespace tandem::broker::api
