// The two state machines of the controller: partitions (New, Online, Offline) and replicas (New, Online,
// Offline, deletion). Each change first writes the tree under the epoch check, then the ClusterState, then
// gathers the requests that tell the brokers, and sends them at its end. Owned by the Controller; runs inside
// its scripts. Source: Kafka 3.9 ZkPartitionStateMachine, ZkReplicaStateMachine; transitions in
// cluster_state.cc.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/controller/elect.h"
#include "broker/controller/request_batch.h"

namespace tandem::broker::controller {

// A conflict means that another writer was first; reading again resolves it. More rounds than this mean that
// the tree and the cluster disagree for good.
constexpr int kConflictRoundsMax = 10;

struct MachineOptions {
  bool recovery_states = true;
  bool unclean_default = false;  // unclean.leader.election.enable of the broker
};

// In sync by the state and not assigned, the leader excepted; none where nobody else is in sync.
Replicas strangers_in(const PartitionState& state, const zk::ReplicaAssignment& assignment);

class StateMachines {
 public:
  StateMachines(MachineOptions options, ClusterState& state, RequestBatch& batch, ZkPort& zk,
                std::vector<Effect>& effects)
      : options_(options), state_(state), batch_(batch), zk_(zk), effects_(effects) {}

  // ---- partitions ----
  void mark(std::vector<TopicPartition> partitions, PartitionPhase phase);  // New, Offline, NonExistent
  // New partitions get their first state, the others an election; gives what failed.
  Task<std::map<TopicPartition, AdminError>> bring_online(std::vector<TopicPartition> partitions,
                                                          Election election);
  // Every New and Offline partition, those of topics under deletion excepted; of one topic, when named.
  Task<void> bring_pending_online(std::string topic = {});
  // Reads the partition's state anew; false when it cannot be had.
  Task<bool> refresh(TopicPartition partition);
  // Raises the leader epoch, and tells all assigned replicas: those that are being added as new.
  Task<bool> announce(TopicPartition partition);
  // Takes the brokers out of the partition's in-sync set, in one write. Nobody is told yet.
  Task<void> leave_isr(Replicas brokers, TopicPartition partition);
  // While one lives, states are taken as they are in memory, read but a moment ago, and not read again: a
  // write is conditional on the version, and what it finds changed is read. For a controller that takes
  // office.
  class JustRead {
   public:
    explicit JustRead(StateMachines& machines) : machines_(machines) { machines_.just_read_ = true; }
    ~JustRead() {
      machines_.just_read_ = false;
      machines_.changed_since_.clear();
    }
    JustRead(const JustRead&) = delete;
    JustRead& operator=(const JustRead&) = delete;

   private:
    StateMachines& machines_;
  };
  void start_partitions();  // the phases that follow from what the tree says, after a failover

  // ---- replicas ----
  Task<void> change(std::vector<PartitionReplica> replicas, ReplicaPhase phase);
  void stop(const std::vector<PartitionReplica>& replicas);  // their brokers are told, and nothing is written
  Task<void> start_replicas();

  void send();
  void update_metadata(const std::vector<std::int32_t>& brokers,
                       const std::vector<TopicPartition>& partitions);

  // Operations wrapped in the epoch check; results are those of the operations themselves. When the check
  // fails the Controller drops the script, so a result seen here was never refused for the epoch.
  Task<std::vector<zk::ZkResult>> write(std::vector<zk::ZkOp> ops);
  Task<std::vector<zk::ZkResult>> write_groups(std::vector<std::vector<zk::ZkOp>> groups);

  void set_unclean_default(bool enabled) { options_.unclean_default = enabled; }

 private:
  struct Attempt {
    TopicPartition partition;
    PartitionState current;
  };
  using Failures = std::map<TopicPartition, AdminError>;

  Task<Failures> create_states(std::vector<TopicPartition> partitions);
  Task<Failures> elect_leaders(std::vector<TopicPartition> partitions, Election election);
  Task<std::vector<TopicPartition>> elect_once(std::vector<TopicPartition> partitions, Election election,
                                               Failures& failures);
  Task<std::vector<Attempt>> read_states(std::vector<TopicPartition> partitions, Failures& failures);
  void attempt(const TopicPartition& partition, const PartitionState& state, std::vector<Attempt>& out,
               Failures& failures) const;
  void note_failures(const Failures& failures);
  Task<std::map<std::string, bool>> unclean_topics(std::vector<Attempt> attempts);
  ElectionInput election_input(const Attempt& attempt) const;
  bool waits_for_suspect(const PartitionState& state) const;
  Replicas online_replicas(const TopicPartition& partition) const;
  Replicas replicas_there(const TopicPartition& partition) const;  // those that shut down too

  void enter(const PartitionReplica& replica, ReplicaPhase phase);
  void on_new_replica(const PartitionReplica& replica);
  void on_online_replica(const PartitionReplica& replica);
  Task<void> take_offline(std::int32_t broker, std::vector<TopicPartition> partitions);
  Task<void> remove_from_isr(Replicas brokers, std::vector<TopicPartition> partitions,
                             std::vector<TopicPartition>& changed);
  Task<std::vector<TopicPartition>> remove_from_isr_once(Replicas brokers,
                                                         std::vector<TopicPartition> partitions,
                                                         std::vector<TopicPartition>& changed);
  Task<std::vector<TopicPartition>> write_states(std::vector<Attempt> next,
                                                 std::vector<TopicPartition>& written, Failures& failures);
  void note(std::string text) { effects_.emplace_back(Note{std::move(text)}); }

  MachineOptions options_;
  ClusterState& state_;
  RequestBatch& batch_;
  ZkPort& zk_;
  std::vector<Effect>& effects_;
  bool just_read_ = false;
  std::set<TopicPartition> changed_since_;
};

}  // namespace tandem::broker::controller
