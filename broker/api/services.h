// What handlers work with, by reference; made by the server before the first request and alive until the
// last. Each part's own header says on which threads it may be used.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "broker/api/shards.h"
#include "logging/logger.h"

namespace tandem::broker::api {

// Which broker this is. Fixed once it serves, but for the epoch of its registration.
struct Node {
  std::int32_t broker_id = -1;
  std::string cluster_id;
  std::string rack;
  std::atomic<std::int64_t> broker_epoch{-1};    // czxid of /brokers/ids/N
  std::atomic<std::int64_t> features_epoch{-1};  // version of /feature
};

class ClusterControl;
class ConfigRegistry;
class MetadataCache;
class TopicAutoCreation;
class Replicas;
class ProducerIds;
class GroupService;

struct Services {
  const base::Clock& clock;
  logging::Logger log;
  Shards& shards;
  Node& node;
  MetadataCache& metadata;
  TopicAutoCreation* auto_creation = nullptr;    // null: auto.create.topics.enable=false
  TopicAutoCreation* internal_topics = nullptr;  // always allowed to be made; there before the first request
  GroupService* groups = nullptr;                // there before the first request
  Replicas* replicas = nullptr;         // the partitions of this broker; there before the first request
  ClusterControl* control = nullptr;    // the controller and the tree; set before the broker serves
  ProducerIds* producer_ids = nullptr;  // null: none can be had yet
  ConfigRegistry* configs = nullptr;    // the settings in force
};

}  // namespace tandem::broker::api
