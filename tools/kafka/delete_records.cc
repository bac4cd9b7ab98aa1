// kafka-delete-records.sh: takes away what lies before an offset, partition by partition.
#include <fmt/core.h>

#include <array>
#include <set>

#include "broker/protocol/messages/delete_records.h"
#include "tools/kafka/admin.h"
#include "tools/kafka/commands.h"
#include "tools/kafka/partition_files.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::string_view kDeleteRecordsName = "kafka-delete-records.sh";
constexpr auto kDeleteRecordsOptions = std::to_array<Option>({
    kBootstrapServer,
    {"offset-json-file", "file",
     "The offsets, as {\"partitions\":[{\"topic\":\"t\",\"partition\":1,\"offset\":1}],\"version\":1}."},
    kCommandConfig,
    kHelp,
    kVersion,
});
constexpr std::string_view kOutOfRange =
    "The requested offset is not within the range of offsets maintained by the server.";
constexpr std::int32_t kDeleteRecordsTimeoutMs = 30'000;

int delete_records_failed(std::string_view message) {
  fmt::print(stderr, "{}\n", message);
  return 1;
}

std::map<zk::TopicPartition, std::int32_t> leaders_of(const protocol::MetadataResponse& seen) {
  std::map<zk::TopicPartition, std::int32_t> out;
  for (const auto& topic : seen.topics) {
    for (const auto& partition : topic.partitions)
      out[{topic.name.value_or(""), partition.partition_index}] = partition.leader_id;
  }
  return out;
}

// "low_watermark: 5", or the error.
std::string delete_one(Admin& admin, const PartitionOffset& wanted, std::int32_t leader) {
  const auto error_text = [](ErrorCode code) {
    return fmt::format("error: org.apache.kafka.common.errors.{}: {}", protocol::error_info(code).exception,
                       code == ErrorCode::offset_out_of_range ? kOutOfRange : protocol::sentence_of(code));
  };
  const auto connection = admin.node(leader);
  if (!connection) return "error: " + connection.error().context;
  protocol::DeleteRecordsRequest request;
  request.timeout_ms = kDeleteRecordsTimeoutMs;
  request.topics.push_back({wanted.partition.topic, {{wanted.partition.partition, wanted.offset}}});
  const auto response = (*connection)->call(request);
  if (!response) return "error: " + response.error().context;
  if (response->topics.empty() || response->topics.front().partitions.empty())
    return error_text(ErrorCode::unknown_server_error);
  const auto& result = response->topics.front().partitions.front();
  if (result.error_code != ErrorCode::none) return error_text(result.error_code);
  return fmt::format("low_watermark: {}", result.low_watermark);
}

int delete_all(Admin& admin, const std::vector<PartitionOffset>& offsets) {
  std::set<std::string> topics;
  for (const auto& entry : offsets) topics.insert(entry.partition.topic);
  fmt::print("Executing records delete operation\n");
  const auto seen = admin.metadata(std::vector<std::string>(topics.begin(), topics.end()));
  if (!seen) return delete_records_failed(seen.error().context);
  const auto leaders = leaders_of(*seen);
  fmt::print("Records delete operation completed:\n");
  for (const auto& entry : offsets) {
    const auto leader = leaders.find(entry.partition);
    std::string outcome;
    if (leader == leaders.end()) {
      outcome =
          "error: org.apache.kafka.common.errors.UnknownTopicOrPartitionException: This server does not host "
          "this topic-partition.";
    } else if (leader->second < 0) {
      outcome = fmt::format("error: org.apache.kafka.common.errors.LeaderNotAvailableException: {}",
                            protocol::sentence_of(ErrorCode::leader_not_available));
    } else {
      outcome = delete_one(admin, entry, leader->second);
    }
    fmt::print("partition: {}\t{}\n", entry.partition.text(), outcome);
  }
  return 0;
}

}  // namespace

int delete_records(const Invocation& invocation) {
  const auto options = Options::parse(kDeleteRecordsOptions, invocation.args);
  if (!options) return wrong_usage(options.error().context, kDeleteRecordsName, kDeleteRecordsOptions);
  if (options->has("help"))
    return wrong_usage(
        "This tool helps to delete records of the given partitions down to the specified offset.",
        kDeleteRecordsName, kDeleteRecordsOptions);
  if (options->has("version")) return print_version();
  for (const auto* name : {"bootstrap-server", "offset-json-file"}) {
    if (!options->has(name))
      return wrong_usage(fmt::format("Missing required argument \"[{}]\"", name), kDeleteRecordsName,
                         kDeleteRecordsOptions);
  }
  const auto text = read_text_file(options->get_or("offset-json-file", ""));
  if (!text) return delete_records_failed(text.error().context);
  const auto offsets = parse_partition_offsets(*text);
  if (!offsets) return delete_records_failed(offsets.error().context);
  std::vector<zk::TopicPartition> named;
  for (const auto& entry : *offsets) named.push_back(entry.partition);
  if (const auto twice = repeated(named); !twice.empty())
    return delete_records_failed("Offset json file contains duplicate topic partitions: " + twice);
  auto admin = open_admin(*options);
  if (!admin) return delete_records_failed(admin.error().context);
  return delete_all(*admin, *offsets);
}

}  // namespace tandem::tools::kafka
