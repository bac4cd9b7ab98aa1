#include "tools/kafka/consumer_groups.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "tools/kafka/commands.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

constexpr auto kGroupsOptions = std::to_array<Option>({
    kBootstrapServer,
    kCommandConfig,
    {"list", "", "List consumer groups."},
    {"describe", "", "Show positions, members or state of groups."},
    {"delete", "", "Delete groups without members."},
    {"reset-offsets", "", "Move the positions of a group without members."},
    {"delete-offsets", "", "Delete positions of a group."},
    {"group", "id", "The group; may be repeated."},
    {"all-groups", "", "Every group."},
    {"topic", "name[:0,1]", "The topic, or some partitions of it; may be repeated."},
    {"all-topics", "", "Every topic the group has positions in."},
    {"offsets", "", "With --describe: positions (the default)."},
    {"members", "", "With --describe: members."},
    {"state", "[states]", "With --describe: state; with --list: show states, or only these."},
    {"type", "[types]", "With --list: show types, or only these."},
    {"verbose", "", "With --members: also the assignment."},
    {"dry-run", "", "Only show what --reset-offsets would do."},
    {"execute", "", "Do it."},
    {"export", "", "Print the new positions as CSV."},
    {"from-file", "file", "New positions from a CSV file."},
    {"to-offset", "offset", "To an offset."},
    {"to-datetime", "YYYY-MM-DDTHH:mm:SS.sss", "To the first record at or after a date."},
    {"by-duration", "PnDTnHnMnS", "To where records are that old."},
    {"to-earliest", "", "To the first offset."},
    {"to-latest", "", "To the end."},
    {"to-current", "", "To where they are."},
    {"shift-by", "number", "Forward, or back if negative."},
    {"timeout", "ms", "How long to wait for answers, 5000 by default."},
    kHelp,
    kVersion,
});

constexpr std::array kActions = {"list", "describe", "delete", "reset-offsets", "delete-offsets"};
constexpr std::array kStates = {"Dead", "Empty", "PreparingRebalance", "CompletingRebalance", "Stable"};
constexpr std::size_t kGroupColumnsMin = 15;
constexpr std::size_t kGroupColumnsGap = 10;

base::Result<std::vector<std::string>> states_of(const std::string& text) {
  std::vector<std::string> states;
  if (text.empty()) return states;
  for (const std::string& word : split(text, ',')) {
    const std::string_view name = trim(word);
    const auto same = [&](const char* state) {
      return std::equal(name.begin(), name.end(), state, state + std::string_view(state).size(),
                        [](char a, char b) { return std::tolower(a) == std::tolower(b); });
    };
    const auto known = std::find_if(kStates.begin(), kStates.end(), same);
    if (known == kStates.end())
      return base::make_error(
          base::Errc::invalid_argument,
          "Invalid state list '{}'. Valid states are: PreparingRebalance, CompletingRebalance, "
          "Stable, Dead, Empty",
          text);
    states.emplace_back(*known);
  }
  return states;
}

base::Status list(Admin& admin, const Options& options) {
  const bool with_state = options.has("state");
  const bool with_type = options.has("type");
  const auto states = states_of(options.get_or("state", ""));
  if (!states) return states.error();
  const std::string types = options.get_or("type", "");
  const auto groups =
      list_groups(admin, *states, types.empty() ? std::vector<std::string>() : split(types, ','));
  if (!groups) return groups.error();
  if (!with_state && !with_type) {
    for (const ListedGroup& group : *groups) fmt::print("{}\n", group.id);
    return {};
  }
  std::size_t width = kGroupColumnsMin;
  for (const ListedGroup& group : *groups) width = std::max(width, group.id.size());
  width += kGroupColumnsGap;
  const auto row = [&](std::string_view id, std::string_view type, std::string_view state) {
    fmt::print("{:<{}}", id, width);
    if (with_type) fmt::print(" {:<20}", type);
    if (with_state) fmt::print(" {:<20}", state);
    fmt::print("\n");
  };
  row("GROUP", "TYPE", "STATE");
  for (const ListedGroup& group : *groups)
    row(group.id, group.type.empty() ? "Unknown" : group.type, group.state);
  return {};
}

// The rules between options; an empty string when they hold.
std::string broken_rule(const Options& options) {
  const auto count =
      std::count_if(kActions.begin(), kActions.end(), [&](auto name) { return options.has(name); });
  if (count != 1)
    return "Command must include exactly one action: --list, --describe, --delete, --reset-offsets, "
           "--delete-offsets";
  if (!options.has("bootstrap-server")) return "Missing required argument \"[bootstrap-server]\"";
  const bool scoped = options.has("group") || options.has("all-groups");
  static constexpr auto conflicts = std::to_array<Conflict>({
      {"group", {"all-groups", "list"}},
      {"topic", {"list", "describe"}},
  });
  if (const std::string conflict = first_conflict(options, conflicts); !conflict.empty()) return conflict;
  if (options.has("describe") && !scoped)
    return "Option [describe] takes one of these options: [all-groups], [group]";
  if (options.has("describe") && options.has("members") + options.has("offsets") + options.has("state") > 1)
    return "Option [describe] takes at most one of these options: [members], [offsets], [state]";
  if (options.has("describe") && !options.get_or("state", "").empty())
    return "Option [describe] does not take a value for [state]";
  if (options.has("delete") && !scoped)
    return "Option [delete] takes one of these options: [all-groups], [group]";
  if (options.has("delete") && options.has("topic"))
    return "The consumer does not support topic-specific offset deletion from a consumer group.";
  if (options.has("delete-offsets") && (!options.has("group") || !options.has("topic")))
    return "Option [delete-offsets] takes the following options: [topic], [group]";
  if (options.has("reset-offsets") && options.has("dry-run") && options.has("execute"))
    return "Option [reset-offsets] only accepts one of [execute] and [dry-run]";
  if (options.has("reset-offsets") && !scoped)
    return "Option [reset-offsets] takes one of these options: [all-groups], [group]";
  return "";
}

}  // namespace

std::span<const Option> groups_options() { return kGroupsOptions; }
int groups_usage(std::string_view sentence) { return wrong_usage(sentence, kGroupsName, kGroupsOptions); }
void groups_error(std::string_view message) { fmt::print("\nError: {}\n", message); }

base::Result<std::vector<std::string>> chosen_groups(Admin& admin, const Options& options) {
  if (!options.has("all-groups")) {
    auto named = options.all("group");
    std::sort(named.begin(), named.end());
    return named;
  }
  const auto listed = list_groups(admin, {}, {});
  if (!listed) return listed.error();
  std::vector<std::string> ids;
  for (const ListedGroup& group : *listed) ids.push_back(group.id);
  return ids;
}

base::Result<std::vector<TopicPartition>> named_partitions(Admin& admin, const std::string& argument) {
  const auto parts = split(argument, ':');
  if (parts.size() == 1) return partitions_of(admin, argument);
  if (parts.size() != 2)
    return base::make_error(base::Errc::invalid_argument,
                            "Invalid topic arg '{}', expected topic name and partitions", argument);
  std::vector<TopicPartition> partitions;
  for (const std::string& word : split(parts[1], ',')) {
    const auto number = parse_number(word);
    if (!number)
      return base::make_error(base::Errc::invalid_argument,
                              "Invalid partition '{}' specified in topic arg '{}''", word, argument);
    partitions.emplace_back(parts[0], static_cast<std::int32_t>(*number));
  }
  return partitions;
}

int consumer_groups(const Invocation& invocation) {
  if (invocation.args.empty())
    return groups_usage(
        "List all consumer groups, describe a consumer group, delete consumer group info, or reset "
        "consumer group offsets.");
  const auto options = Options::parse(kGroupsOptions, invocation.args);
  if (!options) return groups_usage(options.error().context);
  if (options->has("help"))
    return groups_usage(
        "This tool helps to list all consumer groups, describe a consumer group, delete consumer "
        "group info, or reset consumer group offsets.");
  if (options->has("version")) return print_version();
  if (const std::string broken = broken_rule(*options); !broken.empty()) return groups_usage(broken);
  auto admin = open_admin(*options);
  if (!admin)
    return groups_error("Executing consumer group command failed due to " + admin.error().context), 0;
  base::Status done;
  if (options->has("list")) done = list(*admin, *options);
  if (options->has("describe")) done = describe_groups(*admin, *options);
  if (options->has("delete")) done = delete_groups(*admin, *options);
  if (options->has("reset-offsets")) done = reset_offsets(*admin, *options);
  if (options->has("delete-offsets")) done = delete_offsets(*admin, *options);
  if (done) return 0;
  if (done.error().code == base::Errc::invalid_argument) return groups_usage(done.error().context);
  groups_error("Executing consumer group command failed due to " + done.error().context);
  return 0;  // as Apache's tool, which reports this on standard output only
}

}  // namespace tandem::tools::kafka
