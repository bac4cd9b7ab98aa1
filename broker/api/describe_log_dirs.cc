#include <algorithm>
#include <map>

#include "broker/api/handlers.h"
#include "broker/api/replicas.h"

namespace tandem::broker::api {

namespace {

using protocol::DescribeLogDirsRequest;
using protocol::DescribeLogDirsResponse;
using protocol::ErrorCode;

bool asked_for(const DescribeLogDirsRequest& request, const Replicas::Known& log) {
  if (!request.topics) return true;
  return std::any_of(request.topics->begin(), request.topics->end(), [&](const auto& topic) {
    return topic.topic == log.topic && std::find(topic.partitions.begin(), topic.partitions.end(),
                                                 log.partition) != topic.partitions.end();
  });
}

}  // namespace

void describe_log_dirs(Call call, DescribeLogDirsRequest request) {
  DescribeLogDirsResponse response;
  for (const auto& dir : call.services.replicas->dir_status()) {
    auto& result = response.results.emplace_back();
    result.log_dir = dir.path;
    if (!dir.online) {
      result.error_code = ErrorCode::kafka_storage_error;
      continue;
    }
    result.total_bytes = static_cast<std::int64_t>(dir.space.total_bytes);
    result.usable_bytes = static_cast<std::int64_t>(dir.space.usable_bytes);
    std::map<std::string, std::vector<DescribeLogDirsResponse::DescribeLogDirsPartition>> topics;
    for (const auto& log : dir.logs)
      if (asked_for(request, log))
        topics[log.topic].push_back(
            {log.partition, static_cast<std::int64_t>(log.size), log.lag, log.future});
    for (auto& [name, partitions] : topics) result.topics.push_back({name, std::move(partitions)});
  }
  call.respond.send(response);
}

}  // namespace tandem::broker::api
