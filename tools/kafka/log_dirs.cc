// kafka-log-dirs.sh: what the log directories of brokers hold. The keys of its JSON come in the order in
// which Apache's tool of 3.9 prints them.
#include <fmt/core.h>
#include <fmt/format.h>

#include <array>
#include <set>

#include "broker/protocol/messages/describe_log_dirs.h"
#include "broker/zk/json.h"
#include "tools/kafka/admin.h"
#include "tools/kafka/commands.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::string_view kLogDirsName = "kafka-log-dirs.sh";
constexpr auto kLogDirsOptions = std::to_array<Option>({
    kBootstrapServer,
    kCommandConfig,
    {"describe", "", "Describe the log directories."},
    {"topic-list", "t1,t2", "Only these topics."},
    {"broker-list", "0,1", "Only these brokers."},
    kHelp,
    kVersion,
});

int log_dirs_failed(std::string_view message) {
  fmt::print(stderr, "{}\n", message);
  return 1;
}

using LogDirWords = std::set<std::string>;

LogDirWords log_dir_words(const Options& options, std::string_view name) {
  LogDirWords out;
  for (auto& word : split(options.get_or(name, ""), ','))
    if (!word.empty()) out.insert(std::move(word));
  return out;
}

void print_dir(broker::zk::JsonWriter& json,
               const protocol::DescribeLogDirsResponse::DescribeLogDirsResult& dir,
               const LogDirWords& topics) {
  json.begin().key("partitions").begin_list();
  for (const auto& topic : dir.topics) {
    if (!topics.empty() && !topics.contains(topic.name)) continue;
    for (const auto& partition : topic.partitions) {
      json.begin().key("partition").text(fmt::format("{}-{}", topic.name, partition.partition_index));
      json.key("size").number(partition.partition_size).key("offsetLag").number(partition.offset_lag);
      json.key("isFuture").boolean(partition.is_future_key).end();
    }
  }
  json.end_list().key("error");
  if (dir.error_code == ErrorCode::none) {
    json.null();
  } else {
    json.text(
        fmt::format("org.apache.kafka.common.errors.{}", protocol::error_info(dir.error_code).exception));
  }
  json.key("logDir").text(dir.log_dir).end();
}

int describe_log_dirs_of(Admin& admin, const Options& options) {
  const auto nodes = admin.nodes();
  if (!nodes) return log_dirs_failed(nodes.error().context);
  std::set<std::int64_t> existing;
  for (const Node& node : *nodes) existing.insert(node.id);
  std::set<std::int64_t> asked;
  std::set<std::int64_t> unknown;
  for (const auto& word : log_dir_words(options, "broker-list")) {
    const auto id = parse_number(word);
    if (!id) return log_dirs_failed(fmt::format("For input string: \"{}\"", word));
    (existing.contains(*id) ? asked : unknown).insert(*id);
  }
  if (!unknown.empty()) {
    return log_dirs_failed(fmt::format(
        "ERROR: The given brokers do not exist from --broker-list: {}. Current existent brokers: {}",
        fmt::join(unknown, ","), fmt::join(existing, ",")));
  }
  if (asked.empty()) asked = existing;
  fmt::print("Querying brokers for log directories information\n");
  const LogDirWords topics = log_dir_words(options, "topic-list");
  broker::zk::JsonWriter json;
  json.begin().key("brokers").begin_list();
  for (const auto id : asked) {
    const auto connection = admin.node(static_cast<std::int32_t>(id));
    if (!connection) return log_dirs_failed(connection.error().context);
    const auto response = (*connection)->call(protocol::DescribeLogDirsRequest{});
    if (!response) return log_dirs_failed(response.error().context);
    if (response->error_code != ErrorCode::none) return log_dirs_failed(words_of(response->error_code));
    json.begin().key("broker").number(id).key("logDirs").begin_list();
    for (const auto& dir : response->results) print_dir(json, dir, topics);
    json.end_list().end();
  }
  json.end_list().key("version").number(1).end();
  fmt::print("Received log directory information from brokers {}\n{}\n", fmt::join(asked, ","), json.take());
  return 0;
}

}  // namespace

int log_dirs(const Invocation& invocation) {
  const auto options = Options::parse(kLogDirsOptions, invocation.args);
  if (!options) return wrong_usage(options.error().context, kLogDirsName, kLogDirsOptions);
  if (options->has("help"))
    return wrong_usage("This tool helps to query log directory usage on the specified brokers.", kLogDirsName,
                       kLogDirsOptions);
  if (options->has("version")) return print_version();
  for (const auto* name : {"bootstrap-server", "describe"}) {
    if (!options->has(name))
      return wrong_usage(fmt::format("Missing required argument \"[{}]\"", name), kLogDirsName,
                         kLogDirsOptions);
  }
  auto admin = open_admin(*options);
  if (!admin) return log_dirs_failed(admin.error().context);
  return describe_log_dirs_of(*admin, *options);
}

}  // namespace tandem::tools::kafka
