#include "tests/transcript/controller/world.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "broker/zk/brokers.h"
#include "broker/zk/paths.h"
#include "broker/zk/topics.h"
#include "tests/transcript/controller/printed.h"

namespace tandem::transcript {

namespace zk = broker::zk;
namespace protocol = broker::protocol;
namespace controller = broker::controller;

namespace {

constexpr std::int64_t kSessions = 1000;  // the session of broker N is 1000 + N
constexpr base::WallTime kWall{1};

zk::TopicPartition partition_of(const std::string& text) {
  const auto dash = text.rfind('-');
  if (dash == std::string::npos) throw Fault(fmt::format("'{}' is not a partition such as t-0", text));
  return {text.substr(0, dash), static_cast<std::int32_t>(number_of(text.substr(dash + 1)))};
}

// "0:1,2,0" for each partition
std::map<std::int32_t, zk::Replicas> assignment_of(const std::vector<std::string>& words, std::size_t from) {
  std::map<std::int32_t, zk::Replicas> out;
  for (std::size_t i = from; i < words.size(); ++i) {
    const auto colon = words[i].find(':');
    if (colon == std::string::npos) throw Fault(fmt::format("'{}' is not PARTITION:REPLICAS", words[i]));
    out[static_cast<std::int32_t>(number_of(words[i].substr(0, colon)))] =
        numbers_of(words[i].substr(colon + 1));
  }
  return out;
}

std::int32_t broker_at(const Command& command, std::size_t at) {
  return static_cast<std::int32_t>(command.number(at));
}

}  // namespace

ControllerWorld::ControllerWorld() {
  for (const auto path : zk::persistent_paths()) tree_.put(std::string(path), "");
  tree_.put("/cluster", "");
  // The cluster.
  on("broker", [this](const Command& c) { start_broker(c); });
  on("controller", [this](const Command& c) { start_controller(broker_at(c, 0)); });
  on("kill", [this](const Command& c) {  // its process is gone, and its session with it
    controllers_.erase(broker_at(c, 0));
    tree_.expire(kSessions + c.number(0));
    settle();
  });
  on("lose-session", [this](const Command& c) { lose_session(broker_at(c, 0)); });
  on("cut-off", [this](const Command& c) {  // its session ends without its hearing of it
    deaf_.insert(broker_at(c, 0));
    tree_.expire(kSessions + c.number(0));
    settle();
  });
  on("stop", [this](const Command& c) {
    controller(c.number(0)).stop(now_);
    settle();
  });
  on("silence", [this](const Command& c) { silent_.insert(broker_at(c, 0)); });
  on("deaf", [this](const Command& c) {  // its queue of control requests is full
    controller(c.number(0)).on_link_full(broker_at(c, 1), now_);
    settle();
  });
  on("fail-log-dir", [this](const Command& c) { fail_log_dir(c); });
  add_suspicion();
  // Requests to the active controller.
  on("create", [this](const Command& c) { create(c); });
  on("grow", [this](const Command& c) { grow(c); });
  on("delete", [this](const Command& c) {
    controller::DeleteTopics request{c.words()};
    request.timeout = c.option("timeout", base::milliseconds(60'000));
    ask(request);
  });
  on("isr", [this](const Command& c) { alter_isr(c); });
  on("shutdown", [this](const Command& c) { shut_down(c); });
  on("producer-ids", [this](const Command& c) {
    protocol::AllocateProducerIdsRequest request;
    request.broker_id = broker_at(c, 0);
    request.broker_epoch = epoch_of(broker_at(c, 0));
    ask(request);
  });
  // Tools that write to the tree.
  on("prefer", [this](const Command& c) { prefer(c); });
  on("put", [this](const Command& c) {
    const auto path = c.word(0);
    tree_.put(path, c.size() > 1 ? c.text(1) : "");
    settle();
  });
  // Looking.
  on("get", [this](const Command& c) { say(tree_.data(c.word(0))); });
  on("state", [this](const Command& c) { show_state(c); });
  on("status", [this](const Command& c) {
    const auto status = controller(c.number(0)).status();
    say(fmt::format(
        "{}, the controller is {} with epoch {}: {} topics, {} partitions, {} offline, {} to delete",
        status.active ? "active" : "not active", status.active_id, status.epoch, status.topics,
        status.partitions, status.offline_partitions, status.topics_to_delete));
  });
  on("pass", [this](const Command& c) { pass(c.time(0)); });
}

void ControllerWorld::add_suspicion() {
  on("crash", [this](const Command& c) {  // its process is gone, its session lives
    controllers_.erase(broker_at(c, 0));
    silent_.insert(broker_at(c, 0));
  });
  on("expire", [this](const Command& c) {
    tree_.expire(kSessions + c.number(0));
    settle();
  });
  // refused BROKER by=OBSERVER: as its shell sees it.
  on("refused", [this](const Command& c) { observe(c, true); });
  on("reached", [this](const Command& c) { observe(c, false); });
}

// ---- verbs ----

// broker ID... [rack=R]: registers in the tree, as a broker does before its controller stands for election.
void ControllerWorld::start_broker(const Command& command) {
  for (std::size_t i = 0; i < command.size(); ++i) {
    zk::BrokerRegistration registration;
    registration.id = broker_at(command, i);
    const auto rack = command.option("rack", "");
    if (!rack.empty()) registration.rack = rack;
    registration.endpoints = {
        {"PLAINTEXT", fmt::format("h{}", registration.id), 9092, zk::SecurityProtocol::plaintext}};
    auto create = zk::create_op(zk::broker_path(registration.id), zk::encode_broker(registration, kWall));
    create.ephemeral = true;
    tree_.session = kSessions + registration.id;
    if (!tree_.perform(create).ok()) throw Fault(fmt::format("broker {} is there already", registration.id));
  }
  settle();
}

void ControllerWorld::start_controller(std::int32_t id) {
  auto& core = controllers_[id];
  deaf_.erase(id);
  if (core == nullptr) {
    controller::ControllerOptions options;
    options.broker_id = id;
    core = std::make_unique<Controller>(options, base::Random(static_cast<std::uint64_t>(id)));
  }
  core->on_session(kSessions + id, now_, kWall);
  settle();
}

void ControllerWorld::lose_session(std::int32_t id) {
  controller(id).on_session_lost();
  deaf_.insert(id);
  tree_.expire(kSessions + id);
  settle();
}

// create TOPIC PARTITION:REPLICAS..., or create TOPIC partitions=N factor=N; [at=BROKER] [timeout=1m]
void ControllerWorld::create(const Command& command) {
  controller::TopicToCreate topic{command.word(0)};
  topic.assignment = assignment_of(command.words(), 1);
  topic.partitions = static_cast<std::int32_t>(command.option("partitions", std::int64_t{-1}));
  topic.replication_factor = static_cast<std::int32_t>(command.option("factor", std::int64_t{-1}));
  controller::CreateTopics request{{topic}, command.option("validate", "") == "only"};
  request.timeout = command.option("timeout", base::milliseconds(60'000));
  const auto at = command.option("at", std::int64_t{-1});
  if (at < 0) return ask(request);
  controller(at).request(++last_token_, request, now_);
  settle();
}

// grow TOPIC COUNT
void ControllerWorld::grow(const Command& command) {
  controller::CreatePartitions request;
  request.topics = {{command.word(0), static_cast<std::int32_t>(command.number(1))}};
  ask(request);
}

// isr PARTITION ISR by=BROKER [leader-epoch=N] [partition-epoch=N]: what its leader asks for, as it knows
// things.
void ControllerWorld::alter_isr(const Command& command) {
  const auto at = partition_of(command.word(0));
  const auto& state = controller(active()).state();
  const auto* known = state.find({at.topic, at.partition});
  if (known == nullptr || !known->leadership) throw Fault(fmt::format("{} has no leader", command.word(0)));
  protocol::AlterPartitionRequest request;
  request.broker_id =
      static_cast<std::int32_t>(command.option("by", std::int64_t{known->leadership->leader}));
  request.broker_epoch = epoch_of(request.broker_id);
  auto& topic = request.topics.emplace_back();
  topic.topic_id = protocol::Uuid{state.topics.at(at.topic).id};
  auto& partition = topic.partitions.emplace_back();
  partition.partition_index = at.partition;
  const auto number = [&](const char* key, std::int32_t otherwise) {
    return static_cast<std::int32_t>(command.option(key, std::int64_t{otherwise}));
  };
  partition.leader_epoch = number("leader-epoch", known->leadership->leader_epoch);
  partition.partition_epoch = number("partition-epoch", known->leadership->partition_epoch);
  for (const auto id : numbers_of(command.word(1))) partition.new_isr.push_back(id);
  ask(request);
}

void ControllerWorld::observe(const Command& command, bool refuses) {
  const auto broker = broker_at(command, 0);
  controller(command.option("by", std::int64_t{-1})).on_reachability(broker, epoch_of(broker), refuses, now_);
  settle();
}

void ControllerWorld::shut_down(const Command& command) {
  protocol::ControlledShutdownRequest request;
  request.broker_id = broker_at(command, 0);
  request.broker_epoch = epoch_of(broker_at(command, 0));
  ask(request);
}

// prefer PARTITION...: as the tool for preferred leaders asks, in the tree.
void ControllerWorld::prefer(const Command& command) {
  std::vector<std::string> rows;
  for (const auto& word : command.words()) {
    const auto at = partition_of(word);
    rows.push_back(fmt::format(R"({{"topic":"{}","partition":{}}})", at.topic, at.partition));
  }
  tree_.put("/admin/preferred_replica_election",
            fmt::format(R"({{"version":1,"partitions":[{}]}})", fmt::join(rows, ",")));
  settle();
}

// fail-log-dir BROKER: it notifies in the tree, and answers for its replicas with a storage error.
void ControllerWorld::fail_log_dir(const Command& command) {
  failed_dirs_.insert(broker_at(command, 0));
  tree_.put("/log_dir_event_notification/log_dir_event_0000000000",
            fmt::format(R"({{"version":1,"broker":{},"event":1}})", command.number(0)));
  settle();
}

void ControllerWorld::show_state(const Command& command) {
  for (const auto& word : command.words()) {
    const auto at = partition_of(word);
    const auto path = zk::partition_state_path(at);
    if (!tree_.has(path)) {
      say(word + ": absent");
      continue;
    }
    const auto state = zk::decode_state(at, tree_.data(path), tree_.version(path));
    say(fmt::format("{}: leader {} epoch {} isr {}", word, state->leader, state->leader_epoch,
                    fmt::join(state->isr, ",")));
  }
}

void ControllerWorld::pass(std::chrono::milliseconds time) {
  const auto end = now_ + time;
  for (bool due = true; due;) {
    due = false;
    for (auto& [id, core] : controllers_) {
      const auto deadline = core->next_deadline();
      if (!deadline || *deadline > end) continue;
      due = true;
      now_ = std::max(now_, *deadline);
      core->on_deadline(now_);
      settle();
    }
  }
  now_ = end;
}

// ---- requests ----

void ControllerWorld::ask(controller::ControllerRequest request) {
  controller(active()).request(++last_token_, std::move(request), now_);
  settle();
}

std::int32_t ControllerWorld::active() const {
  for (const auto& [id, core] : controllers_) {
    if (core->active() && !deaf_.contains(id)) return id;
  }
  throw Fault("no controller is active");
}

ControllerWorld::Controller& ControllerWorld::controller(std::int64_t id) {
  const auto found = controllers_.find(static_cast<std::int32_t>(id));
  if (found == controllers_.end()) throw Fault(fmt::format("broker {} runs no controller", id));
  return *found->second;
}

std::int64_t ControllerWorld::epoch_of(std::int32_t broker) const {
  const auto path = zk::broker_path(broker);
  return tree_.has(path) ? tree_.czxid(path) : -1;
}

// ---- the shell's part ----

void ControllerWorld::settle() {
  for (bool more = true; more;) {
    more = false;
    for (auto& [id, core] : controllers_) {
      for (auto& effect : core->take()) {
        more = true;
        perform(id, effect);
      }
    }
    for (const auto& [path, event] : std::exchange(tree_.fired, {})) {
      more = true;
      for (auto& [id, core] : controllers_) {
        if (!deaf_.contains(id)) core->on_watch(path, event, now_);
      }
    }
  }
}

void ControllerWorld::perform(std::int32_t id, controller::Effect& effect) {
  if (auto* batch = std::get_if<controller::ZkBatch>(&effect)) {
    perform(id, *batch);
  } else if (auto* send = std::get_if<controller::Send>(&effect)) {
    perform(id, *send);
  } else if (const auto* reply = std::get_if<controller::Reply>(&effect)) {
    for (const auto& line : printed(reply->reply)) say(fmt::format("{} replies {}", id, line));
  } else if (const auto* became = std::get_if<controller::Became>(&effect)) {
    say(fmt::format("{} {} with epoch {}", id, became->active ? "is elected" : "resigns", became->epoch));
  } else if (const auto* note = std::get_if<controller::Note>(&effect)) {
    say(fmt::format("{} notes: {}", id, note->text));
  }
}

void ControllerWorld::perform(std::int32_t id, controller::ZkBatch& batch) {
  tree_.session = kSessions + id;
  auto results = tree_.perform(batch.ops);
  for (std::size_t i = 0; i < batch.ops.size(); ++i) write(id, batch.ops[i], results[i]);
  controllers_.at(id)->on_results(batch.id, std::move(results), now_);
}

// A write under the check of the controller's epoch is printed as one write; `->` when it came to something
// else.
void ControllerWorld::write(std::int32_t id, const zk::ZkOp& op, const zk::ZkResult& result) {
  if (op.kind == zk::ZkKind::get || op.kind == zk::ZkKind::exists || op.kind == zk::ZkKind::children) return;
  std::string text;
  for (const auto& part : op.parts) {
    const bool is_epoch = part.kind == zk::ZkKind::check && part.path == "/controller_epoch";
    if (!is_epoch) text += (text.empty() ? "" : " and ") + part.text();
  }
  if (op.kind != zk::ZkKind::multi) text = op.text();
  if (result.code == zk::ZkCode::no_node) text += " -> no node";
  if (result.code == zk::ZkCode::node_exists) text += " -> is there";
  if (result.code == zk::ZkCode::bad_version) text += " -> another version";
  say(fmt::format("{} {}", id, text));
}

void ControllerWorld::perform(std::int32_t id, controller::Send& send) {
  say(fmt::format("{} to {}: {}", id, send.broker, printed(send.request)));
  if (silent_.contains(send.broker) || !tree_.has(zk::broker_path(send.broker))) return;
  auto& core = *controllers_.at(id);
  if (const auto* leaders = std::get_if<protocol::LeaderAndIsrRequest>(&send.request)) {
    core.on_answer(send.broker, send.id, answer(send.broker, *leaders), now_);
  } else if (std::holds_alternative<protocol::StopReplicaRequest>(send.request)) {
    core.on_answer(send.broker, send.id, protocol::StopReplicaResponse{}, now_);
  } else {
    core.on_answer(send.broker, send.id, protocol::UpdateMetadataResponse{}, now_);
  }
}

protocol::LeaderAndIsrResponse ControllerWorld::answer(std::int32_t broker,
                                                       const protocol::LeaderAndIsrRequest& request) const {
  protocol::LeaderAndIsrResponse out;
  for (const auto& topic : request.topic_states) {
    auto& answered = out.topics.emplace_back();
    answered.topic_id = topic.topic_id;
    for (const auto& p : topic.partition_states) {
      auto& error = answered.partition_errors.emplace_back();
      error.partition_index = p.partition_index;
      if (failed_dirs_.contains(broker)) error.error_code = protocol::ErrorCode::kafka_storage_error;
    }
  }
  return out;
}

}  // namespace tandem::transcript
