#include <fmt/core.h>

#include <algorithm>

#include "tools/kafka/consumer_groups.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::size_t kColumnsMin = 15;
constexpr std::size_t kInstanceColumnsMin = 17;
constexpr std::size_t kCoordinatorColumnsMin = 25;

struct OffsetRow {
  std::string topic, partition, current, end, lag, consumer, host, client;
};

// Tells what there is to tell about the state; false when no table follows.
bool worth_printing(const DescribedGroup& group, std::size_t rows) {
  if (group.state == "Dead") {
    groups_error(fmt::format("Consumer group '{}' does not exist.", group.id));
    return false;
  }
  std::fflush(stdout);
  if (group.state == "Empty") {
    fmt::print(stderr, "\nConsumer group '{}' has no active members.\n", group.id);
  } else if (group.state != "Stable") {
    fmt::print(stderr, "\nWarning: Consumer group '{}' is rebalancing.\n", group.id);
  }
  return rows > 0;
}

base::Status add_rows(Admin& admin, std::vector<OffsetRow>& rows, std::vector<TopicPartition> partitions,
                      const Offsets& committed, const GroupMember* member) {
  std::map<TopicPartition, ErrorCode> errors;
  const auto ends = list_offsets(admin, partitions, kLatest, &errors);
  if (!ends) return ends.error();
  for (const TopicPartition& partition : partitions) {
    OffsetRow row{partition.first, std::to_string(partition.second), "-", "-", "-", "-", "-", "-"};
    const auto position = committed.find(partition);
    const auto end = ends->find(partition);
    if (position != committed.end()) row.current = std::to_string(position->second);
    if (end != ends->end()) row.end = std::to_string(end->second);
    if (position != committed.end() && end != ends->end())
      row.lag = std::to_string(end->second - position->second);
    if (member != nullptr) {
      row.consumer = member->id;
      row.host = member->host;
      row.client = member->client_id;
    }
    rows.push_back(std::move(row));
  }
  return {};
}

base::Status print_offsets(Admin& admin, const DescribedGroup& group) {
  const auto committed = committed_offsets(admin, group.id);
  if (!committed) return committed.error();
  std::vector<const GroupMember*> members;
  for (const GroupMember& member : group.members)
    if (!member.assignment.empty()) members.push_back(&member);
  std::stable_sort(members.begin(), members.end(), [](const GroupMember* a, const GroupMember* b) {
    return a->assignment.size() > b->assignment.size();
  });
  std::vector<OffsetRow> rows;
  Offsets unassigned = *committed;
  for (const GroupMember* member : members) {
    for (const TopicPartition& partition : member->assignment) unassigned.erase(partition);
    if (auto added = add_rows(admin, rows, member->assignment, *committed, member); !added) return added;
  }
  std::vector<TopicPartition> rest;
  for (const auto& [partition, offset] : unassigned) rest.push_back(partition);
  if (auto added = add_rows(admin, rows, rest, *committed, nullptr); !added) return added;

  if (!worth_printing(group, rows.size())) return {};
  std::size_t group_width = std::max(kColumnsMin, group.id.size());
  std::size_t topic_width = kColumnsMin, consumer_width = kColumnsMin, host_width = kColumnsMin;
  for (const OffsetRow& row : rows) {
    topic_width = std::max(topic_width, row.topic.size());
    consumer_width = std::max(consumer_width, row.consumer.size());
    host_width = std::max(host_width, row.host.size());
  }
  const auto print = [&](std::string_view id, const OffsetRow& row) {
    fmt::print("\n{:<{}} {:<{}} {:<10} {:<15} {:<15} {:<15} {:<{}} {:<{}} {}", id, group_width, row.topic,
               topic_width, row.partition, row.current, row.end, row.lag, row.consumer, consumer_width,
               row.host, host_width, row.client);
  };
  print("GROUP", {"TOPIC", "PARTITION", "CURRENT-OFFSET", "LOG-END-OFFSET", "LAG", "CONSUMER-ID", "HOST",
                  "CLIENT-ID"});
  for (const OffsetRow& row : rows) print(group.id, row);
  fmt::print("\n");
  return {};
}

// "t(0,1), u(2)"
std::string assignment_text(const std::vector<TopicPartition>& assignment) {
  if (assignment.empty()) return "-";
  std::map<std::string, std::vector<std::string>> by_topic;
  for (const auto& [topic, partition] : assignment) by_topic[topic].push_back(std::to_string(partition));
  std::vector<std::string> parts;
  for (auto& [topic, partitions] : by_topic) {
    std::sort(partitions.begin(), partitions.end());
    parts.push_back(fmt::format("{}({})", topic, join(partitions, ",")));
  }
  return join(parts, ", ");
}

void print_members(const DescribedGroup& group, bool verbose) {
  if (!worth_printing(group, group.members.size())) {
    if (group.state == "Dead") return;
  }
  std::size_t group_width = kColumnsMin, id_width = kColumnsMin, instance_width = kInstanceColumnsMin;
  std::size_t host_width = kColumnsMin, client_width = kColumnsMin;
  bool with_instance = false;
  for (const GroupMember& member : group.members) {
    group_width = std::max(group_width, group.id.size());
    id_width = std::max(id_width, member.id.size());
    instance_width = std::max(instance_width, member.instance_id.size());
    host_width = std::max(host_width, member.host.size());
    client_width = std::max(client_width, member.client_id.size());
    with_instance = with_instance || !member.instance_id.empty();
  }
  const auto print = [&](std::string_view id, const GroupMember& member, std::string_view count,
                         std::string_view assignment) {
    fmt::print("{:<{}} {:<{}} ", id, group_width, member.id, id_width);
    if (with_instance) fmt::print("{:<{}} ", member.instance_id, instance_width);
    fmt::print("{:<{}} {:<{}} {:<15} {}\n", member.host, host_width, member.client_id, client_width, count,
               verbose ? assignment : "");
  };
  fmt::print("\n");
  print("GROUP", {"CONSUMER-ID", "GROUP-INSTANCE-ID", "CLIENT-ID", "HOST", {}}, "#PARTITIONS", "ASSIGNMENT");
  for (const GroupMember& member : group.members)
    print(group.id, member, std::to_string(member.assignment.size()), assignment_text(member.assignment));
}

void print_state(const DescribedGroup& group) {
  if (!worth_printing(group, 1)) return;
  const std::string coordinator =
      fmt::format("{}:{}  ({})", group.coordinator.host, group.coordinator.port, group.coordinator.id);
  const std::size_t width = std::max(kCoordinatorColumnsMin, coordinator.size());
  const auto print = [&](std::string_view id, std::string_view where, std::string_view assignor,
                         std::string_view state, std::string_view members) {
    fmt::print("\n{:<{}} {:<25} {:<20} {:<15} {}", id, width, where, assignor, state, members);
  };
  print("GROUP", "COORDINATOR (ID)", "ASSIGNMENT-STRATEGY", "STATE", "#MEMBERS");
  print(group.id, coordinator, group.assignor, group.state, std::to_string(group.members.size()));
  fmt::print("\n");
}

}  // namespace

base::Status describe_groups(Admin& admin, const Options& options) {
  const auto ids = chosen_groups(admin, options);
  if (!ids) return ids.error();
  for (const std::string& id : *ids) {
    const auto group = describe_group(admin, id);
    if (!group) return group.error();
    if (options.has("members")) {
      print_members(*group, options.has("verbose"));
    } else if (options.has("state")) {
      print_state(*group);
    } else if (auto printed = print_offsets(admin, *group); !printed) {
      return printed;
    }
  }
  return {};
}

}  // namespace tandem::tools::kafka
