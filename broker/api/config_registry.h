// ConfigRegistry: the Settings in force, for any thread. Readers take a snapshot; only the watcher of
// /config/changes (and start-up) puts a new one, and then those who act on settings are told on its thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "broker/config/settings.h"

namespace tandem::broker::api {

class ConfigRegistry {
 public:
  using Snapshot = std::shared_ptr<const config::Settings>;
  struct Subscriber {
    std::function<void(const std::string& topic)> on_topic;  // a topic's own settings changed
    std::function<void()> on_broker;                         // the broker's, and so every topic's defaults
  };

  explicit ConfigRegistry(config::Settings settings);

  Snapshot now() const;
  config::TopicConfig topic(const std::string& name) const { return now()->topic(name); }

  // Replace a layer; complaints are for the log.
  void set_topic(const std::string& topic, config::Overrides overrides);
  std::vector<std::string> set_cluster(config::Overrides overrides);
  std::vector<std::string> set_broker(config::Overrides overrides);
  void subscribe(Subscriber subscriber);  // before the broker serves

 private:
  void put(config::Settings settings);

  mutable std::mutex mutex_;
  Snapshot settings_;
  std::vector<Subscriber> subscribers_;
};

}  // namespace tandem::broker::api
