// Znodes of the controllership and of the cluster as a whole: /controller (versions 1 and 2),
// /controller_epoch, /cluster/id, /feature, /latest_producer_id_block. Source: Kafka 3.9 ZkData.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace tandem::broker::zk {

struct ControllerNode {
  std::int32_t broker = -1;
  std::int32_t kraft_epoch = -1;
  bool operator==(const ControllerNode&) const = default;
};

// `version` 2 from inter-broker protocol 3.4 on is what Kafka 3.9 always writes.
std::string encode_controller(std::int32_t broker, base::WallTime now);
base::Result<ControllerNode> decode_controller(std::string_view json);

base::Result<std::int32_t> decode_controller_epoch(std::string_view text);

std::string encode_cluster_id(std::string_view id);
base::Result<std::string> decode_cluster_id(std::string_view json);

struct ProducerIdBlock {
  std::int32_t broker = -1;
  std::int64_t first = 0;
  std::int64_t last = -1;
  bool operator==(const ProducerIdBlock&) const = default;
};

constexpr std::int64_t kProducerIdBlockSize = 1000;
std::string encode_producer_ids(const ProducerIdBlock& block);
base::Result<ProducerIdBlock> decode_producer_ids(std::string_view json);

struct FeatureNode {
  std::int32_t version = 2;                      // 1 before inter-broker protocol 3.3
  bool enabled = true;                           // false before inter-broker protocol 2.7
  std::map<std::string, std::int32_t> features;  // name -> finalised level
  bool operator==(const FeatureNode&) const = default;
};

std::string encode_feature(const FeatureNode& node);
base::Result<FeatureNode> decode_feature(std::string_view json);

}  // namespace tandem::broker::zk
