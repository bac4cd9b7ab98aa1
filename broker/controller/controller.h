// CORE: the cluster's controller, as every broker runs it. It stands for election in the tree, and while
// elected keeps all partitions led: brokers that come and go, topics made, grown and deleted, leaders that
// change their ISR, administrative requests. One event is worked off at a time, in order; an event is a
// script (script.h) whose writes all carry the epoch check, so that a controller that was replaced changes
// nothing. The shell owns it and performs what take() gives. Source: Kafka 3.9 KafkaController; the order of
// a failover is in failover.cc.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "broker/controller/topic_deletion.h"

namespace tandem::broker::controller {

struct ControllerOptions {
  std::int32_t broker_id = -1;
  ProtocolVersion protocol;
  std::string listener = "PLAINTEXT";          // by which brokers reach each other
  std::string control_listener = "PLAINTEXT";  // by which the controller reaches them: control plane, if any
  bool delete_topics = true;                   // delete.topic.enable
  bool unclean_election = false;               // unclean.leader.election.enable
  bool auto_rebalance = true;                  // auto.leader.rebalance.enable
  base::milliseconds rebalance_interval{300'000};
  int imbalance_percent = 10;
  std::int32_t default_partitions = 1;
  std::int32_t default_replication_factor = 1;
  bool suspect_brokers = true;     // tandem.suspect.brokers
  bool suspect_controller = true;  // tandem.suspect.controller
  bool take_over_own = true;       // tandem.registration.takeover: of an earlier process of this broker
};

struct ControllerStatus {
  bool active = false;
  std::int32_t active_id = -1;  // -1: none is known
  std::int32_t epoch = 0;
  std::size_t topics = 0;
  std::size_t partitions = 0;
  std::size_t offline_partitions = 0;
  std::size_t topics_to_delete = 0;
  std::size_t queued_events = 0;
};

class Controller {
 public:
  Controller(ControllerOptions options, base::Random random);

  // A session exists and this broker is registered in it: stand for election. Again after each new session.
  void on_session(std::int64_t session, base::Instant now, base::WallTime wall);
  // The session is gone, and with it every ephemeral node and watch: nothing of the office remains.
  void on_session_lost();
  void on_watch(const std::string& path, zk::ZkEvent event, base::Instant now);
  void on_results(std::uint64_t batch, std::vector<zk::ZkResult> results, base::Instant now);
  using Answer = std::variant<protocol::LeaderAndIsrResponse, protocol::UpdateMetadataResponse,
                              protocol::StopReplicaResponse>;
  void on_answer(std::int32_t broker, std::uint64_t send_id, Answer answer, base::Instant now);
  // What was sent to the broker and not answered is lost: it is treated as one that has started anew.
  void on_link_full(std::int32_t broker, base::Instant now);
  // Of a broker that is observed (WatchBroker): its listener refuses, its earlier connection having ended; or
  // it takes connections again and has kept one.
  void on_reachability(std::int32_t broker, std::int64_t epoch, bool refuses, base::Instant now);
  void request(RequestToken token, ControllerRequest request, base::Instant now);
  void set_unclean_default(bool enabled);
  void on_unclean_enabled(std::string topic);  // unclean.leader.election.enable of the topic became true
  void on_deadline(base::Instant now);
  std::optional<base::Instant> next_deadline() const;

  // Gives up the office in good order, before the process ends: the node goes at once, not with the session.
  void stop(base::Instant now);

  std::vector<Effect> take();
  ControllerStatus status() const;
  bool active() const { return active_; }
  std::int32_t active_id() const { return active_id_; }  // -1: none is known
  const ClusterState& state() const { return state_; }

 private:
  // ---- events, in the order in which they are worked off ----
  struct Stand {};           // look at /controller, and stand for election when it is absent
  struct HolderChanged {};   // /controller was created or written
  struct BrokersChanged {};  // children of /brokers/ids
  struct BrokerModified {    // data of /brokers/ids/N
    std::int32_t broker;
  };
  struct BrokerDeaf {  // too many requests wait for it
    std::int32_t broker;
  };
  struct Reachability {
    std::int32_t broker;
    std::int64_t epoch;
    bool refuses;
  };
  struct TopicsChanged {};
  struct TopicModified {
    std::string topic;
  };
  struct DeletionAsked {};
  struct LogDirsFailed {};
  struct IsrNotified {};
  struct PreferredAsked {};
  struct ReassignmentAsked {};
  struct UncleanEnabled {
    std::string topic;  // "": by default
  };
  struct RebalanceDue {};
  // What a broker answered, as the one that had registered with this epoch.
  struct LeadershipAnswered {
    std::int32_t broker;
    std::int64_t broker_epoch;
    std::set<TopicPartition> failed;  // in an offline log directory
    std::set<TopicPartition> fine;
  };
  struct ReplicasDeleted {
    std::int32_t broker;
    std::int64_t broker_epoch;
    std::vector<PartitionReplica> deleted;
    std::vector<PartitionReplica> failed;
  };
  struct Asked {
    RequestToken token;
    ControllerRequest request;
  };
  struct Leave {};
  using Event = std::variant<Stand, HolderChanged, BrokersChanged, BrokerModified, BrokerDeaf, Reachability,
                             TopicsChanged, TopicModified, DeletionAsked, LogDirsFailed, IsrNotified,
                             PreferredAsked, ReassignmentAsked, UncleanEnabled, RebalanceDue,
                             LeadershipAnswered, ReplicasDeleted, Asked, Leave>;

  void put(Event event);
  void pump();
  Task<void> handle(Event event);
  Task<void> handle_active(Event event);
  Task<void> handle_request(Asked asked);
  Task<void> handle_alter_partition(RequestToken token, protocol::AlterPartitionRequest request);
  Task<void> handle_admin(Asked asked);
  void resign();

  // ---- lease.cc ----
  Task<void> stand();
  struct Epoch {  // of /controller_epoch, and the version of the node
    std::int32_t number = 0;
    std::int32_t version = 0;
  };
  Task<bool> win();
  Task<bool> seize(Epoch current, bool standing);
  Task<void> begin();
  Task<void> leave();

  // ---- suspicion.cc ----
  Task<void> on_reachability_seen(Reachability seen);
  Task<void> suspect(Reachability seen);
  Task<void> trust(Reachability seen);
  void count_out(std::int32_t broker, std::int64_t epoch);
  void count_out_seen();
  Task<void> watch_holder();
  void unwatch_holder();
  Task<void> take_over(Reachability seen);
  Task<void> take_over_own_office();

  // ---- failover.cc ----
  Task<void> fail_over();
  Task<void> set_up_features();
  Task<void> drop_notifications(std::string root);
  Task<void> load_brokers();
  Task<std::map<std::int32_t, LiveBroker>> read_brokers();
  Task<void> load_topics();
  Task<std::vector<TopicPartition>> load_states();
  Task<void> replace_leaders(std::vector<TopicPartition> partitions);
  bool has_left(const Partition& partition, std::int64_t written) const;
  Task<void> load_deletions();

  // ---- membership.cc ----
  Task<void> on_brokers_changed();
  Task<void> on_broker_modified(std::int32_t broker);
  Task<void> on_broker_deaf(std::int32_t broker);
  Task<void> restart_brokers(std::map<std::int32_t, LiveBroker> brokers);
  Task<void> on_brokers_up(std::set<std::int32_t> brokers);
  Task<void> on_brokers_down(std::set<std::int32_t> brokers);
  Task<void> on_replicas_offline(std::vector<PartitionReplica> replicas);
  struct Notifications {
    std::vector<zk::ZkResult> found;
    std::vector<zk::ZkOp> removals;
  };
  Task<Notifications> read_notifications(std::string root);
  Task<void> on_log_dirs_failed();
  Task<void> on_leadership_answered(LeadershipAnswered answered);
  Task<void> on_replicas_deleted(ReplicasDeleted answered);
  Task<protocol::ControlledShutdownResponse> shut_down(protocol::ControlledShutdownRequest request);
  void connect(std::int32_t broker);
  void watch(std::int32_t broker);

  // ---- topic_events.cc ----
  Task<void> on_topics_changed();
  Task<void> on_topic_modified(std::string topic);
  Task<void> on_deletion_asked();
  Task<void> create_partitions(std::vector<TopicPartition> partitions);
  Task<bool> read_topics(std::vector<std::string> names, std::vector<TopicPartition>& fresh);
  Task<void> give_ids(std::vector<std::string> names);

  // ---- isr_changes.cc, elections.cc ----
  Task<protocol::AlterPartitionResponse> alter_partition(protocol::AlterPartitionRequest request);
  struct IsrChange;
  Task<void> write_isrs(std::vector<IsrChange> changes, protocol::AlterPartitionResponse& response);
  Task<void> read_states(std::vector<TopicPartition> partitions);
  Task<void> on_isr_notified();
  Task<void> expel_strangers(TopicPartition partition);
  Task<void> on_preferred_asked();
  Task<void> rebalance();
  AdminError election_fault(const TopicPartition& partition, bool unclean) const;
  Task<protocol::ElectLeadersResponse> elect_leaders(protocol::ElectLeadersRequest request);
  Task<protocol::AllocateProducerIdsResponse> allocate_ids(protocol::AllocateProducerIdsRequest request);

  // ---- reassignments.cc, features.cc ----
  Task<protocol::AlterPartitionReassignmentsResponse> alter_reassignments(
      protocol::AlterPartitionReassignmentsRequest request);
  protocol::ListPartitionReassignmentsResponse list_reassignments(
      const protocol::ListPartitionReassignmentsRequest& request) const;
  Task<void> on_reassignment_asked();
  Task<void> forget_tree_reassignments(std::set<TopicPartition> partitions, const Replicas* goal);
  Task<void> resume_reassignments(std::set<std::int32_t> brokers);  // that lead to one of them; none: all
  Task<void> finish_reassignments(std::vector<TopicPartition> partitions);
  Task<bool> has_moved(TopicPartition partition, ReplicaAssignment assignment);
  Task<AdminError> reassign(TopicPartition partition, ReplicaAssignment wanted);
  Task<AdminError> strands(TopicPartition partition, ReplicaAssignment wanted);
  Task<AdminError> set_assignment(TopicPartition partition, ReplicaAssignment wanted);
  Task<bool> write_assignment(TopicPartition partition, ReplicaAssignment assignment);
  Task<void> remove_replicas(TopicPartition partition, Replicas brokers);
  Task<void> complete(TopicPartition partition, ReplicaAssignment moved);
  Task<protocol::UpdateFeaturesResponse> update_features(protocol::UpdateFeaturesRequest request);

  // ---- topic_admin.cc ----
  Task<TopicsCreated> create_topics(CreateTopics request);
  Task<TopicCreated> create_topic(TopicToCreate topic, bool validate_only);
  Task<AdminError> name_is_free(std::string name);
  Task<TopicErrors> delete_topics(DeleteTopics request);
  Task<TopicErrors> grow_topics(CreatePartitions request);
  Task<AdminError> grow_topic(GrowTopic topic, bool validate_only);
  AssignResult extension(const GrowTopic& grow, const zk::TopicAssignment& known);
  std::vector<AssignableBroker> assignable_brokers() const;

  // ---- answers that wait until this broker's own metadata shows what was done ----
  struct Waiting {
    RequestToken token;
    ControllerReply reply;
    std::uint64_t metadata_id;  // of the UpdateMetadata to ourselves
    base::Instant deadline;
  };
  void reply(RequestToken token, ControllerReply reply);
  void reply_when_known(RequestToken token, ControllerReply reply, base::milliseconds timeout);
  void refuse(RequestToken token, const ControllerRequest& request);

  ControllerOptions options_;
  base::Random random_;
  bool active_ = false;
  std::int32_t active_id_ = -1;
  std::int64_t session_ = 0;
  base::Instant now_{};
  base::WallTime wall_{};
  base::Instant wall_at_{};
  std::optional<base::Instant> rebalance_at_;
  std::optional<WatchBroker> watched_holder_;  // another broker, while it is the controller

  ClusterState state_;
  ZkPort zk_;
  std::vector<Effect> effects_;
  RequestBatch batch_;
  StateMachines machines_;
  TopicDeletion deletion_;
  std::deque<Event> events_;
  Task<void> script_;
  std::map<RequestToken, ControllerRequest> asked_;  // not yet answered
  std::vector<Waiting> waiting_;
  struct SentRequest {
    std::int32_t broker;
    std::optional<protocol::StopReplicaRequest> stop;  // says what its answer is about
  };
  std::map<std::uint64_t, SentRequest> sent_;
  std::uint64_t last_own_metadata_ = 0;
};

// The answer of a broker that is not the controller.
ControllerReply not_controller(const ControllerRequest& request);
// The same answer for every partition that the request names.
protocol::ElectLeadersResponse not_elected(const protocol::ElectLeadersRequest& request,
                                           protocol::ErrorCode error);

}  // namespace tandem::broker::controller
