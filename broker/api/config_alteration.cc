#include "broker/api/config_alteration.h"

#include <memory>

#include "broker/api/cluster_control.h"
#include "broker/api/config_registry.h"
#include "broker/zk/paths.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;

config::Overrides to_overrides(const zk::Config& settings) {
  return config::Overrides(settings.begin(), settings.end());
}

class Run : public std::enable_shared_from_this<Run> {
 public:
  Run(Services& services, std::vector<Alteration> alterations, bool validate_only,
      std::function<void(std::vector<AlterOutcome>)> done)
      : services_(services),
        alterations_(std::move(alterations)),
        validate_only_(validate_only),
        done_(std::move(done)) {}

  void next() {
    if (outcomes_.size() == alterations_.size()) return done_(std::move(outcomes_));
    const Alteration& alteration = alterations_[outcomes_.size()];
    place_ = {};
    if (auto refusal = find_place(alteration)) return finish(std::move(*refusal));
    std::vector<zk::ZkOp> reads{zk::get_op(std::string(zk::kControllerPath)),
                                zk::get_op(zk::config_path(place_.type, place_.entity))};
    if (place_.type == zk::kTopicConfigs)
      reads.push_back(zk::exists_op(zk::topic_path(alteration.resource_name)));
    services_.control->perform(std::move(reads),
                               [self = shared_from_this()](std::vector<zk::ZkResult> results) {
                                 self->on_read(std::move(results));
                               });
  }

 private:
  void finish(AlterRefusal error) {
    const Alteration& alteration = alterations_[outcomes_.size()];
    outcomes_.push_back({alteration.resource_type, alteration.resource_name, std::move(error)});
    next();
  }

  std::optional<AlterRefusal> find_place(const Alteration& alteration) {
    const std::string& name = alteration.resource_name;
    switch (alteration.resource_type) {
      case kTopicResource:
        if (name.empty())
          return AlterRefusal{ErrorCode::invalid_request, "Default topic resources are not allowed."};
        if (zk::topic_name_fault(name)) return no_topic(name);  // it cannot be in the tree
        place_ = topic_place(name);
        return std::nullopt;
      case kBrokerResource:
        if (!name.empty()) {
          const std::int32_t own = services_.node.broker_id;
          const auto asked = broker_id_of(name);
          if (!asked)
            return AlterRefusal{ErrorCode::invalid_request,
                                fmt::format("Node id must be an integer, but it is: {}", name)};
          if (*asked != own)
            return AlterRefusal{ErrorCode::invalid_request,
                                fmt::format("Unexpected broker id, expected {}, but received {}", own, name)};
        }
        place_ = broker_place(name);
        return std::nullopt;
      case kBrokerLoggerResource:
        return AlterRefusal{ErrorCode::invalid_request, std::string(kNoLoggers)};
    }
    return AlterRefusal{ErrorCode::invalid_request,
                        fmt::format("Unknown resource type {}", alteration.resource_type)};
  }

  static AlterRefusal no_topic(const std::string& name) {
    return {ErrorCode::unknown_topic_or_partition, fmt::format("The topic '{}' does not exist.", name)};
  }

  void on_read(std::vector<zk::ZkResult> results) {
    if (results.empty())
      return finish({ErrorCode::unknown_server_error, "The session with ZooKeeper was lost."});
    const Alteration& alteration = alterations_[outcomes_.size()];
    const std::string& name = alteration.resource_name;
    if (results.size() > 2 && !results[2].ok()) return finish(no_topic(name));
    if (!results[0].ok()) {
      return finish(
          {ErrorCode::stale_controller_epoch, "There is no controller that the change could be made under."});
    }
    const std::string path = zk::config_path(place_.type, place_.entity);
    auto settings = zk::decode_config(path, results[1].data);
    if (!settings) return finish({ErrorCode::unknown_server_error, settings.error().context});
    if (auto refusal = alteration.change(*settings)) return finish(std::move(*refusal));
    if (auto refusal = check(*settings)) return finish(std::move(*refusal));
    if (validate_only_) return finish({});
    write(path, *settings, results[0].stat.version, results[1].ok());
  }

  std::optional<AlterRefusal> check(const zk::Config& settings) const {
    const auto now = services_.configs->now();
    const config::Overrides overrides = to_overrides(settings);
    const base::Status status = place_.type == zk::kTopicConfigs
                                    ? config::check_topic_overrides(now->tables().topic, overrides)
                                    : now->check_dynamic(overrides, place_.entity == zk::kDefaultEntity);
    if (status) return std::nullopt;
    if (place_.type != zk::kTopicConfigs)
      return AlterRefusal{ErrorCode::invalid_request, status.error().context};
    AlterRefusal refusal{ErrorCode::invalid_config, status.error().context};
    if (status.error().code == base::Errc::invalid_argument)
      refusal.message =
          fmt::format("Invalid config value for resource ConfigResource(type=TOPIC, name='{}'): {}",
                      alterations_[outcomes_.size()].resource_name, refusal.message);
    return refusal;
  }

  void write(const std::string& path, const zk::Config& settings, std::int32_t controller_version,
             bool exists) {
    const std::string json = zk::encode_config(settings);
    zk::ZkOp put = exists ? zk::set_op(path, json) : zk::create_op(path, json);
    zk::ZkOp notify = zk::create_op(fmt::format("{}/{}", zk::kConfigChangesPath, zk::kConfigChangePrefix),
                                    zk::encode_config_change({place_.type, place_.entity}));
    notify.sequential = true;
    std::vector<zk::ZkOp> guarded{zk::check_op(std::string(zk::kControllerPath), controller_version),
                                  std::move(put)};
    services_.control->perform({zk::multi_op(std::move(guarded))}, [self = shared_from_this(), notify](
                                                                       std::vector<zk::ZkResult> results) {
      if (results.empty() || !results[0].ok()) {
        return self->finish(
            {ErrorCode::stale_controller_epoch, "The controller moved while the change was made."});
      }
      self->services_.control->perform({notify}, [self](std::vector<zk::ZkResult>) { self->finish({}); });
    });
  }

  Services& services_;
  std::vector<Alteration> alterations_;
  bool validate_only_;
  std::function<void(std::vector<AlterOutcome>)> done_;
  std::vector<AlterOutcome> outcomes_;
  ConfigPlace place_;
};

}  // namespace

ConfigPlace topic_place(const std::string& topic) {
  return {std::string(zk::kTopicConfigs), zk::sanitize_entity(topic)};
}

ConfigPlace broker_place(const std::string& broker) {
  return {std::string(zk::kBrokerConfigs), broker.empty() ? std::string(zk::kDefaultEntity) : broker};
}

std::optional<std::int32_t> broker_id_of(const std::string& name) {
  std::int32_t id = 0;
  if (!conf::fields::parse(name, {}, id)) return std::nullopt;
  return id;
}

void alter(Services& services, std::vector<Alteration> alterations, bool validate_only,
           std::function<void(std::vector<AlterOutcome>)> done) {
  std::make_shared<Run>(services, std::move(alterations), validate_only, std::move(done))->next();
}

}  // namespace tandem::broker::api
