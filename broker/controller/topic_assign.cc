#include "broker/controller/topic_assign.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace tandem::broker::controller {
namespace {

using protocol::ErrorCode;

// Racks in order, one broker of each in turn.
std::vector<std::int32_t> rack_alternated(const std::map<std::int32_t, std::string>& racks) {
  std::map<std::string, std::vector<std::int32_t>> by_rack;
  for (const auto& [id, rack] : racks) by_rack[rack].push_back(id);
  std::vector<std::int32_t> out;
  for (std::size_t round = 0; out.size() < racks.size(); ++round) {
    for (const auto& [rack, ids] : by_rack) {
      if (round < ids.size()) out.push_back(ids[round]);
    }
  }
  return out;
}

struct Plan {
  std::vector<std::int32_t> brokers;
  std::map<std::int32_t, std::string> racks;  // empty: rack-unaware
  std::size_t rack_count = 0;
};

std::size_t follower_index(std::size_t first, std::size_t shift, std::size_t replica, std::size_t brokers) {
  return (first + 1 + (shift + replica) % (brokers - 1)) % brokers;
}

zk::Replicas place(const Plan& plan, std::size_t first, std::size_t shift, std::int32_t factor) {
  zk::Replicas out = {plan.brokers[first]};
  std::set<std::string> used_racks;
  if (!plan.racks.empty()) used_racks.insert(plan.racks.at(out.front()));
  for (std::size_t k = 0; out.size() < static_cast<std::size_t>(factor); ++k) {
    const std::size_t step = plan.racks.empty() ? shift : shift * plan.rack_count;
    const auto broker = plan.brokers[follower_index(first, step, k, plan.brokers.size())];
    if (!plan.racks.empty()) {
      const auto& rack = plan.racks.at(broker);
      const bool rack_taken = used_racks.contains(rack) && used_racks.size() < plan.rack_count;
      const bool broker_taken = std::find(out.begin(), out.end(), broker) != out.end();
      if (rack_taken || broker_taken) continue;
      used_racks.insert(rack);
    }
    out.push_back(broker);
  }
  return out;
}

}  // namespace

AssignResult assign_replicas(std::vector<AssignableBroker> brokers, AssignOptions options,
                             base::Random& random) {
  if (options.partitions <= 0) {
    return {{ErrorCode::invalid_partitions, "Number of partitions must be larger than 0."}, {}};
  }
  if (options.replication_factor <= 0) {
    return {{ErrorCode::invalid_replication_factor, "Replication factor must be larger than 0."}, {}};
  }
  if (static_cast<std::size_t>(options.replication_factor) > brokers.size()) {
    return {{ErrorCode::invalid_replication_factor,
             fmt::format("Replication factor: {} larger than available brokers: {}.",
                         options.replication_factor, brokers.size())},
            {}};
  }
  Plan plan;
  const auto has_rack = [](const AssignableBroker& broker) { return broker.rack.has_value(); };
  if (std::any_of(brokers.begin(), brokers.end(), has_rack)) {
    if (!std::all_of(brokers.begin(), brokers.end(), has_rack)) {
      return {{ErrorCode::unknown_server_error,
               "Not all brokers have rack information for replica rack aware assignment."},
              {}};
    }
    std::set<std::string> racks;
    for (const auto& broker : brokers) plan.racks.emplace(broker.id, *broker.rack);
    for (const auto& [id, rack] : plan.racks) racks.insert(rack);
    plan.rack_count = racks.size();
    plan.brokers = rack_alternated(plan.racks);
  } else {
    for (const auto& broker : brokers) plan.brokers.push_back(broker.id);
  }
  const std::size_t count = plan.brokers.size();
  const std::size_t start = options.start ? *options.start : random.below(count);
  std::size_t shift = options.start ? *options.start : random.below(count);
  AssignResult out;
  for (std::int32_t i = 0; i < options.partitions; ++i) {
    const std::size_t partition = static_cast<std::size_t>(options.first_partition + i);
    if (partition > 0 && partition % count == 0) ++shift;
    out.partitions[options.first_partition + i] =
        place(plan, (partition + start) % count, shift, options.replication_factor);
  }
  return out;
}

}  // namespace tandem::broker::controller
