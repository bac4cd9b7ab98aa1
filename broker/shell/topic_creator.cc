#include "broker/shell/topic_creator.h"

#include <algorithm>

#include "broker/zk/names.h"

namespace tandem::broker::shell {
namespace {

using protocol::ErrorCode;

constexpr std::string_view kOffsetsTopic = "__consumer_offsets";
constexpr std::size_t kUnderWayMax = 1000;

constexpr base::milliseconds kCreationTimeout{30'000};

// The same for the controller on another broker.
protocol::CreateTopicsRequest request_of(const controller::TopicToCreate& topic) {
  protocol::CreateTopicsRequest request;
  request.timeout_ms = static_cast<std::int32_t>(kCreationTimeout.count());
  auto& entry = request.topics.emplace_back();
  entry.name = topic.name;
  entry.num_partitions = topic.partitions;
  entry.replication_factor = static_cast<std::int16_t>(topic.replication_factor);
  for (const auto& [key, value] : topic.configs) entry.configs.push_back({key, value});
  return request;
}

controller::TopicsCreated created_of(const base::Result<api::FromController>& answer,
                                     const std::string& name) {
  controller::TopicsCreated out;
  if (!answer) {
    out.topics.push_back({name, {ErrorCode::request_timed_out, answer.error().context}});
    return out;
  }
  for (const auto& topic : std::get<protocol::CreateTopicsResponse>(*answer).topics) {
    out.topics.push_back({topic.name, {topic.error_code, topic.error_message.value_or("")}});
    out.topics.back().partitions = topic.num_partitions;
  }
  return out;
}

bool was_refused(const controller::TopicsCreated& created) {
  return std::any_of(created.topics.begin(), created.topics.end(),
                     [](const auto& topic) { return topic.error.code == ErrorCode::not_controller; });
}

controller::TopicToCreate topic_of(const std::string& name, const config::BrokerConfig& settings) {
  controller::TopicToCreate topic;
  topic.name = name;
  if (name != kOffsetsTopic) {
    topic.partitions = settings.num_partitions;
    topic.replication_factor = settings.default_replication_factor;
    return topic;
  }
  topic.partitions = settings.offsets_topic_num_partitions;
  topic.replication_factor = settings.offsets_topic_replication_factor;
  topic.configs = {{"cleanup.policy", "compact"},
                   {"segment.bytes", std::to_string(settings.offsets_topic_segment_bytes)},
                   {"compression.type", "producer"}};
  return topic;
}

}  // namespace

protocol::ErrorCode TopicCreator::request(const std::string& name) {
  if (!zk::is_topic_name(name)) return ErrorCode::invalid_topic_exception;
  auto topic = topic_of(name, configs_.now()->broker());
  const auto live = metadata_.image()->brokers().size();
  if (static_cast<std::size_t>(topic.replication_factor) > live) {
    log_.warn("the topic {} cannot be created: it wants {} replicas and there are {} brokers", name,
              topic.replication_factor, live);
    return ErrorCode::invalid_replication_factor;
  }
  {
    const std::lock_guard lock(mutex_);
    if (under_way_.size() >= kUnderWayMax) return ErrorCode::leader_not_available;
    if (!under_way_.insert(name).second) return ErrorCode::leader_not_available;
  }
  create(std::move(topic));
  return ErrorCode::leader_not_available;
}

// Our own controller first, which knows at once when it is not the active one.
void TopicCreator::create(controller::TopicToCreate topic) {
  controller::CreateTopics ask;
  ask.topics.push_back(topic);
  control_.ask(std::move(ask), [this, topic = std::move(topic)](const controller::ControllerReply& reply) {
    const auto& created = std::get<controller::TopicsCreated>(reply);
    if (!was_refused(created)) return on_created(topic.name, created);
    control_.tell_controller(request_of(topic), kCreationTimeout,
                             [this, name = topic.name](const base::Result<api::FromController>& answer) {
                               on_created(name, created_of(answer, name));
                             });
  });
}

void TopicCreator::on_created(const std::string& name, const controller::TopicsCreated& done) {
  {
    const std::lock_guard lock(mutex_);
    under_way_.erase(name);
  }
  for (const auto& created : done.topics) {
    if (created.error.ok()) {
      log_.info("created the topic {} with {} partitions, as a client asked for it", name,
                created.partitions);
    } else if (created.error.code != ErrorCode::topic_already_exists) {
      log_.warn("the topic {} could not be created: {}", name, created.error.message);
    }
  }
}

}  // namespace tandem::broker::shell
