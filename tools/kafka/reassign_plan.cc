#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "tools/kafka/reassign_partitions.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

using broker::controller::AssignableBroker;

// Those of `brokers` that --broker-list names, without racks where they are not to be looked at.
base::Result<std::vector<AssignableBroker>> brokers_to_use(std::vector<AssignableBroker> brokers,
                                                           const Options& options) {
  std::set<std::int64_t> wanted;
  for (const auto& word : split(options.get_or("broker-list", ""), ',')) {
    const auto id = parse_number(trim(word));
    if (!id) return base::make_error(base::Errc::invalid_argument, "For input string: \"{}\"", word);
    if (!wanted.insert(*id).second)
      return base::make_error(base::Errc::invalid_argument, "Broker list contains duplicate entries: {}",
                              *id);
  }
  std::erase_if(brokers, [&](const AssignableBroker& broker) { return !wanted.contains(broker.id); });
  const auto rackless = std::count_if(brokers.begin(), brokers.end(), [](const auto& b) { return !b.rack; });
  if (options.has("disable-rack-aware")) {
    for (AssignableBroker& broker : brokers) broker.rack.reset();
  } else if (rackless != 0 && rackless != std::ssize(brokers)) {
    return base::make_error(
        base::Errc::invalid_argument,
        "Not all brokers have rack information. Add --disable-rack-aware in command line to "
        "make replica assignment without rack information.");
  }
  return brokers;
}

base::Result<Assignments> propose(const Assignments& standing,
                                  const std::vector<broker::controller::AssignableBroker>& brokers) {
  std::map<std::string, std::pair<std::int32_t, std::int32_t>> topics;  // partitions and replicas
  for (const auto& [partition, replicas] : standing) {
    auto& [count, factor] = topics[partition.topic];
    ++count;
    if (factor == 0) factor = static_cast<std::int32_t>(replicas.size());
  }
  base::Random random(static_cast<std::uint64_t>(base::SystemClock().wall().ms));
  Assignments out;
  for (const auto& [topic, shape] : topics) {
    broker::controller::AssignOptions options;
    options.partitions = shape.first;
    options.replication_factor = shape.second;
    auto spread = broker::controller::assign_replicas(brokers, options, random);
    if (!spread.error.ok()) return base::make_error(base::Errc::invalid_argument, "{}", spread.error.message);
    for (auto& [number, replicas] : spread.partitions) out[{topic, number}] = std::move(replicas);
  }
  return out;
}

}  // namespace

base::Status terse(std::string text) { return base::Error{base::Errc::invalid_argument, std::move(text)}; }
base::Status error_of(std::string_view text) {
  return base::Error{base::Errc::invalid_argument, fmt::format("Error: {}", text)};
}
base::Status error_of(const base::Error& error) { return error_of(error.context); }

base::Result<std::vector<Placement>> placements_of(const Options& options) {
  const auto text = read_text_file(options.get_or("reassignment-json-file", ""));
  if (!text) return text.error();
  return parse_placements(*text);
}

base::Result<std::set<std::string>> topics_to_move(const Options& options) {
  const auto text = read_text_file(options.get_or("topics-to-move-json-file", ""));
  if (!text) return text.error();
  const auto topics = parse_topics_to_move(*text);
  if (!topics) return topics.error();
  std::set<std::string> names;
  std::set<std::string> twice;
  for (const auto& topic : *topics)
    if (!names.insert(topic).second) twice.insert(topic);
  if (!twice.empty())
    return base::make_error(base::Errc::invalid_argument,
                            "List of topics to reassign contains duplicate entries: {}",
                            fmt::join(twice, ","));
  return names;
}

std::string placements_fault(const std::vector<Placement>& placements) {
  if (placements.empty()) return "Partition reassignment list cannot be empty";
  std::vector<zk::TopicPartition> named;
  for (const auto& placement : placements) {
    if (placement.replicas.empty()) return "Partition replica list cannot be empty";
    named.push_back(placement.partition);
  }
  if (const auto twice = repeated(named); !twice.empty())
    return "Partition reassignment contains duplicate topic partitions: " + twice;
  std::vector<std::string> faults;
  for (const auto& placement : placements) {
    std::set<std::int32_t> seen;
    std::set<std::int32_t> twice;
    for (const auto broker : placement.replicas) {
      if (!seen.insert(broker).second) twice.insert(broker);
    }
    if (!twice.empty())
      faults.push_back(fmt::format("{} contains multiple entries for {}", placement.partition.text(),
                                   fmt::join(twice, ",")));
  }
  return faults.empty() ? ""
                        : "Partition replica lists may not contain duplicate entries: " + join(faults, ". ");
}

base::Status print_proposal(const Assignments& standing, std::vector<AssignableBroker> brokers,
                            const Options& options) {
  const auto used = brokers_to_use(std::move(brokers), options);
  if (!used) return error_of(used.error());
  const auto proposed = propose(standing, *used);
  if (!proposed) return error_of(proposed.error());
  fmt::print("Current partition replica assignment\n{}\n\n", placements_json(standing));
  fmt::print("Proposed partition reassignment configuration\n{}\n", placements_json(*proposed));
  return {};
}

void print_standing(const Assignments& standing) {
  fmt::print(
      "Current partition replica assignment\n\n{}\n\nSave this to use as the --reassignment-json-file option "
      "during rollback\n",
      placements_json(standing));
}

void print_started(const Assignments& proposed) {
  std::vector<zk::TopicPartition> moved;
  for (const auto& [partition, replicas] : proposed) moved.push_back(partition);
  fmt::print("Successfully started partition reassignment{} for {}\n", moved.size() == 1 ? "" : "s",
             joined(moved, ","));
}

void print_move_states(std::vector<Placement> placements, const std::set<zk::TopicPartition>& moving,
                       const Assignments& standing, std::string_view done) {
  std::sort(placements.begin(), placements.end(),
            [](const auto& a, const auto& b) { return a.partition < b.partition; });
  fmt::print("Status of partition reassignment:\n");
  for (const auto& placement : placements) {
    const auto name = placement.partition.text();
    const auto at = standing.find(placement.partition);
    const zk::Replicas replicas = at == standing.end() ? zk::Replicas{} : at->second;
    if (moving.contains(placement.partition)) {
      fmt::print("Reassignment of partition {} is still in progress.\n", name);
    } else if (replicas == placement.replicas) {
      fmt::print("Reassignment of partition {} is {}.\n", name, done);
    } else {
      fmt::print("There is no active reassignment of partition {}, but replica set is {} rather than {}.\n",
                 name, join(replicas, ","), join(placement.replicas, ","));
    }
  }
}

}  // namespace tandem::tools::kafka
