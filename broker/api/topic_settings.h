// What CreateTopics needs of the settings: whether the configs asked for may be a topic's, and how the new
// topic's settings are shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/api/services.h"
#include "broker/controller/topic_assign.h"
#include "broker/protocol/messages/create_topics.h"
#include "broker/zk/configs.h"

namespace tandem::broker::api {

controller::AdminError topic_config_fault(const Services& services, const zk::Config& configs);

bool deletion_enabled(const Services& services);  // delete.topic.enable

using ShownConfigs = std::vector<protocol::CreateTopicsResponse::CreatableTopicConfigs>;
std::optional<ShownConfigs> shown_topic_configs(const Services& services, const std::string& topic,
                                                const zk::Config& configs);

}  // namespace tandem::broker::api
