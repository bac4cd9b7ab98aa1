#include "tests/transcript/controller/printed.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace tandem::transcript {

namespace protocol = broker::protocol;
using protocol::ErrorCode;

namespace {

std::string joined(const std::vector<protocol::BrokerId>& ids) {
  std::string out;
  for (const auto id : ids) out += fmt::format("{}{}", out.empty() ? "" : ",", static_cast<std::int32_t>(id));
  return out;
}

std::string text(const protocol::LeaderAndIsrRequest& request) {
  std::string out = request.type == 1 ? "LeaderAndIsr, all partitions" : "LeaderAndIsr";
  for (const auto& topic : request.topic_states) {
    for (const auto& p : topic.partition_states) {
      out += fmt::format(" {}-{}(leader {} epoch {} isr {}{})", topic.topic_name, p.partition_index, p.leader,
                         p.leader_epoch, joined(p.isr), p.is_new ? " new" : "");
    }
  }
  return out;
}

std::string text(const broker::controller::MetadataUpdate& update) {
  const protocol::UpdateMetadataRequest& request = *update.shared;
  std::string out = "UpdateMetadata";
  for (const auto& topic : request.topic_states) {
    for (const auto& p : topic.partition_states) {
      out += fmt::format(" {}-{}(leader {} epoch {} isr {}{}{})", topic.topic_name, p.partition_index,
                         p.leader, p.leader_epoch, joined(p.isr),
                         p.offline_replicas.empty() ? "" : " offline ", joined(p.offline_replicas));
    }
  }
  out += ", alive";
  for (const auto& broker : request.live_brokers) out += fmt::format(" {}", broker.id);
  return out;
}

std::string text(const protocol::StopReplicaRequest& request) {
  std::string out = "StopReplica";
  for (const auto& topic : request.topic_states) {
    for (const auto& p : topic.partition_states) {
      out += fmt::format(" {}-{}(epoch {}{})", topic.topic_name, p.partition_index, p.leader_epoch,
                         p.delete_partition ? " delete" : "");
    }
  }
  return out;
}

std::string text(const broker::controller::AdminError& error) {
  return error.ok() ? "done" : fmt::format("{} {}", error.code, error.message);
}

using Lines = std::vector<std::string>;

Lines lines(const protocol::AlterPartitionResponse& response) {
  if (response.error_code != ErrorCode::none) return {fmt::format("{}", response.error_code)};
  Lines out;
  for (const auto& topic : response.topics) {
    for (const auto& p : topic.partitions) {
      out.push_back(p.error_code != ErrorCode::none
                        ? fmt::format("{}", p.error_code)
                        : fmt::format("leader {} epoch {} isr {}, partition epoch {}", p.leader_id,
                                      p.leader_epoch, joined(p.isr), p.partition_epoch));
    }
  }
  return out;
}

Lines lines(const protocol::ControlledShutdownResponse& response) {
  std::string out = fmt::format("{}, still led", response.error_code);
  for (const auto& p : response.remaining_partitions) {
    out += fmt::format(" {}-{}", p.topic_name, p.partition_index);
  }
  return {out + (response.remaining_partitions.empty() ? " nothing" : "")};
}

Lines lines(const protocol::AllocateProducerIdsResponse& response) {
  return {fmt::format("{} from {}, {} ids", response.error_code, response.producer_id_start,
                      response.producer_id_len)};
}

std::string outcome(ErrorCode code) { return code == ErrorCode::none ? "done" : fmt::format("{}", code); }

Lines lines(const protocol::AlterPartitionReassignmentsResponse& response) {
  if (response.error_code != ErrorCode::none) return {outcome(response.error_code)};
  Lines out;
  for (const auto& topic : response.responses) {
    for (const auto& p : topic.partitions)
      out.push_back(fmt::format("{}-{}: {}", topic.name, p.partition_index, outcome(p.error_code)));
  }
  return out;
}

Lines lines(const protocol::ListPartitionReassignmentsResponse& response) {
  if (response.error_code != ErrorCode::none) return {outcome(response.error_code)};
  Lines out;
  for (const auto& topic : response.topics) {
    for (const auto& p : topic.partitions) {
      out.push_back(fmt::format("{}-{}: {} adding {} removing {}", topic.name, p.partition_index,
                                joined(p.replicas), joined(p.adding_replicas), joined(p.removing_replicas)));
    }
  }
  return out;
}

Lines lines(const protocol::ElectLeadersResponse& response) {
  Lines out;
  for (const auto& topic : response.replica_election_results) {
    for (const auto& p : topic.partition_result)
      out.push_back(fmt::format("{}-{}: {}", topic.topic, p.partition_id, outcome(p.error_code)));
  }
  return out;
}

Lines lines(const protocol::UpdateFeaturesResponse& response) {
  if (response.error_code != ErrorCode::none) return {outcome(response.error_code)};
  Lines out;
  for (const auto& result : response.results)
    out.push_back(fmt::format("{}: {}", result.feature, outcome(result.error_code)));
  return out;
}

Lines lines(const broker::controller::TopicsCreated& created) {
  Lines out;
  for (const auto& topic : created.topics)
    out.push_back(fmt::format("{}: {}", topic.name, text(topic.error)));
  return out;
}

Lines lines(const broker::controller::TopicErrors& errors) {
  Lines out;
  for (const auto& topic : errors.topics)
    out.push_back(fmt::format("{}: {}", topic.topic, text(topic.error)));
  return out;
}

}  // namespace

std::string printed(const broker::controller::ControlRequest& request) {
  return std::visit([](const auto& r) { return text(r); }, request);
}

std::vector<std::string> printed(const broker::controller::ControllerReply& reply) {
  return std::visit([](const auto& r) { return lines(r); }, reply);
}

}  // namespace tandem::transcript
