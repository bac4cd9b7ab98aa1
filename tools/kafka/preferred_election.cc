// kafka-preferred-replica-election.sh of Kafka 2.7 and before: partitions get back the leader that is first
// among their replicas. With --zookeeper it leaves them in a znode for the controller.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "broker/zk/admin.h"
#include "broker/zk/json.h"
#include "broker/zk/paths.h"
#include "tools/kafka/commands.h"
#include "tools/kafka/leader_election.h"
#include "tools/kafka/text.h"
#include "tools/kafka/tree.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::string_view kPreferredElectionName = "kafka-preferred-replica-election.sh";
constexpr auto kPreferredElectionOptions = std::to_array<Option>({
    {"path-to-json-file", "file",
     "The partitions, as {\"partitions\":[{\"topic\":\"t\",\"partition\":0}]}; else all."},
    {"zookeeper", "urls", "The tree, in which the controller finds them."},
    kBootstrapServer,
    {"admin.config", "file", "A file of client properties, for --bootstrap-server."},
    kHelp,
    kVersion,
});
constexpr std::string_view kNoElectionData = "Preferred replica election data is empty";
constexpr std::size_t kNamedSetMax = 4;  // larger sets are called otherwise in Scala

int preferred_election_failed(std::string_view sentence) {
  std::fflush(stdout);
  fmt::print(stderr, "{}\n", sentence);
  return 1;
}

base::Result<Elected> preferred_to_elect(const Options& options) {
  const auto file = options.get("path-to-json-file");
  if (!file) return Elected();
  const auto text = read_text_file(*file);
  if (!text) return text.error();
  const auto json = zk::JsonObject::parse("The file", *text);
  if (!json || !json->has("partitions"))
    return base::make_error(base::Errc::invalid_argument, "{}", kNoElectionData);
  auto partitions = parse_partition_list(*text);
  if (!partitions) return partitions.error();
  if (const auto twice = repeated(*partitions); !twice.empty())
    return base::make_error(base::Errc::invalid_argument,
                            "Preferred replica election data contains duplicate partitions: {}", twice);
  return Elected(std::move(*partitions));
}

// All that have been brought into being.
base::Result<std::vector<zk::TopicPartition>> existing_partitions(Tree& tree) {
  const auto topics = tree.children(zk::kTopicsPath);
  if (!topics) return topics.error();
  std::vector<zk::TopicPartition> out;
  for (const auto& topic : *topics) {
    const auto numbers = tree.children(zk::topic_partitions_path(topic));
    if (!numbers) return numbers.error();
    for (const auto& number : *numbers)
      if (const auto partition = parse_number(number))
        out.push_back({topic, static_cast<std::int32_t>(*partition)});
  }
  std::sort(out.begin(), out.end());
  return out;
}

struct ElectionPlan {
  std::vector<zk::TopicPartition> wanted;
  std::vector<zk::TopicPartition> unknown;
};

base::Result<ElectionPlan> election_plan(Tree& tree, const Elected& named) {
  ElectionPlan plan;
  if (!named) {
    auto all = existing_partitions(tree);
    if (!all) return all.error();
    plan.wanted = std::move(*all);
    return plan;
  }
  for (const auto& partition : *named) {
    const auto topic = tree.assignment(partition.topic);
    if (!topic) return topic.error();
    const bool is_there = *topic && (*topic)->partitions.contains(partition.partition);
    (is_there ? plan.wanted : plan.unknown).push_back(partition);
  }
  return plan;
}

base::Status elect_by_tree(Tree& tree, const Elected& named) {
  const auto plan = election_plan(tree, named);
  if (!plan) return plan.error();
  const std::string node(zk::kPreferredElectionPath);
  const auto created = tree.call(zkclient::Op::create(node, zk::encode_partitions(plan->wanted)));
  if (created.error == jute::ErrorCode::node_exists) {
    const auto data = tree.data(node);
    if (!data) return data.error();
    const auto others = zk::decode_partitions(node, data->value_or("{}"));
    return base::make_error(
        base::Errc::already_exists,
        "Preferred replica leader election currently in progress for {}. Aborting operation",
        others ? joined(*others, ",") : "");
  }
  if (!created.ok()) return zk_error(created);
  fmt::print("Created preferred replica election path with {}\n", joined(plan->wanted, ","));
  fmt::print("Successfully started preferred replica election for partitions {}({})\n",
             plan->wanted.size() > kNamedSetMax ? "HashSet" : "Set", joined(plan->wanted, ", "));
  for (const auto& partition : plan->unknown)
    fmt::print("Skipping preferred replica leader election for partition {} since it doesn't exist.\n",
               partition.text());
  return {};
}

}  // namespace

int preferred_election(const Invocation& invocation) {
  fmt::print("This tool is deprecated. Please use kafka-leader-election tool. Tracking issue: KAFKA-8405\n");
  std::fflush(stdout);
  const auto usage = [](std::string_view sentence) {
    return wrong_usage(sentence, kPreferredElectionName, kPreferredElectionOptions);
  };
  const auto options = Options::parse(kPreferredElectionOptions, invocation.args);
  if (!options) return usage(options.error().context);
  if (options->has("help") || invocation.args.empty())
    return usage(
        "This tool helps to causes leadership for each partition to be transferred back to the 'preferred "
        "replica', it can be used to balance leadership among the servers.");
  if (options->has("version")) return print_version();
  if (options->has("bootstrap-server") == options->has("zookeeper"))
    return usage("Exactly one of '[bootstrap-server]' or '[zookeeper]' must be provided");
  const auto named = preferred_to_elect(*options);
  if (!named) return preferred_election_failed(named.error().context);
  if (options->has("bootstrap-server"))
    return elect_by_brokers(*options, *named, false,
                            {"preferred leader election", "Preferred replica", "preferred replica(s)"});
  fmt::print(
      "Warning: --zookeeper is deprecated and will be removed in a future version of Kafka.\n"
      "Use --bootstrap-server instead to specify a broker to connect to.\n");
  const auto tree = Tree::open(options->get_or("zookeeper", ""));
  const base::Status done = tree ? elect_by_tree(**tree, *named) : base::Status(tree.error());
  return done ? 0 : preferred_election_failed("Admin command failed\n" + done.error().context);
}

}  // namespace tandem::tools::kafka
