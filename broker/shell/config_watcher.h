// ConfigWatcher: keeps the ConfigRegistry equal to /config in the tree. Reads everything once per session,
// then follows /config/changes, and deletes notifications older than 15 minutes, as every Kafka broker does.
// On the control thread, but for the first start().
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "broker/api/cluster_control.h"
#include "broker/api/config_registry.h"
#include "logging/logger.h"

namespace tandem::broker::shell {

class ConfigWatcher {
 public:
  ConfigWatcher(api::ClusterControl& tree, api::ConfigRegistry& configs, const base::Clock& clock,
                logging::Logger log)
      : tree_(tree), configs_(configs), clock_(clock), log_(log) {}

  // Loads, then calls `loaded` (not when the session is lost before).
  void start(std::int32_t broker_id, std::function<void()> loaded);
  // What ClusterControl::subscribe tells: a path whose watch fired, "" for a new session, in which everything
  // is read again.
  void on_event(const std::string& path);
  void refresh_topic(const std::string& topic);  // reads its settings again; any thread

 private:
  void watch_changes(std::function<void(std::vector<std::string>)> then);
  void load_topics(std::function<void()> then);
  void load_brokers(std::function<void()> then);
  void follow(std::vector<std::string> notifications);
  void reload(const std::string& type, const std::string& entity);
  void apply(const std::string& type, const std::string& entity, const std::string& json);

  api::ClusterControl& tree_;
  api::ConfigRegistry& configs_;
  const base::Clock& clock_;
  logging::Logger log_;
  std::atomic<std::int32_t> broker_id_{-1};  // -1: not started
  std::int64_t last_seen_ = -1;
};

}  // namespace tandem::broker::shell
