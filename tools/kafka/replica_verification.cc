// kafka-replica-verification.sh: fetches the same offsets from every replica and compares the batches, up to
// the high watermark; reports the lag from time to time, and ends only when replicas differ or it is stopped.
#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <regex>
#include <set>

#include "broker/protocol/messages/fetch.h"
#include "broker/protocol/messages/list_offsets.h"
#include "broker/record/batch.h"
#include "tools/kafka/admin.h"
#include "tools/kafka/commands.h"
#include "tools/kafka/partition_files.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

namespace record = broker::record;

constexpr std::string_view kVerificationName = "kafka-replica-verification.sh";
constexpr auto kVerificationOptions = std::to_array<Option>({
    {"broker-list", "host:port", "The brokers to connect to first."},
    {"fetch-size", "bytes", "How much of a partition to fetch at once (1048576)."},
    {"max-wait-ms", "ms", "How long a fetch may wait (1000)."},
    {"topic-white-list", "regex", "The older name of --topics-include."},
    {"topics-include", "regex", "Which topics; all by default."},
    {"time", "-1|-2|ms", "From where: the latest offset by default."},
    {"report-interval-ms", "ms", "How often to report (30000)."},
    kHelp,
    kVersion,
});
constexpr std::int32_t kDebuggingReplica = -2;  // reads from followers too, beyond the high watermark
constexpr std::int16_t kFetchVersionMax = 12;   // by name
constexpr std::int16_t kListVersionMax = 5;

struct Watched {
  std::vector<std::int32_t> replicas;
  std::int32_t leader = -1;
  std::int64_t offset = 0;  // verified up to here
};
using WatchedPartitions = std::map<zk::TopicPartition, Watched>;

struct Fetched {
  std::string records;
  std::int64_t high_watermark = -1;
};
using FetchedReplicas = std::map<zk::TopicPartition, std::map<std::int32_t, Fetched>>;

std::string now_text() {
  const std::int64_t ms = base::SystemClock().wall().ms;
  const auto seconds = static_cast<std::time_t>(ms / 1000);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  return fmt::format("{},{:03}", text.data(), ms % 1000);
}

int verification_failed(std::string_view message) {
  fmt::print(stderr, "{}\n", message);
  return 1;
}

base::Result<WatchedPartitions> watched_partitions(Admin& admin, const std::string& pattern) {
  const auto seen = admin.metadata(std::nullopt);
  if (!seen) return seen.error();
  std::vector<std::string> names;
  for (const auto& topic : seen->topics) names.push_back(topic.name.value_or(""));
  const auto wanted = matching_topics(names, pattern);
  if (!wanted) return wanted.error();
  WatchedPartitions out;
  for (const auto& topic : seen->topics) {
    const auto name = topic.name.value_or("");
    if (std::find(wanted->begin(), wanted->end(), name) == wanted->end()) continue;
    for (const auto& partition : topic.partitions)
      out[{name, partition.partition_index}] = {partition.replica_nodes, partition.leader_id, 0};
  }
  return out;
}

base::Status find_offsets(Admin& admin, WatchedPartitions& partitions, std::int64_t time) {
  for (auto& [key, watched] : partitions) {
    const auto connection = admin.node(watched.leader);
    if (!connection) return connection.error();
    protocol::ListOffsetsRequest request;
    request.replica_id = -1;
    auto& topic = request.topics.emplace_back();
    topic.name = key.topic;
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = key.partition;
    partition.timestamp = time;
    const auto response = (*connection)->call_at(request, kListVersionMax);
    if (!response) return response.error();
    const auto& answer = response->topics.front().partitions.front();
    if (answer.error_code != ErrorCode::none)
      return base::make_error(base::Errc::unavailable, "{}: {}", key.text(), words_of(answer.error_code));
    watched.offset = std::max<std::int64_t>(answer.offset, 0);
  }
  return {};
}

struct FetchLimits {
  std::int32_t bytes = 1'048'576;
  std::int32_t wait_ms = 1000;
};

protocol::FetchRequest fetch_request_for(std::int32_t broker, const WatchedPartitions& partitions,
                                         FetchLimits limits) {
  protocol::FetchRequest request;
  request.replica_id = kDebuggingReplica;
  request.max_wait_ms = limits.wait_ms;
  request.min_bytes = 1;
  for (const auto& [key, watched] : partitions) {
    if (std::find(watched.replicas.begin(), watched.replicas.end(), broker) == watched.replicas.end())
      continue;
    if (request.topics.empty() || request.topics.back().topic != key.topic)
      request.topics.emplace_back().topic = key.topic;
    auto& partition = request.topics.back().partitions.emplace_back();
    partition.partition = key.partition;
    partition.fetch_offset = watched.offset;
    partition.partition_max_bytes = limits.bytes;
  }
  return request;
}

base::Status fetch_from(Admin& admin, std::int32_t broker, const WatchedPartitions& partitions,
                        FetchLimits limits, FetchedReplicas& out) {
  const auto connection = admin.node(broker);
  if (!connection) return connection.error();
  const auto response =
      (*connection)->call_at(fetch_request_for(broker, partitions, limits), kFetchVersionMax);
  if (!response) return response.error();
  for (const auto& topic : response->responses) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != ErrorCode::none) continue;  // asked again in the next round
      auto& fetched = out[{topic.topic, partition.partition_index}][broker];
      fetched.high_watermark = partition.high_watermark;
      if (partition.records.size() > 0) fetched.records = partition.records.slice().view();
    }
  }
  return {};
}

// The batches of all replicas side by side. Gives a sentence when they differ; moves the offset on.
std::string compare_replicas(const zk::TopicPartition& key, Watched& watched,
                             const std::map<std::int32_t, Fetched>& replicas) {
  std::map<std::int32_t, record::BatchCursor> rest;
  for (const auto& [broker, fetched] : replicas) rest.emplace(broker, record::BatchCursor(fetched.records));
  while (true) {
    std::optional<record::BatchView> first;
    std::int32_t first_broker = -1;
    for (auto& [broker, cursor] : rest) {
      if (!cursor.next()) return "";
      const record::BatchView batch = cursor.batch();
      if (batch.last_offset() >= replicas.at(broker).high_watermark) return "";
      if (!first) {
        first = batch;
        first_broker = broker;
      } else if (first->last_offset() != batch.last_offset()) {
        return fmt::format("partition {}: replica {}'s offset {} doesn't match replica {}'s offset {}",
                           key.text(), first_broker, first->last_offset(), broker, batch.last_offset());
      } else if (first->crc_field() != batch.crc_field()) {
        return fmt::format(
            "partition {} has unmatched checksum at offset {}; replica {}'s checksum {}; replica {}'s "
            "checksum {}",
            key.text(), batch.last_offset(), first_broker, first->crc_field(), broker, batch.crc_field());
      }
    }
    if (!first) return "";
    watched.offset = first->next_offset();
  }
}

struct Lag {
  std::int64_t lag = -1;
  std::string partition = "null";
  std::int64_t offset = -1;
};

// One round over all brokers; false when replicas differ.
base::Result<bool> run_round(Admin& admin, WatchedPartitions& partitions, FetchLimits limits, Lag& lag) {
  std::set<std::int32_t> brokers;
  for (const auto& [key, watched] : partitions)
    brokers.insert(watched.replicas.begin(), watched.replicas.end());
  FetchedReplicas fetched;
  for (const auto broker : brokers) {
    if (auto status = fetch_from(admin, broker, partitions, limits, fetched); !status) return status.error();
  }
  lag = {};
  for (auto& [key, watched] : partitions) {
    const auto& replicas = fetched[key];
    if (replicas.size() != watched.replicas.size()) continue;  // one did not answer: another time
    const auto difference = compare_replicas(key, watched, replicas);
    if (!difference.empty()) {
      fmt::print("{}: {}\n", now_text(), difference);
      return false;
    }
    std::int64_t high = -1;
    for (const auto& [broker, data] : replicas) high = std::max(high, data.high_watermark);
    if (high - watched.offset > lag.lag) lag = {high - watched.offset, key.text(), watched.offset};
  }
  return true;
}

struct VerificationSettings {
  FetchLimits limits;
  std::int64_t time = -1;
  std::int64_t report_ms = 30'000;
};

base::Result<VerificationSettings> verification_settings(const Options& options) {
  VerificationSettings out;
  const auto size = options.number("fetch-size");
  const auto wait = options.number("max-wait-ms");
  const auto time = options.number("time");
  const auto report = options.number("report-interval-ms");
  for (const auto* number : {&size, &wait, &time, &report})
    if (!*number) return number->error();
  out.limits.bytes = static_cast<std::int32_t>(size->value_or(out.limits.bytes));
  out.limits.wait_ms = static_cast<std::int32_t>(wait->value_or(out.limits.wait_ms));
  out.time = time->value_or(out.time);
  out.report_ms = report->value_or(out.report_ms);
  return out;
}

int verify_replicas(Admin& admin, const Options& options) {
  const auto settings = verification_settings(options);
  if (!settings) return verification_failed(settings.error().context);
  const std::string pattern = options.get_or("topics-include", options.get_or("topic-white-list", ".*"));
  auto partitions = watched_partitions(admin, pattern);
  if (!partitions) return verification_failed(partitions.error().context);
  if (partitions->empty())
    return verification_failed(
        "No topics found. [topics-include] if specified, is either filtering out all topics or there "
        "is no topic.");
  if (auto status = find_offsets(admin, *partitions, settings->time); !status)
    return verification_failed(status.error().context);
  fmt::print("{}: verification process is started\n", now_text());
  std::fflush(stdout);
  const base::SystemClock clock;
  auto reported = clock.now();
  while (true) {
    Lag lag;
    const auto same = run_round(admin, *partitions, settings->limits, lag);
    if (!same) return verification_failed(same.error().context);
    if (!*same) return 1;
    if (clock.now() - reported > std::chrono::milliseconds(settings->report_ms)) {
      fmt::print("{}: max lag is {} for partition {} at offset {} among {} partitions\n", now_text(), lag.lag,
                 lag.partition, lag.offset, partitions->size());
      std::fflush(stdout);
      reported = clock.now();
    }
    if (lag.lag <= 0) ::poll(nullptr, 0, settings->limits.wait_ms);
  }
}

}  // namespace

int replica_verification(const Invocation& invocation) {
  const auto options = Options::parse(kVerificationOptions, invocation.args);
  if (!options) return wrong_usage(options.error().context, kVerificationName, kVerificationOptions);
  if (invocation.args.empty() || options->has("help"))
    return wrong_usage("Validate that all replicas for a set of topics have the same data.",
                       kVerificationName, kVerificationOptions);
  if (options->has("version")) return print_version();
  if (!options->has("broker-list"))
    return wrong_usage("Missing required argument \"[broker-list]\"", kVerificationName,
                       kVerificationOptions);
  auto admin = Admin::open(options->get_or("broker-list", ""));
  if (!admin) return verification_failed(admin.error().context);
  return verify_replicas(*admin, *options);
}

}  // namespace tandem::tools::kafka
