#include "broker/shell/topic_creator.h"

#include "broker/zk/names.h"

namespace tandem::broker::shell {
namespace {

using protocol::ErrorCode;

constexpr std::string_view kOffsetsTopic = "__consumer_offsets";
constexpr std::size_t kUnderWayMax = 1000;

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
  controller::CreateTopics ask;
  ask.topics.push_back(std::move(topic));
  control_.ask(std::move(ask), [this, name](controller::ControllerReply reply) { on_created(name, reply); });
  return ErrorCode::leader_not_available;
}

void TopicCreator::on_created(const std::string& name, const controller::ControllerReply& reply) {
  {
    const std::lock_guard lock(mutex_);
    under_way_.erase(name);
  }
  for (const auto& created : std::get<controller::TopicsCreated>(reply).topics) {
    if (created.error.ok()) {
      log_.info("created the topic {} with {} partitions, as a client asked for it", name,
                created.partitions);
    } else if (created.error.code != ErrorCode::topic_already_exists) {
      log_.warn("the topic {} could not be created: {}", name, created.error.message);
    }
  }
}

}  // namespace tandem::broker::shell
