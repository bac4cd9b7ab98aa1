#include "broker/shell/config_watcher.h"

#include <algorithm>

#include "broker/zk/configs.h"
#include "broker/zk/paths.h"

namespace tandem::broker::shell {

namespace {

constexpr std::int64_t kNotificationsLiveMs = 15 * 60 * 1000;

config::Overrides to_overrides(const zk::Config& config) {
  config::Overrides out;
  for (const auto& [key, value] : config) out[key] = value;
  return out;
}

}  // namespace

void ConfigWatcher::start(std::int32_t broker_id, std::function<void()> loaded) {
  broker_id_ = broker_id;
  // The watch is set before the state is read, so that nothing falls between.
  watch_changes([this, loaded = std::move(loaded)](std::vector<std::string> notifications) {
    for (const std::string& name : notifications) {
      last_seen_ = std::max(last_seen_, zk::sequence_of(name, zk::kConfigChangePrefix).value_or(-1));
    }
    load_brokers([this, loaded] { load_topics(loaded); });
  });
}

void ConfigWatcher::watch_changes(std::function<void(std::vector<std::string>)> then) {
  tree_.perform({zk::children_op(std::string(zk::kConfigChangesPath), true)},
                [then = std::move(then)](std::vector<zk::ZkResult> results) {
                  if (!results.empty()) then(std::move(results[0].children));  // none: the session is lost
                });
}

void ConfigWatcher::load_brokers(std::function<void()> then) {
  const std::string own = std::to_string(broker_id_);
  const std::string cluster(zk::kDefaultEntity);
  tree_.perform({zk::get_op(zk::config_path(zk::kBrokerConfigs, cluster)),
                 zk::get_op(zk::config_path(zk::kBrokerConfigs, own))},
                [this, own, cluster, then = std::move(then)](std::vector<zk::ZkResult> results) {
                  if (results.empty()) return;
                  apply(std::string(zk::kBrokerConfigs), cluster, results.at(0).data);
                  apply(std::string(zk::kBrokerConfigs), own, results.at(1).data);
                  then();
                });
}

void ConfigWatcher::load_topics(std::function<void()> then) {
  tree_.perform({zk::children_op(zk::config_type_path(zk::kTopicConfigs))},
                [this, then = std::move(then)](std::vector<zk::ZkResult> results) {
                  if (results.empty()) return;
                  std::vector<std::string> topics = std::move(results[0].children);
                  if (topics.empty()) return then();
                  std::vector<zk::ZkOp> reads;
                  for (const auto& topic : topics) {
                    reads.push_back(zk::get_op(zk::config_path(zk::kTopicConfigs, topic)));
                  }
                  tree_.perform(std::move(reads), [this, topics = std::move(topics), then](auto configs) {
                    if (configs.empty()) return;
                    for (std::size_t i = 0; i < topics.size(); ++i) {
                      apply(std::string(zk::kTopicConfigs), topics[i], configs.at(i).data);
                    }
                    then();
                  });
                });
}

void ConfigWatcher::on_event(const std::string& path) {
  if (broker_id_ < 0) return;
  if (path.empty()) return start(broker_id_, [] {});
  if (path != zk::kConfigChangesPath) return;
  watch_changes([this](std::vector<std::string> notifications) { follow(std::move(notifications)); });
}

void ConfigWatcher::follow(std::vector<std::string> notifications) {
  std::sort(notifications.begin(), notifications.end());
  for (const std::string& name : notifications) {
    const std::int64_t sequence = zk::sequence_of(name, zk::kConfigChangePrefix).value_or(-1);
    const std::string path = std::string(zk::kConfigChangesPath) + "/" + name;
    const bool is_new = sequence > last_seen_;
    last_seen_ = std::max(last_seen_, sequence);
    tree_.perform({zk::get_op(path)}, [this, path, is_new](std::vector<zk::ZkResult> results) {
      if (results.empty() || !results[0].ok()) return;
      const zk::ZkResult& node = results[0];
      if (is_new) {
        const auto change = zk::decode_config_change(node.data);
        if (change) {
          reload(change->type, change->entity);
        } else {
          log_.warn("{}: {}", path, change.error().context);
        }
      }
      if (clock_.wall().ms - node.stat.ctime_ms > kNotificationsLiveMs)
        tree_.perform({zk::remove_op(path)}, [](auto) {});
    });
  }
}

void ConfigWatcher::refresh_topic(const std::string& topic) {
  const std::string entity = zk::sanitize_entity(topic);
  tree_.perform({zk::get_op(zk::config_path(zk::kTopicConfigs, entity))},
                [this, entity](std::vector<zk::ZkResult> results) {
                  if (!results.empty()) apply(std::string(zk::kTopicConfigs), entity, results[0].data);
                });
}

void ConfigWatcher::reload(const std::string& type, const std::string& entity) {
  if (type != zk::kTopicConfigs && type != zk::kBrokerConfigs) return;  // of features that are not here yet
  tree_.perform({zk::get_op(zk::config_path(type, entity))},
                [this, type, entity](std::vector<zk::ZkResult> results) {
                  if (results.empty()) return;
                  apply(type, entity, results[0].data);
                  log_.info("Settings of {} {} are in force as the tree has them", type, entity);
                });
}

void ConfigWatcher::apply(const std::string& type, const std::string& entity, const std::string& json) {
  const auto decoded = zk::decode_config(zk::config_path(type, entity), json);
  if (!decoded) return log_.warn("{}", decoded.error().context);
  config::Overrides overrides = to_overrides(*decoded);
  if (type == zk::kTopicConfigs) {
    configs_.set_topic(zk::desanitize_entity(entity).value_or(entity), std::move(overrides));
    return;
  }
  std::vector<std::string> complaints;
  if (entity == zk::kDefaultEntity) complaints = configs_.set_cluster(std::move(overrides));
  if (entity == std::to_string(broker_id_)) complaints = configs_.set_broker(std::move(overrides));
  for (const std::string& complaint : complaints) log_.warn("{}", complaint);
}

}  // namespace tandem::broker::shell
