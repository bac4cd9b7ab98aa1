// Controllers over one tree in memory, with brokers that answer every control request. A test does something
// to the tree or asks a controller, settle()s, and reads what was sent and written.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/controller/controller.h"
#include "broker/zk/paths.h"
#include "fake_tree.h"

namespace tandem::broker::test {

using controller::Became;
using controller::Controller;
using controller::ControllerOptions;
using controller::ControllerReply;
using controller::ControllerRequest;
using controller::CreateTopics;
using controller::Effect;
using controller::Note;
using controller::Reply;
using controller::RequestToken;
using controller::Send;
using controller::TopicsCreated;
using controller::TopicToCreate;
using controller::ZkBatch;

inline zk::BrokerRegistration registration(std::int32_t id, std::optional<std::string> rack = std::nullopt) {
  zk::BrokerRegistration out;
  out.id = id;
  out.rack = std::move(rack);
  out.endpoints = {{"PLAINTEXT", "h" + std::to_string(id), 9092, zk::SecurityProtocol::plaintext}};
  return out;
}

class World {
 public:
  FakeTree tree;
  std::map<std::int32_t, std::unique_ptr<Controller>> controllers;  // by broker; its session is 1000 + id
  std::vector<std::string> log;                                     // everything that was sent, readable
  std::map<RequestToken, ControllerReply> replies;
  std::set<std::int32_t> silent;                               // brokers that do not answer control requests
  std::vector<Send> unanswered;                                // what they were sent
  std::map<std::int32_t, protocol::ErrorCode> storage_errors;  // LeaderAndIsr answers of a broker
  std::function<void(const ZkBatch& batch)> before;            // each batch that a controller has performed
  base::Instant now{std::chrono::seconds(1)};
  RequestToken last_token = 0;

  World() {
    for (const auto path : zk::persistent_paths()) tree.put(std::string(path), "");
    tree.put("/cluster", "");
  }

  void start_broker(std::int32_t id, std::optional<std::string> rack = std::nullopt) {
    tree.session = 1000 + id;
    auto create =
        zk::create_op(zk::broker_path(id), zk::encode_broker(registration(id, rack), base::WallTime{1}));
    create.ephemeral = true;
    tree.perform(create);
  }

  Controller& start_controller(std::int32_t id, ControllerOptions options = {}) {
    options.broker_id = id;
    controllers[id] = std::make_unique<Controller>(options, base::Random(static_cast<std::uint64_t>(id)));
    controllers[id]->on_session(1000 + id, now, base::WallTime{1});
    settle();
    return *controllers[id];
  }

  void kill(std::int32_t id) {
    controllers.erase(id);
    tree.expire(1000 + id);
    settle();
  }

  void settle() {
    for (bool more = true; more;) {
      more = false;
      for (auto& [id, core] : controllers) {
        for (auto& effect : core->take()) {
          more = true;
          perform(id, *core, effect);
        }
      }
      for (auto& [path, event] : std::exchange(tree.fired, {})) {
        more = true;
        for (auto& [id, core] : controllers) core->on_watch(path, event, now);
      }
    }
  }

  // The reply, when it has come after settling.
  template <class R>
  R ask(std::int32_t id, ControllerRequest request) {
    const auto token = ++last_token;
    controllers.at(id)->request(token, std::move(request), now);
    settle();
    REQUIRE(replies.contains(token));
    REQUIRE(std::holds_alternative<R>(replies[token]));
    return std::get<R>(replies[token]);
  }

  std::string create(std::int32_t id, const std::string& name, std::int32_t partitions, std::int32_t factor,
                     std::map<std::int32_t, zk::Replicas> assignment = {}) {
    TopicToCreate topic{name, partitions, factor, std::move(assignment), {}};
    const auto created = ask<TopicsCreated>(id, CreateTopics{{topic}, false});
    return fmt::format("{} {}", static_cast<int>(created.topics.front().error.code),
                       created.topics.front().error.message);
  }

  std::string state(const std::string& topic, std::int32_t partition) {
    const auto path = zk::partition_state_path({topic, partition});
    if (!tree.has(path)) return "(absent)";
    const auto state = zk::decode_state({topic, partition}, tree.data(path), tree.version(path));
    return fmt::format("leader={} epoch={} isr={}", state->leader, state->leader_epoch,
                       fmt::join(state->isr, ","));
  }

  // ---- in-sync sets, of t-0 ----

  // What its leader asks of a controller, by what that one knows.
  protocol::AlterPartitionRequest isr_request(zk::Replicas isr, std::int32_t asked = 0) {
    const auto& core = *controllers.at(asked);
    const auto& known = *core.state().find({"t", 0})->leadership;
    protocol::AlterPartitionRequest request;
    request.broker_id = known.leader;
    request.broker_epoch = core.state().broker_epoch(known.leader);
    auto& topic = request.topics.emplace_back();
    topic.topic_id = protocol::Uuid{core.state().topics.at("t").id};
    auto& partition = topic.partitions.emplace_back();
    partition.leader_epoch = known.leader_epoch;
    partition.partition_epoch = known.partition_epoch;
    partition.new_isr = std::move(isr);
    return request;
  }
  protocol::ErrorCode alter(protocol::AlterPartitionRequest request, std::int32_t asked = 0) {
    const auto response = ask<protocol::AlterPartitionResponse>(asked, std::move(request));
    if (response.error_code != protocol::ErrorCode::none) return response.error_code;
    return response.topics.front().partitions.front().error_code;
  }
  protocol::ErrorCode set_isr(zk::Replicas isr, std::int32_t asked = 0) {
    return alter(isr_request(std::move(isr), asked), asked);
  }
  // Broker 1 leads in epoch 0 and writes the set into the tree itself (inter-broker protocol below 2.7-IV2).
  void write_isr(const zk::Replicas& isr) {
    constexpr auto kState = R"({{"controller_epoch":1,"leader":1,"version":1,"leader_epoch":0,"isr":[{}]}})";
    tree.put(zk::partition_state_path({"t", 0}), fmt::format(kState, fmt::join(isr, ",")));
  }
  void notify_isr() {
    tree.put("/isr_change_notification/isr_change_0000000000",
             R"({"version":1,"partitions":[{"topic":"t","partition":0}]})");
    settle();
  }

  std::vector<std::string> take_log() { return std::exchange(log, {}); }
  bool sent(const std::string& line) const { return std::find(log.begin(), log.end(), line) != log.end(); }

 private:
  static std::string text(const protocol::LeaderAndIsrRequest& request) {
    std::string out = "LeaderAndIsr";
    for (const auto& topic : request.topic_states) {
      for (const auto& p : topic.partition_states) {
        out += fmt::format(" {}-{}:{}/{}{}", topic.topic_name, p.partition_index, p.leader, p.leader_epoch,
                           p.is_new ? "new" : "");
      }
    }
    return out;
  }
  static std::string text(const controller::MetadataUpdate& update) {
    const protocol::UpdateMetadataRequest& request = *update.shared;
    std::string out = "UpdateMetadata";
    for (const auto& topic : request.topic_states) {
      for (const auto& p : topic.partition_states) {
        out += fmt::format(" {}-{}:{}/{}", topic.topic_name, p.partition_index, p.leader, p.leader_epoch);
      }
    }
    out += " live=";
    for (const auto& broker : request.live_brokers) out += std::to_string(broker.id);
    return out;
  }
  static std::string text(const protocol::StopReplicaRequest& request) {
    std::string out = "StopReplica";
    for (const auto& topic : request.topic_states) {
      for (const auto& p : topic.partition_states) {
        out += fmt::format(" {}-{}/{}{}", topic.topic_name, p.partition_index, p.leader_epoch,
                           p.delete_partition ? "delete" : "");
      }
    }
    return out;
  }

  protocol::LeaderAndIsrResponse answer(std::int32_t broker, const protocol::LeaderAndIsrRequest& request) {
    protocol::LeaderAndIsrResponse out;
    for (const auto& topic : request.topic_states) {
      auto& answered = out.topics.emplace_back();
      answered.topic_id = topic.topic_id;
      for (const auto& p : topic.partition_states) {
        auto& error = answered.partition_errors.emplace_back();
        error.partition_index = p.partition_index;
        if (storage_errors.contains(broker)) error.error_code = storage_errors[broker];
      }
    }
    return out;
  }

  void perform(std::int32_t id, Controller& core, Effect& effect) {
    if (auto* batch = std::get_if<ZkBatch>(&effect)) {
      if (before) before(*batch);
      tree.session = 1000 + id;
      core.on_results(batch->id, tree.perform(batch->ops), now);
    } else if (auto* send = std::get_if<Send>(&effect)) {
      log.push_back(fmt::format("{}>{} {}", id, send->broker,
                                std::visit([](auto& r) { return text(r); }, send->request)));
      if (silent.contains(send->broker)) return unanswered.push_back(*send);
      if (auto* leaders = std::get_if<protocol::LeaderAndIsrRequest>(&send->request)) {
        core.on_answer(send->broker, send->id, answer(send->broker, *leaders), now);
      } else if (std::holds_alternative<protocol::StopReplicaRequest>(send->request)) {
        core.on_answer(send->broker, send->id, protocol::StopReplicaResponse{}, now);
      } else {
        core.on_answer(send->broker, send->id, protocol::UpdateMetadataResponse{}, now);
      }
    } else if (auto* reply = std::get_if<Reply>(&effect)) {
      replies[reply->token] = reply->reply;
    } else if (auto* became = std::get_if<Became>(&effect)) {
      log.push_back(
          fmt::format("{} {} epoch {}", id, became->active ? "elected" : "resigned", became->epoch));
    } else if (auto* note = std::get_if<Note>(&effect)) {
      log.push_back(fmt::format("{} notes: {}", id, note->text));
    }
  }
};

}  // namespace tandem::broker::test
