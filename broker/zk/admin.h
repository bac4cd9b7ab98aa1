// Znodes by which tools and brokers ask the controller for something: /admin/reassign_partitions,
// /admin/preferred_replica_election, /isr_change_notification/*, /log_dir_event_notification/*; and
// /consumers/G/offsets/T/P. Every topic name read here has passed the rule of names.h. Source: Kafka 3.9
// ZkData.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/zk/names.h"
#include "broker/zk/topics.h"

namespace tandem::broker::zk {

std::string encode_reassignment(const std::map<TopicPartition, Replicas>& targets);
base::Result<std::map<TopicPartition, Replicas>> decode_reassignment(std::string_view json);

// The body of preferred_replica_election and of isr_change_S.
std::string encode_partitions(const std::vector<TopicPartition>& partitions);
base::Result<std::vector<TopicPartition>> decode_partitions(std::string_view what, std::string_view json);

std::string encode_log_dir_event(std::int32_t broker);
base::Result<std::int32_t> decode_log_dir_event(std::string_view json);

base::Result<std::int64_t> decode_consumer_offset(std::string_view text);

}  // namespace tandem::broker::zk
