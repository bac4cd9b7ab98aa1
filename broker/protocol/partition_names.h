// Messages name topics and partitions in one of two ways; what walks over several of them reads them here.
// Pure functions, any thread.
#pragma once

#include <cstdint>

namespace tandem::broker::protocol {

template <class Topic>
auto& name_of(Topic& topic) {
  if constexpr (requires { topic.name; }) {
    return topic.name;
  } else {
    return topic.topic;
  }
}

template <class Partition>
std::int32_t index_of(const Partition& partition) {
  if constexpr (requires { partition.partition_index; }) {
    return partition.partition_index;
  } else {
    return partition.partition;
  }
}

}  // namespace tandem::broker::protocol
