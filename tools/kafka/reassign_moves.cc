#include <fmt/core.h>
#include <fmt/format.h>
#include <poll.h>

#include "broker/protocol/messages/alter_replica_log_dirs.h"
#include "broker/protocol/messages/describe_log_dirs.h"
#include "tools/kafka/reassign_partitions.h"

namespace tandem::tools::kafka {

namespace {

constexpr int kMovePauseMs = 100;

// The request of one broker for its replicas among `goals`.
protocol::AlterReplicaLogDirsRequest log_dir_request_for(std::int32_t broker, const LogDirGoals& goals) {
  std::map<std::string, std::map<std::string, std::vector<std::int32_t>>> dirs;
  for (const auto& [replica, dir] : goals) {
    if (replica.broker == broker) dirs[dir][replica.partition.topic].push_back(replica.partition.partition);
  }
  protocol::AlterReplicaLogDirsRequest request;
  for (auto& [path, topics] : dirs) {
    auto& dir = request.dirs.emplace_back();
    dir.path = path;
    for (auto& [name, partitions] : topics) dir.topics.push_back({name, std::move(partitions)});
  }
  return request;
}

// Asks every broker concerned once; gives the replicas whose move has begun. Those that are not there yet
// are asked for again later; any other error ends it.
base::Result<std::vector<ReplicaOnBroker>> start_log_dir_moves_once(Admin& admin, const LogDirGoals& goals) {
  std::set<std::int32_t> brokers;
  for (const auto& [replica, dir] : goals) brokers.insert(replica.broker);
  std::vector<ReplicaOnBroker> begun;
  for (const auto broker : brokers) {
    const auto connection = admin.node(broker);
    if (!connection) return connection.error();
    const auto response = (*connection)->call(log_dir_request_for(broker, goals));
    if (!response) return response.error();
    for (const auto& topic : response->results) {
      for (const auto& partition : topic.partitions) {
        const ReplicaOnBroker replica{broker, {topic.topic_name, partition.partition_index}};
        if (partition.error_code == ErrorCode::none) {
          begun.push_back(replica);
        } else if (partition.error_code != ErrorCode::replica_not_available) {
          return base::make_error(base::Errc::unavailable, "Failed to alter dir for {}: {}", replica.text(),
                                  words_of(partition.error_code));
        }
      }
    }
  }
  return begun;
}

}  // namespace

LogDirGoals log_dir_goals(const std::vector<Placement>& placements) {
  LogDirGoals out;
  for (const auto& placement : placements) {
    for (std::size_t i = 0; i < placement.replicas.size(); ++i) {
      if (placement.log_dirs[i] != kAnyLogDir)
        out[{placement.replicas[i], placement.partition}] = placement.log_dirs[i];
    }
  }
  return out;
}

base::Result<std::map<ReplicaOnBroker, LogDirMove>> find_log_dir_moves(Admin& admin,
                                                                       const LogDirGoals& goals) {
  std::map<ReplicaOnBroker, LogDirMove> out;
  for (const auto& [replica, dir] : goals) out[replica] = {};
  std::set<std::int32_t> brokers;
  for (const auto& [replica, dir] : goals) brokers.insert(replica.broker);
  for (const auto broker : brokers) {
    const auto connection = admin.node(broker);
    if (!connection) return connection.error();
    const auto response = (*connection)->call(protocol::DescribeLogDirsRequest{});
    if (!response) return response.error();
    for (const auto& dir : response->results) {
      for (const auto& topic : dir.topics) {
        for (const auto& partition : topic.partitions) {
          const auto at = out.find({broker, {topic.name, partition.partition_index}});
          if (at == out.end()) continue;
          (partition.is_future_key ? at->second.future : at->second.current) = dir.log_dir;
        }
      }
    }
  }
  return out;
}

bool print_log_dir_moves(const std::map<ReplicaOnBroker, LogDirMove>& moves, const LogDirGoals& goals) {
  bool under_way = false;
  std::string text;
  for (const auto& [replica, move] : moves) {
    const auto& goal = goals.at(replica);
    const auto name = replica.partition.text();
    if (!text.empty()) text += "\n";
    if (move.current.empty()) {
      text += fmt::format(
          "Partition {} is not found in any live log dir on broker {}. There is likely an offline log "
          "directory on the broker.",
          name, replica.broker);
    } else if (!move.future.empty()) {
      under_way = true;
      text += move.future == goal
                  ? fmt::format("Reassignment of replica {} is still in progress.", replica.text())
                  : fmt::format("Partition {} on broker {} is being moved to log dir {} instead of {}.", name,
                                replica.broker, move.future, goal);
    } else if (move.current == goal) {
      text += fmt::format("Reassignment of replica {} completed successfully.", replica.text());
    } else {
      text += fmt::format("Partition {} on broker {} is not being moved from log dir {} to {}.", name,
                          replica.broker, move.current, goal);
    }
  }
  fmt::print("{}\n", text);
  return under_way;
}

base::Status start_log_dir_moves(Admin& admin, LogDirGoals goals, std::int64_t timeout_ms) {
  const base::SystemClock clock;
  const auto deadline = clock.now() + std::chrono::milliseconds(timeout_ms);
  while (true) {
    auto begun = start_log_dir_moves_once(admin, goals);
    if (!begun) return begun.error();
    std::sort(begun->begin(), begun->end());
    for (const auto& replica : *begun) {
      fmt::print("Successfully started moving log directory to {} for replica {} with broker {} \n",
                 goals.at(replica), replica.partition.text(), replica.broker);
      goals.erase(replica);
    }
    if (goals.empty()) return {};
    if (clock.now() >= deadline) break;
    ::poll(nullptr, 0, kMovePauseMs);
  }
  std::vector<std::string> left;
  for (const auto& [replica, dir] : goals) left.push_back(replica.text());
  return base::make_error(base::Errc::timed_out,
                          "Timed out before log directory move{} could be started for: {}",
                          left.size() == 1 ? "" : "s", fmt::join(left, ","));
}

}  // namespace tandem::tools::kafka
