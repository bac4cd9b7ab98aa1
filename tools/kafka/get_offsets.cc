#include <fmt/core.h>

#include <array>
#include <limits>
#include <regex>
#include <set>

#include "tools/kafka/commands.h"
#include "tools/kafka/groups.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::string_view kGetOffsetsName = "kafka-get-offsets.sh";
constexpr auto kGetOffsetsOptions = std::to_array<Option>({
    kBootstrapServer,
    {"broker-list", "host:port", "The older name of --bootstrap-server."},
    kCommandConfig,
    {"topic-partitions", "t:0,t:1-3", "Patterns of topics and partitions."},
    {"topic", "name", "The topic, or a regular expression."},
    {"partitions", "0,1", "Only these partitions."},
    {"time", "-1|-2|-3|ms|latest|...", "The time to look for: latest by default."},
    {"exclude-internal-topics", "", "Leave internal topics out."},
    kHelp,
    kVersion,
});

struct NamedTime {
  std::string_view name;
  std::int64_t timestamp;
};
constexpr std::array kTimes = {NamedTime{"latest", -1}, NamedTime{"earliest", -2},
                               NamedTime{"max-timestamp", -3}, NamedTime{"earliest-local", -4},
                               NamedTime{"latest-tiered", -5}};

std::optional<std::int64_t> timestamp_of(const std::string& text) {
  for (const NamedTime& time : kTimes)
    if (time.name == text) return time.timestamp;
  return parse_number(text);
}

// One rule of --topic-partitions: "topic", "topic:3", "topic:1-5", ":2".
struct Rule {
  std::string topics;
  std::int64_t first = 0;
  std::int64_t end = std::numeric_limits<std::int32_t>::max();  // not included
};

std::optional<Rule> parse_rule(const std::string& text) {
  const std::regex shape(R"(([^:,]*)(?::(?:([0-9]+)|(?:([0-9]+)?-([0-9]+)?))?)?)");
  std::smatch parts;
  if (!std::regex_match(text, parts, shape)) return std::nullopt;
  Rule rule{parts[1].length() > 0 ? parts[1].str() : ".*"};
  if (parts[2].matched) {
    rule.first = *parse_number(parts[2].str());
    rule.end = rule.first + 1;
  }
  if (parts[3].matched) rule.first = *parse_number(parts[3].str());
  if (parts[4].matched) rule.end = *parse_number(parts[4].str());
  return rule;
}

base::Result<std::vector<Rule>> rules_of(const Options& options) {
  std::vector<Rule> rules;
  if (const auto list = options.get("topic-partitions")) {
    for (const std::string& word : split(*list, ',')) {
      const auto rule = parse_rule(word);
      if (!rule)
        return base::make_error(base::Errc::invalid_argument, "Invalid rule specification: {}", word);
      rules.push_back(*rule);
    }
    return rules;
  }
  const std::string topics = options.get_or("topic", ".*");
  const std::string partitions = options.get_or("partitions", "");
  if (partitions.empty()) return std::vector<Rule>{{topics}};
  for (const std::string& word : split(partitions, ',')) {
    const auto number = parse_number(word);
    if (!number)
      return base::make_error(
          base::Errc::invalid_argument,
          "--partitions expects a comma separated list of numeric partition ids, but received: {}",
          partitions);
    rules.push_back({topics, *number, *number + 1});
  }
  return rules;
}

base::Result<std::vector<TopicPartition>> matching_partitions(Admin& admin, const Options& options,
                                                              const std::vector<Rule>& rules) {
  const auto seen = admin.metadata(std::nullopt);
  if (!seen) return seen.error();
  std::set<TopicPartition> found;
  for (const auto& topic : seen->topics) {
    const std::string name = topic.name.value_or("");
    if (options.has("exclude-internal-topics") && is_internal_topic(name)) continue;
    for (const Rule& rule : rules) {
      const auto matches = matching_topics({name}, rule.topics);
      if (!matches) return matches.error();
      if (matches->empty()) continue;
      for (const auto& partition : topic.partitions)
        if (partition.partition_index >= rule.first && partition.partition_index < rule.end)
          found.emplace(name, partition.partition_index);
    }
  }
  return std::vector<TopicPartition>(found.begin(), found.end());
}

base::Status print_offsets(const Options& options) {
  if (options.has("topic-partitions") && (options.has("topic") || options.has("partitions")))
    return base::make_error(base::Errc::invalid_argument,
                            "--topic-partitions cannot be used with --topic or --partitions");
  const std::string time = options.get_or("time", "latest");
  const auto timestamp = timestamp_of(time);
  if (!timestamp)
    return base::make_error(
        base::Errc::invalid_argument,
        "Malformed time argument {}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp "
        "/ -4 or earliest-local / -5 or latest-tiered, or a specified long format timestamp",
        time);
  const auto rules = rules_of(options);
  if (!rules) return rules.error();
  if (const auto file = options.get("command-config")) {
    if (auto checked = check_client_properties(*file); !checked) return checked;
  }
  auto admin = Admin::open(options.get_or("bootstrap-server", options.get_or("broker-list", "")));
  if (!admin) return admin.error();
  const auto partitions = matching_partitions(*admin, options, *rules);
  if (!partitions) return partitions.error();
  if (partitions->empty())
    return base::make_error(base::Errc::not_found,
                            "Could not match any topic-partitions with the specified filters");
  std::map<TopicPartition, ErrorCode> errors;
  const auto offsets = list_offsets(*admin, *partitions, *timestamp, &errors);
  if (!offsets) return offsets.error();
  for (const auto& [partition, error] : errors)
    fmt::print(stderr, "Skip getting offsets for topic-partition {}-{} due to error: {}\n", partition.first,
               partition.second, protocol::sentence_of(error));
  std::map<std::string, std::string> lines;  // sorted by "topic-partition", as text
  for (const auto& [partition, offset] : *offsets)
    if (offset >= 0)
      lines[fmt::format("{}-{}", partition.first, partition.second)] =
          fmt::format("{}:{}:{}", partition.first, partition.second, offset);
  for (const auto& [name, line] : lines) fmt::print("{}\n", line);
  return {};
}

}  // namespace

int get_offsets(const Invocation& invocation) {
  const auto options = Options::parse(kGetOffsetsOptions, invocation.args);
  if (!options) return wrong_usage(options.error().context, kGetOffsetsName, kGetOffsetsOptions);
  if (options->has("help") || invocation.args.empty())
    return wrong_usage("An interactive shell for getting topic-partition offsets.", kGetOffsetsName,
                       kGetOffsetsOptions);
  if (options->has("version")) return print_version();
  if (!options->has("bootstrap-server") && !options->has("broker-list"))
    return wrong_usage("Missing required argument \"[bootstrap-server]\"", kGetOffsetsName,
                       kGetOffsetsOptions);
  const auto done = print_offsets(*options);
  if (done) return 0;
  fmt::print(stderr, "Error occurred: {}\n", done.error().context);
  return 1;
}

}  // namespace tandem::tools::kafka
