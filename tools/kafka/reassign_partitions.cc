#include "tools/kafka/reassign_partitions.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "broker/protocol/messages/alter_partition_reassignments.h"
#include "tools/kafka/commands.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::string_view kReassignName = "kafka-reassign-partitions.sh";
constexpr auto kReassignOptions = std::to_array<Option>({
    kBootstrapServer,
    kCommandConfig,
    {"generate", "", "Propose an assignment; starts nothing."},
    {"execute", "", "Start the moves of --reassignment-json-file."},
    {"verify", "", "Say which of its moves are over; when all are, throttles are taken away."},
    {"cancel", "", "Cancel its moves."},
    {"list", "", "List the moves under way."},
    {"reassignment-json-file", "file", "The assignment."},
    {"topics-to-move-json-file", "file", "With --generate: the topics."},
    {"broker-list", "0,1", "With --generate: the brokers to use."},
    {"disable-rack-aware", "", "With --generate: do not look at racks."},
    {"throttle", "bytes", "Bytes per second between brokers."},
    {"replica-alter-log-dirs-throttle", "bytes", "Bytes per second between log directories."},
    {"timeout", "ms", "How long to try to start moves between log directories (10000)."},
    {"additional", "", "In addition to moves that are under way."},
    {"preserve-throttles", "", "Leave throttles as they are."},
    {"zookeeper", "urls", "As in Kafka 2.7: --generate, --execute and --verify by the coordination tree."},
    kHelp,
    kVersion,
});
constexpr std::int32_t kReassignTimeoutMs = 60'000;
constexpr std::int64_t kMoveTimeoutMs = 10'000;
base::Result<ReassignStates> list_moves(Admin& admin) {
  protocol::ListPartitionReassignmentsRequest request;
  request.timeout_ms = kReassignTimeoutMs;
  const auto response = admin.ask_controller<protocol::ListPartitionReassignmentsRequest>(
      request, [](const auto& answer) { return answer.error_code; });
  if (!response) return response.error();
  if (response->error_code != ErrorCode::none)
    return base::make_error(base::Errc::unavailable, "{}",
                            words_of(response->error_code, response->error_message));
  ReassignStates out;
  for (const auto& topic : response->topics) {
    for (const auto& partition : topic.partitions)
      out[{topic.name, partition.partition_index}] = {partition.replicas, partition.adding_replicas,
                                                      partition.removing_replicas};
  }
  return out;
}

// The replicas of all partitions of the topics that exist.
base::Result<Assignments> assignments_of(Admin& admin, const std::set<std::string>& topics) {
  const auto seen = admin.metadata(std::vector<std::string>(topics.begin(), topics.end()));
  if (!seen) return seen.error();
  Assignments out;
  for (const auto& topic : seen->topics) {
    for (const auto& partition : topic.partitions)
      out[{topic.name.value_or(""), partition.partition_index}] = partition.replica_nodes;
  }
  return out;
}

bool knows_topic(const Assignments& assignments, const std::string& topic) {
  const auto at = assignments.lower_bound({topic, 0});
  return at != assignments.end() && at->first.topic == topic;
}

// nullopt: cancel it.
base::Result<std::map<zk::TopicPartition, std::string>> alter_moves(
    Admin& admin, const std::map<zk::TopicPartition, std::optional<zk::Replicas>>& goals) {
  protocol::AlterPartitionReassignmentsRequest request;
  request.timeout_ms = kReassignTimeoutMs;
  for (const auto& [partition, replicas] : goals) {
    if (request.topics.empty() || request.topics.back().name != partition.topic)
      request.topics.emplace_back().name = partition.topic;
    request.topics.back().partitions.push_back({partition.partition, replicas});
  }
  const auto response = admin.ask_controller<protocol::AlterPartitionReassignmentsRequest>(
      request, [](const auto& answer) { return answer.error_code; });
  if (!response) return response.error();
  std::map<zk::TopicPartition, std::string> errors;
  if (response->error_code != ErrorCode::none) {
    for (const auto& [partition, replicas] : goals)
      errors[partition] = words_of(response->error_code, response->error_message);
    return errors;
  }
  for (const auto& topic : response->responses) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != ErrorCode::none)
        errors[{topic.name, partition.partition_index}] =
            words_of(partition.error_code, partition.error_message);
    }
  }
  return errors;
}

std::string error_lines(const std::map<zk::TopicPartition, std::string>& errors) {
  std::string out;
  for (const auto& [partition, text] : errors) out += fmt::format("\n{}: {}", partition.text(), text);
  return out;
}

// ---- --list ----

base::Status print_moves(Admin& admin, const Options&) {
  const auto moves = list_moves(admin);
  if (!moves) return error_of(moves.error());
  if (moves->empty()) {
    fmt::print("No partition reassignments found.\n");
    return {};
  }
  fmt::print("Current partition reassignments:\n");
  for (const auto& [partition, state] : *moves) {
    fmt::print("{}: replicas: {}.", partition.text(), join(state.replicas, ","));
    if (!state.adding.empty()) fmt::print(" adding: {}.", join(state.adding, ","));
    if (!state.removing.empty()) fmt::print(" removing: {}.", join(state.removing, ","));
    fmt::print("\n");
  }
  return {};
}

// ---- --generate ----

base::Status generate_moves(Admin& admin, const Options& options) {
  const auto names = topics_to_move(options);
  if (!names) return error_of(names.error());
  const auto standing = assignments_of(admin, *names);
  if (!standing) return error_of(standing.error());
  for (const auto& name : *names) {
    if (!knows_topic(*standing, name))
      return error_of(fmt::format(
          "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: Topic {} not found.", name));
  }
  const auto nodes = admin.nodes();
  if (!nodes) return error_of(nodes.error());
  std::vector<broker::controller::AssignableBroker> brokers;
  for (const Node& node : *nodes) brokers.push_back({node.id, node.rack});
  return print_proposal(*standing, std::move(brokers), options);
}

// ---- --execute ----

base::Status check_brokers(Admin& admin, const Assignments& proposed) {
  const auto nodes = admin.nodes();
  if (!nodes) return error_of(nodes.error());
  for (const auto& [partition, replicas] : proposed) {
    for (const auto broker : replicas) {
      if (std::none_of(nodes->begin(), nodes->end(), [&](const Node& node) { return node.id == broker; }))
        return error_of(fmt::format("Unknown broker id {}", broker));
    }
  }
  return {};
}

// The proposed partitions as they are now.
base::Result<Assignments> standing_of(Admin& admin, const Assignments& proposed) {
  std::set<std::string> topics;
  for (const auto& [partition, replicas] : proposed) topics.insert(partition.topic);
  const auto known = assignments_of(admin, topics);
  if (!known) return known.error();
  Assignments out;
  std::vector<zk::TopicPartition> missing;
  for (const auto& [partition, replicas] : proposed) {
    const auto at = known->find(partition);
    if (at != known->end()) {
      out.emplace(*at);
    } else if (!knows_topic(*known, partition.topic)) {
      return base::make_error(
          base::Errc::not_found,
          "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: Topic {} not found.",
          partition.topic);
    } else {
      missing.push_back(partition);
    }
  }
  if (missing.empty()) return out;
  return base::make_error(
      base::Errc::not_found,
      "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: Unable to find partition: {}",
      joined(missing, ", "));
}

base::Status throttle_moves(Admin& admin, const Options& options, const ReassignStates& current,
                            const Assignments& proposed, const Assignments& standing,
                            const LogDirGoals& goals) {
  const auto between = options.number("throttle");
  const auto dirs = options.number("replica-alter-log-dirs-throttle");
  if (!between) return error_of(between.error());
  if (!dirs) return error_of(dirs.error());
  const bool any = between->value_or(-1) >= 0 || dirs->value_or(-1) >= 0;
  if (any) fmt::print("{}\n", kRunVerifyPeriodically);
  if (between->value_or(-1) >= 0) {
    if (auto status = set_move_throttle(admin, current, proposed, standing, **between); !status)
      return error_of(status.error());
  }
  if (dirs->value_or(-1) < 0) return {};
  if (auto status = set_log_dir_throttle(admin, goals, **dirs); !status) return error_of(status.error());
  return {};
}

base::Status execute_moves(Admin& admin, const Options& options) {
  const auto placements = placements_of(options);
  if (!placements) return error_of(placements.error());
  if (const auto fault = placements_fault(*placements); !fault.empty()) return error_of(fault);
  const auto current = list_moves(admin);
  if (!current) return error_of(current.error());
  if (!options.has("additional") && !current->empty()) return terse(std::string(kReassignmentExists));
  Assignments proposed;
  for (const auto& placement : *placements) proposed[placement.partition] = placement.replicas;
  if (auto status = check_brokers(admin, proposed); !status) return status;
  const auto standing = standing_of(admin, proposed);
  if (!standing) return error_of(standing.error());
  print_standing(*standing);
  auto dirs = log_dir_goals(*placements);
  if (auto status = throttle_moves(admin, options, *current, proposed, *standing, dirs); !status)
    return status;
  std::map<zk::TopicPartition, std::optional<zk::Replicas>> goals(proposed.begin(), proposed.end());
  const auto errors = alter_moves(admin, goals);
  if (!errors) return error_of(errors.error());
  if (!errors->empty()) return terse("Error reassigning partition(s):" + error_lines(*errors));
  print_started(proposed);
  if (dirs.empty()) return {};
  const auto timeout = options.number("timeout");
  if (!timeout) return error_of(timeout.error());
  auto started = start_log_dir_moves(admin, std::move(dirs), timeout->value_or(kMoveTimeoutMs));
  return started ? started : terse(started.error().context);
}

// ---- --verify, --cancel ----

base::Status verify_moves(Admin& admin, const Options& options) {
  const auto placements = placements_of(options);
  if (!placements) return error_of(placements.error());
  const auto current = list_moves(admin);
  if (!current) return error_of(current.error());
  std::set<std::string> topics;
  for (const auto& placement : *placements) topics.insert(placement.partition.topic);
  const auto standing = assignments_of(admin, topics);
  if (!standing) return error_of(standing.error());
  std::set<zk::TopicPartition> moving_now;
  for (const auto& [partition, state] : *current) moving_now.insert(partition);
  print_move_states(*placements, moving_now, *standing, "completed");
  const auto goals = log_dir_goals(*placements);
  const auto moves = find_log_dir_moves(admin, goals);
  if (!moves) return error_of(moves.error());
  const bool moving = print_log_dir_moves(*moves, goals);
  if (!current->empty() || moving || options.has("preserve-throttles")) return {};
  auto cleared = clear_throttles(admin, *placements);
  return cleared ? cleared : error_of(cleared.error());
}

base::Status cancel_moves(Admin& admin, const Options& options) {
  const auto placements = placements_of(options);
  if (!placements) return error_of(placements.error());
  const auto current = list_moves(admin);
  if (!current) return error_of(current.error());
  std::map<zk::TopicPartition, std::optional<zk::Replicas>> goals;
  std::vector<zk::TopicPartition> named;
  for (const auto& placement : *placements) {
    if (!current->contains(placement.partition)) continue;
    if (goals.emplace(placement.partition, std::nullopt).second) named.push_back(placement.partition);
  }
  if (named.empty()) {
    fmt::print("None of the specified partition reassignments are active.\n");
  } else {
    const auto errors = alter_moves(admin, goals);
    if (!errors) return error_of(errors.error());
    if (!errors->empty())
      return terse(fmt::format("Error cancelling partition reassignment{} for:{}",
                               errors->size() == 1 ? "" : "s", error_lines(*errors)));
    std::sort(named.begin(), named.end());
    fmt::print("Successfully cancelled partition reassignment{} for: {}\n", named.size() == 1 ? "" : "s",
               joined(named, ","));
  }
  const auto moves = find_log_dir_moves(admin, log_dir_goals(*placements));
  if (!moves) return error_of(moves.error());
  LogDirGoals back;  // to where they are: that ends a move
  for (const auto& [replica, move] : *moves) {
    if (!move.future.empty()) back[replica] = move.current;
  }
  if (back.empty()) {
    fmt::print("None of the specified partition moves are active.");  // without an end of line, as Apache's
  } else if (auto status = start_log_dir_moves(admin, std::move(back), kMoveTimeoutMs); !status) {
    return terse(status.error().context);
  }
  if (options.has("preserve-throttles")) return {};
  auto cleared = clear_throttles(admin, *placements);
  return cleared ? cleared : error_of(cleared.error());
}

struct ReassignAction {
  std::string_view option;
  base::Status (*run)(Admin&, const Options&);
  std::array<std::string_view, 2> needs;
  std::string_view permits;  // by spaces; besides bootstrap-server and command-config
};

constexpr auto kReassignActions = std::to_array<ReassignAction>({
    {"generate", generate_moves, {"topics-to-move-json-file", "broker-list"}, "disable-rack-aware zookeeper"},
    {"execute",
     execute_moves,
     {"reassignment-json-file", ""},
     "additional throttle replica-alter-log-dirs-throttle timeout zookeeper"},
    {"verify", verify_moves, {"reassignment-json-file", ""}, "preserve-throttles zookeeper"},
    {"cancel", cancel_moves, {"reassignment-json-file", ""}, "preserve-throttles timeout"},
    {"list", print_moves, {"", ""}, ""},
});

// A sentence of wrong usage; empty: none.
std::string reassign_usage_fault(const Options& options, const ReassignAction& action) {
  for (const auto need : action.needs) {
    if (!need.empty() && !options.has(need)) return fmt::format("Missing required argument \"[{}]\"", need);
  }
  const auto permitted = split(action.permits, ' ');
  for (const Option& option : kReassignOptions) {
    const bool general =
        option.name == "bootstrap-server" || option.name == "command-config" ||
        option.name == action.option ||
        std::find(action.needs.begin(), action.needs.end(), option.name) != action.needs.end();
    if (general || !options.has(option.name)) continue;
    if (std::find(permitted.begin(), permitted.end(), option.name) == permitted.end())
      return fmt::format("Option \"[{}]\" can't be used with action \"[{}]\"", option.name, action.option);
  }
  return "";
}

}  // namespace

int reassign_partitions(const Invocation& invocation) {
  const auto options = Options::parse(kReassignOptions, invocation.args);
  if (!options) return wrong_usage(options.error().context, kReassignName, kReassignOptions);
  if (options->has("help"))
    return wrong_usage("This tool helps to move topic partitions between replicas.", kReassignName,
                       kReassignOptions);
  if (options->has("version")) return print_version();
  const ReassignAction* action = nullptr;
  int actions = 0;
  for (const ReassignAction& row : kReassignActions) {
    if (!options->has(row.option)) continue;
    action = &row;
    ++actions;
  }
  if (actions != 1)
    return wrong_usage(
        "Command must include exactly one action: --generate, --execute, --verify, --cancel, --list",
        kReassignName, kReassignOptions);
  if (!options->has("bootstrap-server") && !options->has("zookeeper"))
    return wrong_usage("Please specify --bootstrap-server", kReassignName, kReassignOptions);
  if (const auto fault = reassign_usage_fault(*options, *action); !fault.empty())
    return wrong_usage(fault, kReassignName, kReassignOptions);
  if (!options->has("bootstrap-server")) return reassign_by_zookeeper(*options);
  if (options->has("zookeeper"))
    fmt::print(
        "Warning: ignoring deprecated --zookeeper option because --bootstrap-server was specified.  The "
        "--zookeeper option will be removed in a future version of Kafka.\n");
  auto admin = open_admin(*options);
  if (!admin) {
    fmt::print("Error: {}\n", admin.error().context);
    return 1;
  }
  if (const auto status = action->run(*admin, *options); !status) {
    fmt::print("{}\n", status.error().context);
    return 1;
  }
  return 0;
}

}  // namespace tandem::tools::kafka
