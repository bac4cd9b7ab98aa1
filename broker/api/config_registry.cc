#include "broker/api/config_registry.h"

namespace tandem::broker::api {

ConfigRegistry::ConfigRegistry(config::Settings settings)
    : settings_(std::make_shared<const config::Settings>(std::move(settings))) {}

ConfigRegistry::Snapshot ConfigRegistry::now() const {
  const std::lock_guard lock(mutex_);
  return settings_;
}

void ConfigRegistry::put(config::Settings settings) {
  auto snapshot = std::make_shared<const config::Settings>(std::move(settings));
  const std::lock_guard lock(mutex_);
  settings_ = std::move(snapshot);
}

void ConfigRegistry::set_topic(const std::string& topic, config::Overrides overrides) {
  if (now()->topic_overrides(topic) == overrides) return;
  put(now()->with_topic(topic, std::move(overrides)));
  for (const Subscriber& subscriber : subscribers_) {
    if (subscriber.on_topic) subscriber.on_topic(topic);
  }
}

std::vector<std::string> ConfigRegistry::set_cluster(config::Overrides overrides) {
  std::vector<std::string> complaints;
  put(now()->with_cluster(std::move(overrides), complaints));
  for (const Subscriber& subscriber : subscribers_) {
    if (subscriber.on_broker) subscriber.on_broker();
  }
  return complaints;
}

std::vector<std::string> ConfigRegistry::set_broker(config::Overrides overrides) {
  std::vector<std::string> complaints;
  put(now()->with_broker(std::move(overrides), complaints));
  for (const Subscriber& subscriber : subscribers_) {
    if (subscriber.on_broker) subscriber.on_broker();
  }
  return complaints;
}

void ConfigRegistry::subscribe(Subscriber subscriber) { subscribers_.push_back(std::move(subscriber)); }

}  // namespace tandem::broker::api
