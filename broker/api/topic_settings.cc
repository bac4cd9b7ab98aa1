#include "broker/api/topic_settings.h"

#include "broker/api/config_registry.h"

namespace tandem::broker::api {

namespace {

config::Overrides overrides_of(const zk::Config& configs) {
  config::Overrides out;
  for (const auto& [key, value] : configs) out[key] = value;
  return out;
}

}  // namespace

controller::AdminError topic_config_fault(const Services& services, const zk::Config& configs) {
  const auto settings = services.configs->now();
  const auto status = config::check_topic_overrides(settings->tables().topic, overrides_of(configs));
  if (status) return {};
  return {protocol::ErrorCode::invalid_config, status.error().context};
}

std::optional<ShownConfigs> shown_topic_configs(const Services& services, const std::string& topic,
                                                const zk::Config& configs) {
  ShownConfigs out;
  for (const auto& entry :
       services.configs->now()->with_topic(topic, overrides_of(configs)).describe_topic(topic)) {
    auto& shown = out.emplace_back();
    shown.name = entry.name;
    shown.value = entry.value;
    shown.read_only = entry.read_only;
    shown.config_source = static_cast<std::int8_t>(entry.source);
    shown.is_sensitive = entry.sensitive;
  }
  return out;
}

bool deletion_enabled(const Services& services) {
  return services.configs->now()->broker().delete_topic_enable;
}

}  // namespace tandem::broker::api
