#include "tools/kafka/leader_election.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <set>

#include "broker/protocol/messages/elect_leaders.h"
#include "broker/zk/map_order.h"
#include "tools/kafka/admin.h"
#include "tools/kafka/commands.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::string_view kLeaderElectionName = "kafka-leader-election.sh";
constexpr auto kLeaderElectionOptions = std::to_array<Option>({
    kBootstrapServer,
    {"admin.config", "file", "A file of client properties."},
    {"path-to-json-file", "file", "The partitions, as {\"partitions\":[{\"topic\":\"t\",\"partition\":0}]}."},
    {"topic", "name", "One partition's topic."},
    {"partition", "number", "One partition's number."},
    {"all-topic-partitions", "", "Every partition that needs an election."},
    {"election-type", "preferred|unclean", "What kind of election."},
    kHelp,
    kVersion,
});
constexpr std::int32_t kLeaderElectionTimeoutMs = 30'000;

int leader_election_failed(std::string_view message) {
  fmt::print(stderr, "{}\n", message);
  return 1;
}

// In the order in which Apache's tool prints them.
std::string in_their_order(const std::vector<zk::TopicPartition>& partitions) {
  std::vector<std::int32_t> hashes;
  for (const auto& each : partitions) {
    const std::uint32_t hash = 31U * (31U + static_cast<std::uint32_t>(each.partition));
    hashes.push_back(
        static_cast<std::int32_t>(hash + static_cast<std::uint32_t>(zk::java_string_hash(each.topic))));
  }
  std::vector<zk::TopicPartition> ordered;
  for (const auto at : java_hash_order(hashes)) ordered.push_back(partitions[at]);
  return joined(ordered, ", ");
}

// What is wrong with the options, in Apache's words; empty: nothing.
std::string election_options_fault(const Options& options) {
  std::vector<std::string> missing;
  for (const auto* name : {"bootstrap-server", "election-type"})
    if (!options.has(name)) missing.emplace_back(name);
  if (!missing.empty()) return "Missing required option(s): " + join(missing, ", ");
  const auto type = options.get_or("election-type", "");
  if (type != "preferred" && type != "unclean" && type != "PREFERRED" && type != "UNCLEAN")
    return fmt::format("Cannot parse argument '{}' of option election-type", type);
  const int ways =
      options.has("topic") + options.has("all-topic-partitions") + options.has("path-to-json-file");
  if (ways != 1)
    return "One and only one of the following options is required: topic, all-topic-partitions, "
           "path-to-json-file";
  if (options.has("topic") && !options.has("partition")) return "Missing required option(s): partition";
  if (!options.has("topic") && options.has("partition"))
    return "Option partition is only allowed if topic is used";
  return "";
}

base::Result<Elected> partitions_to_elect(const Options& options) {
  if (options.has("all-topic-partitions")) return Elected();
  if (const auto topic = options.get("topic")) {
    const auto number = options.number("partition");
    if (!number) return number.error();
    return Elected({zk::TopicPartition{*topic, static_cast<std::int32_t>(**number)}});
  }
  const auto text = read_text_file(options.get_or("path-to-json-file", ""));
  if (!text) return base::make_error(text.error().code, "java.io.IOException: {}", text.error().context);
  auto partitions = parse_partition_list(*text);
  if (!partitions) return partitions.error();
  if (const auto twice = repeated(*partitions); !twice.empty())
    return base::make_error(base::Errc::invalid_argument,
                            "Replica election data contains duplicate partitions: [{}]", twice);
  return Elected(std::move(*partitions));
}

ErrorCode moved_error(const protocol::ElectLeadersResponse& response) {
  for (const auto& topic : response.replica_election_results) {
    for (const auto& partition : topic.partition_result) {
      if (partition.error_code == ErrorCode::not_controller) return ErrorCode::not_controller;
    }
  }
  return response.error_code;
}

int report_elections(const protocol::ElectLeadersResponse& response, const ElectionWords& words) {
  if (response.error_code != ErrorCode::none) return leader_election_failed(words_of(response.error_code));
  std::vector<zk::TopicPartition> done;
  std::vector<zk::TopicPartition> idle;
  std::vector<std::string> failed;
  for (const auto& topic : response.replica_election_results) {
    for (const auto& partition : topic.partition_result) {
      const zk::TopicPartition key{topic.topic, partition.partition_id};
      if (partition.error_code == ErrorCode::none) {
        done.push_back(key);
      } else if (partition.error_code == ErrorCode::election_not_needed) {
        idle.push_back(key);
      } else {
        failed.push_back(
            fmt::format("Error completing {} for partition: {}: org.apache.kafka.common.errors.{}: {}",
                        words.election, key.text(), protocol::error_info(partition.error_code).exception,
                        words_of(partition.error_code, partition.error_message)));
      }
    }
  }
  if (!done.empty())
    fmt::print("Successfully completed {} for partitions {}\n", words.election, in_their_order(done));
  if (!idle.empty()) fmt::print("{} already elected for partitions {}\n", words.idle, in_their_order(idle));
  for (const auto& line : failed) fmt::print("{}\n", line);
  if (failed.empty()) return 0;
  std::fflush(stdout);
  return leader_election_failed(fmt::format("{} {} could not be elected", failed.size(), words.failed));
}

}  // namespace

int elect_by_brokers(const Options& options, const Elected& partitions, bool unclean,
                     const ElectionWords& words) {
  if (const auto file = options.get("admin.config")) {
    if (const auto checked = check_client_properties(*file); !checked)
      return leader_election_failed(checked.error().context);
  }
  protocol::ElectLeadersRequest request;
  request.election_type = unclean ? 1 : 0;
  request.timeout_ms = kLeaderElectionTimeoutMs;
  if (partitions) {
    request.topic_partitions.emplace();
    for (const auto& partition : *partitions)
      request.topic_partitions->push_back({partition.topic, {partition.partition}});
  }
  auto admin = open_admin(options, Admin::Milliseconds(kLeaderElectionTimeoutMs));
  if (!admin) return leader_election_failed(admin.error().context);
  const auto response = admin->ask_controller<protocol::ElectLeadersRequest>(request, moved_error);
  if (!response) return leader_election_failed(response.error().context);
  return report_elections(*response, words);
}

int leader_election(const Invocation& invocation) {
  const auto options = Options::parse(kLeaderElectionOptions, invocation.args);
  if (!options) return wrong_usage(options.error().context, kLeaderElectionName, kLeaderElectionOptions);
  if (options->has("help"))
    return wrong_usage(
        "This tool attempts to elect a new leader for a set of topic partitions. The type of elections "
        "supported are preferred replicas and unclean replicas.",
        kLeaderElectionName, kLeaderElectionOptions);
  if (options->has("version")) return print_version();
  if (const auto fault = election_options_fault(*options); !fault.empty())
    return leader_election_failed(fault);
  const auto partitions = partitions_to_elect(*options);
  if (!partitions) return leader_election_failed(partitions.error().context);
  const auto type = options->get_or("election-type", "");
  const bool unclean = type == "unclean" || type == "UNCLEAN";
  return elect_by_brokers(*options, *partitions, unclean,
                          unclean
                              ? ElectionWords{"leader election (UNCLEAN)", "Valid replica", "replica(s)"}
                              : ElectionWords{"leader election (PREFERRED)", "Valid replica", "replica(s)"});
}

}  // namespace tandem::tools::kafka
