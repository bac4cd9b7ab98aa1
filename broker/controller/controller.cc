#include "broker/controller/controller.h"

#include <fmt/core.h>

#include <algorithm>

#include "broker/controller/registration.h"
#include "broker/zk/controller.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {
namespace {

using protocol::ErrorCode;
using zk::ZkCode;
using zk::ZkEvent;
using zk::ZkOp;

// A write that failed on its first part, the check of /controller_epoch: another controller has been elected.
bool fenced_off(const std::vector<zk::ZkResult>& results) {
  return std::any_of(results.begin(), results.end(), [](const zk::ZkResult& result) {
    return !result.parts.empty() && result.parts.front().code == ZkCode::bad_version;
  });
}

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

NamedError refused_topic(const std::string& name) {
  return {name, {ErrorCode::not_controller, "This is not the correct controller for this cluster."}};
}

}  // namespace

protocol::ElectLeadersResponse not_elected(const protocol::ElectLeadersRequest& request,
                                           protocol::ErrorCode error) {
  protocol::ElectLeadersResponse out;
  if (!request.topic_partitions) return out;
  for (const auto& topic : *request.topic_partitions) {
    auto& results = out.replica_election_results.emplace_back();
    results.topic = topic.topic;
    for (const auto number : topic.partitions)
      results.partition_result.push_back({number, error, std::nullopt});
  }
  return out;
}

ControllerReply not_controller(const ControllerRequest& request) {
  return std::visit(Overloaded{
                        [](const protocol::AlterPartitionRequest&) -> ControllerReply {
                          protocol::AlterPartitionResponse out;
                          out.error_code = ErrorCode::not_controller;
                          return out;
                        },
                        [](const protocol::ControlledShutdownRequest&) -> ControllerReply {
                          protocol::ControlledShutdownResponse out;
                          out.error_code = ErrorCode::not_controller;
                          return out;
                        },
                        [](const protocol::AllocateProducerIdsRequest&) -> ControllerReply {
                          protocol::AllocateProducerIdsResponse out;
                          out.error_code = ErrorCode::not_controller;
                          return out;
                        },
                        [](const protocol::AlterPartitionReassignmentsRequest&) -> ControllerReply {
                          protocol::AlterPartitionReassignmentsResponse out;
                          out.error_code = ErrorCode::not_controller;
                          out.error_message = protocol::sentence_of(ErrorCode::not_controller);
                          return out;
                        },
                        [](const protocol::ListPartitionReassignmentsRequest&) -> ControllerReply {
                          protocol::ListPartitionReassignmentsResponse out;
                          out.error_code = ErrorCode::not_controller;
                          out.error_message = protocol::sentence_of(ErrorCode::not_controller);
                          return out;
                        },
                        [](const protocol::ElectLeadersRequest& request) -> ControllerReply {
                          return not_elected(request, ErrorCode::not_controller);
                        },
                        [](const protocol::UpdateFeaturesRequest&) -> ControllerReply {
                          protocol::UpdateFeaturesResponse out;
                          out.error_code = ErrorCode::not_controller;
                          out.error_message = protocol::sentence_of(ErrorCode::not_controller);
                          return out;
                        },
                        [](const CreateTopics& request) -> ControllerReply {
                          TopicsCreated out;
                          for (const auto& topic : request.topics) {
                            out.topics.push_back({topic.name, refused_topic(topic.name).error});
                          }
                          return out;
                        },
                        [](const DeleteTopics& request) -> ControllerReply {
                          TopicErrors out;
                          for (const auto& topic : request.topics) out.topics.push_back(refused_topic(topic));
                          return out;
                        },
                        [](const CreatePartitions& request) -> ControllerReply {
                          TopicErrors out;
                          for (const auto& topic : request.topics)
                            out.topics.push_back(refused_topic(topic.name));
                          return out;
                        },
                    },
                    request);
}

Controller::Controller(ControllerOptions options, base::Random random)
    : options_(std::move(options)),
      random_(random),
      batch_({options_.broker_id, options_.protocol, options_.listener}, state_),
      machines_({options_.protocol.leader_recovery(), options_.unclean_election}, state_, batch_, zk_,
                effects_),
      deletion_(options_.delete_topics, state_, machines_, zk_) {}

// ---- verbs ----

void Controller::on_session(std::int64_t session, base::Instant now, base::WallTime wall) {
  session_ = session;
  now_ = now;
  wall_ = wall;
  wall_at_ = now;
  put(Stand{});
}

void Controller::on_session_lost() {
  zk_.forget();
  script_.reset();
  events_.clear();
  resign();
  active_id_ = -1;
  unwatch_holder();
}

void Controller::on_watch(const std::string& path, ZkEvent event, base::Instant now) {
  now_ = now;
  if (path == zk::kControllerPath) {
    if (event == ZkEvent::deleted) {
      put(Stand{});
    } else {
      put(HolderChanged{});
    }
    return;
  }
  if (!active_) return;
  const std::string ids = std::string(zk::kBrokerIdsPath) + "/";
  const std::string topics = std::string(zk::kTopicsPath) + "/";
  if (path == zk::kBrokerIdsPath) put(BrokersChanged{});
  if (path == zk::kTopicsPath) put(TopicsChanged{});
  if (path == zk::kDeleteTopicsPath) put(DeletionAsked{});
  if (path == zk::kLogDirEventsPath) put(LogDirsFailed{});
  if (path == zk::kIsrChangesPath) put(IsrNotified{});
  // Its removal, by us, is heard too: that sets the watch for the next one.
  if (path == zk::kPreferredElectionPath) put(PreferredAsked{});
  if (path == zk::kReassignPath) put(ReassignmentAsked{});
  if (path.starts_with(ids) && event == ZkEvent::data_changed) {
    for (const auto& [id, broker] : state_.brokers) {
      if (path == zk::broker_path(id)) put(BrokerModified{id});
    }
  }
  if (path.starts_with(topics) && event == ZkEvent::data_changed)
    put(TopicModified{path.substr(topics.size())});
}

void Controller::on_results(std::uint64_t batch, std::vector<zk::ZkResult> results, base::Instant now) {
  now_ = now;
  if (!zk_.awaits(batch)) return;
  if (fenced_off(results)) {
    zk_.forget();
    script_.reset();
    resign();
    put(HolderChanged{});
    return;
  }
  zk_.answer(batch, std::move(results));
  pump();
}

void Controller::on_link_full(std::int32_t broker, base::Instant now) {
  now_ = now;
  put(BrokerDeaf{broker});
}

void Controller::on_reachability(std::int32_t broker, std::int64_t epoch, bool refuses, base::Instant now) {
  now_ = now;
  put(Reachability{broker, epoch, refuses});
}

void Controller::on_answer(std::int32_t broker, std::uint64_t send_id, Answer answer, base::Instant now) {
  now_ = now;
  const auto at = sent_.find(send_id);
  if (at == sent_.end()) return;
  const SentRequest sent = std::move(at->second);
  sent_.erase(at);
  if (const auto* response = std::get_if<protocol::LeaderAndIsrResponse>(&answer)) {
    LeadershipAnswered event{broker, state_.broker_epoch(broker), {}, {}};
    const auto add = [&](const std::string& topic, std::int32_t partition, ErrorCode code) {
      if (code == ErrorCode::kafka_storage_error) event.failed.insert({topic, partition});
      if (code == ErrorCode::none) event.fine.insert({topic, partition});
    };
    for (const auto& error : response->partition_errors)
      add(error.topic_name, error.partition_index, error.error_code);
    for (const auto& topic : response->topics) {
      const auto* name = state_.name_of(topic.topic_id.bytes);
      if (name == nullptr) continue;
      for (const auto& error : topic.partition_errors) add(*name, error.partition_index, error.error_code);
    }
    if (!event.failed.empty() || state_.offline_dirs.contains(broker)) put(std::move(event));
  } else if (const auto* stopped = std::get_if<protocol::StopReplicaResponse>(&answer)) {
    std::map<TopicPartition, ErrorCode> errors;
    for (const auto& error : stopped->partition_errors) {
      errors[{error.topic_name, error.partition_index}] = error.error_code;
    }
    ReplicasDeleted event{broker, state_.broker_epoch(broker), {}, {}};
    for (const auto& topic : sent.stop->topic_states) {
      for (const auto& partition : topic.partition_states) {
        if (!partition.delete_partition) continue;
        const TopicPartition key{topic.topic_name, partition.partition_index};
        const auto code = errors.contains(key) ? errors[key] : stopped->error_code;
        (code == ErrorCode::none ? event.deleted : event.failed).push_back({key, broker});
      }
    }
    if (!event.deleted.empty() || !event.failed.empty()) put(std::move(event));
  }
  if (broker != options_.broker_id) return;
  for (std::size_t i = 0; i < waiting_.size();) {
    if (waiting_[i].metadata_id > send_id) {
      ++i;
      continue;
    }
    reply(waiting_[i].token, std::move(waiting_[i].reply));
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void Controller::request(RequestToken token, ControllerRequest request, base::Instant now) {
  now_ = now;
  if (!active_) {
    refuse(token, request);
    return;
  }
  asked_.emplace(token, request);
  put(Asked{token, std::move(request)});
}

void Controller::set_unclean_default(bool enabled) {
  machines_.set_unclean_default(enabled);
  if (enabled && active_) put(UncleanEnabled{});
}

void Controller::on_unclean_enabled(std::string topic) {
  if (active_) put(UncleanEnabled{std::move(topic)});
}

void Controller::stop(base::Instant now) {
  now_ = now;
  put(Leave{});
}

std::optional<base::Instant> Controller::next_deadline() const {
  std::optional<base::Instant> next = rebalance_at_;
  for (const auto& waiting : waiting_) {
    if (!next || waiting.deadline < *next) next = waiting.deadline;
  }
  return next;
}

void Controller::on_deadline(base::Instant now) {
  now_ = now;
  if (rebalance_at_ && *rebalance_at_ <= now) {
    rebalance_at_ = now + options_.rebalance_interval;
    put(RebalanceDue{});
  }
  for (auto& waiting : std::exchange(waiting_, {})) {
    if (waiting.deadline > now) {
      waiting_.push_back(std::move(waiting));
      continue;
    }
    const auto expire = [](AdminError& error) {
      if (error.ok()) error = {ErrorCode::request_timed_out, ""};
    };
    if (auto* created = std::get_if<TopicsCreated>(&waiting.reply)) {
      for (auto& topic : created->topics) expire(topic.error);
    } else if (auto* errors = std::get_if<TopicErrors>(&waiting.reply)) {
      for (auto& topic : errors->topics) expire(topic.error);
    } else if (auto* elected = std::get_if<protocol::ElectLeadersResponse>(&waiting.reply)) {
      for (auto& topic : elected->replica_election_results) {
        for (auto& partition : topic.partition_result) {
          if (partition.error_code == ErrorCode::none) partition.error_code = ErrorCode::request_timed_out;
        }
      }
    }
    reply(waiting.token, std::move(waiting.reply));
  }
}

std::vector<Effect> Controller::take() {
  std::vector<Effect> out = std::exchange(effects_, {});
  for (const auto& effect : out) {
    const auto* send = std::get_if<Send>(&effect);
    if (send == nullptr) continue;
    SentRequest sent{send->broker, std::nullopt};
    if (const auto* stop = std::get_if<protocol::StopReplicaRequest>(&send->request)) sent.stop = *stop;
    sent_.emplace(send->id, std::move(sent));
  }
  for (auto& batch : zk_.take()) out.emplace_back(std::move(batch));
  return out;
}

ControllerStatus Controller::status() const {
  ControllerStatus out;
  out.active = active_;
  out.active_id = active_id_;
  out.epoch = state_.epoch;
  out.topics = state_.topics.size();
  for (const auto& [name, topic] : state_.topics) {
    out.partitions += topic.partitions.size();
    for (const auto& [number, partition] : topic.partitions) {
      if (state_.deleting.contains(name)) continue;
      const bool led = partition.leadership && state_.is_online(partition.leadership->leader, {name, number});
      if (!led) ++out.offline_partitions;
    }
  }
  out.topics_to_delete = state_.deleting.size();
  out.queued_events = events_.size();
  return out;
}

// ---- the queue ----

void Controller::put(Event event) {
  events_.push_back(std::move(event));
  pump();
}

void Controller::pump() {
  while (!script_.running() && !events_.empty()) {
    Event event = std::move(events_.front());
    events_.pop_front();
    script_ = handle(std::move(event));
    script_.start();
  }
}

Task<void> Controller::handle(Event event) {
  if (std::holds_alternative<Stand>(event) || std::holds_alternative<HolderChanged>(event)) {
    co_await stand();
  } else if (const auto* seen = std::get_if<Reachability>(&event)) {
    co_await on_reachability_seen(*seen);
  } else if (active_) {
    co_await handle_active(std::move(event));
  } else if (const auto* asked = std::get_if<Asked>(&event)) {
    asked_.erase(asked->token);
    refuse(asked->token, asked->request);
  }
}

Task<void> Controller::handle_active(Event event) {
  if (std::holds_alternative<BrokersChanged>(event)) co_await on_brokers_changed();
  if (const auto* modified = std::get_if<BrokerModified>(&event))
    co_await on_broker_modified(modified->broker);
  if (const auto* deaf = std::get_if<BrokerDeaf>(&event)) co_await on_broker_deaf(deaf->broker);
  if (std::holds_alternative<TopicsChanged>(event)) co_await on_topics_changed();
  if (const auto* grown = std::get_if<TopicModified>(&event)) co_await on_topic_modified(grown->topic);
  if (std::holds_alternative<DeletionAsked>(event)) co_await on_deletion_asked();
  if (std::holds_alternative<LogDirsFailed>(event)) co_await on_log_dirs_failed();
  if (std::holds_alternative<IsrNotified>(event)) co_await on_isr_notified();
  if (std::holds_alternative<PreferredAsked>(event)) co_await on_preferred_asked();
  if (std::holds_alternative<ReassignmentAsked>(event)) co_await on_reassignment_asked();
  if (auto* enabled = std::get_if<UncleanEnabled>(&event))
    co_await machines_.bring_pending_online(std::move(enabled->topic));
  if (std::holds_alternative<RebalanceDue>(event)) co_await rebalance();
  if (auto* answered = std::get_if<LeadershipAnswered>(&event))
    co_await on_leadership_answered(std::move(*answered));
  if (auto* stopped = std::get_if<ReplicasDeleted>(&event)) co_await on_replicas_deleted(std::move(*stopped));
  if (auto* asked = std::get_if<Asked>(&event)) co_await handle_request(std::move(*asked));
  if (std::holds_alternative<Leave>(event)) co_await leave();
}

Task<void> Controller::handle_request(Asked asked) {
  const auto token = asked.token;
  if (auto* alter = std::get_if<protocol::AlterPartitionRequest>(&asked.request)) {
    co_await handle_alter_partition(token, std::move(*alter));
  } else if (auto* shutdown = std::get_if<protocol::ControlledShutdownRequest>(&asked.request)) {
    auto answer = co_await shut_down(std::move(*shutdown));
    reply(token, std::move(answer));
  } else if (auto* allocate = std::get_if<protocol::AllocateProducerIdsRequest>(&asked.request)) {
    auto answer = co_await allocate_ids(std::move(*allocate));
    reply(token, std::move(answer));
  } else if (auto* create = std::get_if<CreateTopics>(&asked.request)) {
    const auto timeout = create->validate_only ? base::milliseconds(0) : create->timeout;
    auto answer = co_await create_topics(std::move(*create));
    reply_when_known(token, std::move(answer), timeout);
  } else if (auto* remove = std::get_if<DeleteTopics>(&asked.request)) {
    const auto timeout = remove->timeout;
    auto answer = co_await delete_topics(std::move(*remove));
    reply_when_known(token, std::move(answer), timeout);
  } else if (auto* grow = std::get_if<CreatePartitions>(&asked.request)) {
    const auto timeout = grow->validate_only ? base::milliseconds(0) : grow->timeout;
    auto answer = co_await grow_topics(std::move(*grow));
    reply_when_known(token, std::move(answer), timeout);
  } else {
    co_await handle_admin(std::move(asked));
  }
}

// The leader is answered first; then what its ISR completes is completed.
Task<void> Controller::handle_alter_partition(RequestToken token, protocol::AlterPartitionRequest request) {
  auto answer = co_await alter_partition(std::move(request));
  std::vector<TopicPartition> grown;
  for (const auto& topic : answer.topics) {
    const auto* name = state_.name_of(topic.topic_id.bytes);
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != ErrorCode::none) continue;
      grown.push_back({name != nullptr ? *name : topic.topic_name, partition.partition_index});
    }
  }
  reply(token, std::move(answer));
  co_await finish_reassignments(std::move(grown));
}

Task<void> Controller::handle_admin(Asked asked) {
  const auto token = asked.token;
  if (auto* alter = std::get_if<protocol::AlterPartitionReassignmentsRequest>(&asked.request)) {
    auto answer = co_await alter_reassignments(std::move(*alter));
    reply(token, std::move(answer));
  } else if (auto* list = std::get_if<protocol::ListPartitionReassignmentsRequest>(&asked.request)) {
    reply(token, list_reassignments(*list));
  } else if (auto* elections = std::get_if<protocol::ElectLeadersRequest>(&asked.request)) {
    const base::milliseconds timeout(elections->timeout_ms);
    auto answer = co_await elect_leaders(std::move(*elections));
    reply_when_known(token, std::move(answer), timeout);
  } else if (auto* features = std::get_if<protocol::UpdateFeaturesRequest>(&asked.request)) {
    auto answer = co_await update_features(std::move(*features));
    reply(token, std::move(answer));
  }
}

// ---- answers ----

void Controller::reply(RequestToken token, ControllerReply reply) {
  asked_.erase(token);
  effects_.emplace_back(Reply{token, std::move(reply)});
}

void Controller::refuse(RequestToken token, const ControllerRequest& request) {
  effects_.emplace_back(Reply{token, not_controller(request)});
}

// What was sent to ourselves last tells of the change: its answer means that our metadata shows it.
void Controller::reply_when_known(RequestToken token, ControllerReply answer, base::milliseconds timeout) {
  std::uint64_t last = 0;
  for (const auto& effect : effects_) {
    const auto* send = std::get_if<Send>(&effect);
    if (send != nullptr && send->broker == options_.broker_id) last = std::max(last, send->id);
  }
  for (const auto& [id, sent] : sent_) {
    if (sent.broker == options_.broker_id) last = std::max(last, id);
  }
  if (last == 0 || timeout.count() <= 0) {
    reply(token, std::move(answer));
    return;
  }
  waiting_.push_back({token, std::move(answer), last, now_ + timeout});
}

}  // namespace tandem::broker::controller
