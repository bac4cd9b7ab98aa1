// From a topic's settings to what its logs act on. Pure; called when a log is made and when a setting
// changes. The rules between keys (formats by protocol version, the older timestamp limit) are Kafka 3.9's.
#pragma once

#include "broker/config/topic_config.h"
#include "broker/log/log_config.h"

namespace tandem::broker::api {

log::LogConfig log_config(const config::TopicConfig& topic, const config::BrokerConfig& broker,
                          std::string_view topic_name, std::int32_t broker_id);

}  // namespace tandem::broker::api
