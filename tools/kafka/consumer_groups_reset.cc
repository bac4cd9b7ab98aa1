#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <set>

#include "tools/kafka/consumer_groups.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace {

constexpr std::array kScenarios = {"to-offset", "to-datetime", "by-duration", "to-earliest",
                                   "to-latest", "shift-by",    "from-file",   "to-current"};

using Plan = std::map<std::string, Offsets>;  // by group

base::Result<Plan> plan_from_file(const std::string& file, const std::vector<std::string>& groups) {
  std::ifstream in(file);
  if (!in) return base::make_error(base::Errc::not_found, "java.nio.file.NoSuchFileException: {}", file);
  Plan plan;
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    auto cells = split(line, ',');
    if (cells.size() == 3 && groups.size() == 1) cells.insert(cells.begin(), groups.front());
    for (std::string& cell : cells) std::erase(cell, '"');
    if (cells.size() != 4 || !parse_number(cells[2]) || !parse_number(cells[3]))
      return base::make_error(base::Errc::corrupt,
                              "{} has a line that is not [group,]topic,partition,offset: {}", file, line);
    plan[cells[0]][{cells[1], static_cast<std::int32_t>(*parse_number(cells[2]))}] = *parse_number(cells[3]);
  }
  return plan;
}

// Moves what lies outside the log to its nearest end.
base::Result<Offsets> clamped(Admin& admin, Offsets wanted) {
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, offset] : wanted) partitions.push_back(partition);
  const auto ends = list_offsets(admin, partitions, kLatest);
  if (!ends) return ends.error();
  const auto starts = list_offsets(admin, partitions, kEarliest);
  if (!starts) return starts.error();
  for (auto& [partition, offset] : wanted) {
    const auto end = ends->find(partition);
    const auto start = starts->find(partition);
    const std::int64_t asked = offset;
    if (end != ends->end()) offset = std::min(offset, end->second);
    if (start != starts->end()) offset = std::max(offset, start->second);
    if (offset != asked)
      fmt::print(stderr,
                 "WARN New offset ({}) is {} offset for topic partition {}-{}. Value will be set to {}\n",
                 asked, asked > offset ? "higher than latest" : "lower than earliest", partition.first,
                 partition.second, offset);
  }
  return wanted;
}

base::Result<Offsets> by_timestamp(Admin& admin, const std::vector<TopicPartition>& partitions,
                                   std::int64_t timestamp) {
  auto offsets = list_offsets(admin, partitions, timestamp);
  if (!offsets) return offsets.error();
  std::vector<TopicPartition> without;
  for (const auto& [partition, offset] : *offsets) {
    if (offset >= 0) continue;
    fmt::print("\nWarn: Partition {} from topic {} is empty. Falling back to latest known offset.\n",
               partition.second, partition.first);
    without.push_back(partition);
  }
  const auto ends = list_offsets(admin, without, kLatest);
  if (!ends) return ends.error();
  for (const auto& [partition, end] : *ends) (*offsets)[partition] = end;
  return offsets;
}

base::Result<Offsets> shifted(Admin& admin, const std::string& group,
                              const std::vector<TopicPartition>& partitions, std::int64_t by) {
  const auto committed = committed_offsets(admin, group);
  if (!committed) return committed.error();
  Offsets wanted;
  for (const TopicPartition& partition : partitions) {
    const auto at = committed->find(partition);
    if (at == committed->end())
      return base::make_error(
          base::Errc::invalid_argument,
          "Cannot shift offset for partition {}-{} since there is no current committed offset",
          partition.first, partition.second);
    wanted[partition] = at->second + by;
  }
  return clamped(admin, std::move(wanted));
}

base::Result<Offsets> current(Admin& admin, const std::string& group,
                              const std::vector<TopicPartition>& partitions) {
  const auto committed = committed_offsets(admin, group);
  if (!committed) return committed.error();
  Offsets offsets;
  std::vector<TopicPartition> without;
  for (const TopicPartition& partition : partitions) {
    const auto at = committed->find(partition);
    if (at == committed->end()) {
      without.push_back(partition);
    } else {
      offsets[partition] = at->second;
    }
  }
  const auto ends = list_offsets(admin, without, kLatest);
  if (!ends) return ends.error();
  offsets.insert(ends->begin(), ends->end());
  return offsets;
}

base::Result<Offsets> new_offsets(Admin& admin, const Options& options, const std::string& group,
                                  const std::vector<TopicPartition>& partitions, const Plan& plan) {
  if (options.has("to-earliest")) return list_offsets(admin, partitions, kEarliest);
  if (options.has("to-latest")) return list_offsets(admin, partitions, kLatest);
  if (options.has("to-current")) return current(admin, group, partitions);
  if (options.has("from-file")) {
    const auto own = plan.find(group);
    if (own == plan.end()) {
      groups_error(fmt::format("No reset plan for group {} found", group));
      return Offsets{};
    }
    return clamped(admin, own->second);
  }
  for (const char* name : {"to-offset", "shift-by"}) {
    const auto number = options.number(name);
    if (!number) return number.error();
    if (!*number) continue;
    if (std::string_view(name) == "shift-by") return shifted(admin, group, partitions, **number);
    Offsets wanted;
    for (const TopicPartition& partition : partitions) wanted[partition] = **number;
    return clamped(admin, std::move(wanted));
  }
  if (const auto date = options.get("to-datetime")) {
    const auto timestamp = parse_date(*date);
    if (!timestamp)
      return base::make_error(base::Errc::corrupt, "java.text.ParseException: Unparseable date: \"{}\"",
                              *date);
    return by_timestamp(admin, partitions, *timestamp);
  }
  const auto age = parse_duration(options.get_or("by-duration", ""));
  if (!age) return base::make_error(base::Errc::corrupt, "Text cannot be parsed to a Duration");
  return by_timestamp(admin, partitions, base::SystemClock().wall().ms - *age);
}

base::Result<std::vector<TopicPartition>> scope(Admin& admin, const Options& options,
                                                const std::string& group) {
  std::vector<TopicPartition> partitions;
  if (options.has("all-topics")) {
    const auto committed = committed_offsets(admin, group);
    if (!committed) return committed.error();
    for (const auto& [partition, offset] : *committed) partitions.push_back(partition);
    return partitions;
  }
  for (const std::string& topic : options.all("topic")) {
    const auto named = named_partitions(admin, topic);
    if (!named) return named.error();
    partitions.insert(partitions.end(), named->begin(), named->end());
  }
  return partitions;
}

void print_plan(const Options& options, const Plan& plan) {
  const bool one_group = options.all("group").size() == 1;
  if (!options.has("export"))
    fmt::print("\n{:<30} {:<30} {:<10} {:<15}\n", "GROUP", "TOPIC", "PARTITION", "NEW-OFFSET");
  for (const auto& [group, offsets] : plan)
    for (const auto& [partition, offset] : offsets) {
      if (!options.has("export")) {
        fmt::print("{:<30} {:<30} {:<10} {:<15}\n", group, partition.first, partition.second, offset);
      } else if (one_group) {
        fmt::print("{},{},{}\n", partition.first, partition.second, offset);
      } else {
        fmt::print("{},{},{},{}\n", group, partition.first, partition.second, offset);
      }
    }
  if (options.has("export")) fmt::print("\n");
}

}  // namespace

base::Status reset_offsets(Admin& admin, const Options& options) {
  const auto scenarios =
      std::count_if(kScenarios.begin(), kScenarios.end(), [&](auto name) { return options.has(name); });
  if (scenarios != 1)
    return base::make_error(
        base::Errc::invalid_argument,
        "Option '[reset-offsets]' requires one of the following scenarios: [to-offset], [shift-by], "
        "[to-datetime], [by-duration], [to-earliest], [to-latest], [to-current], [from-file]");
  if (!options.has("all-topics") && !options.has("topic") && !options.has("from-file"))
    return base::make_error(base::Errc::invalid_argument,
                            "One of the reset scopes should be defined: --all-topics, --topic.");
  if (!options.has("dry-run") && !options.has("execute"))
    fmt::print(stderr, "WARN: No action will be performed as the --execute option is missing.\n");
  const auto groups = chosen_groups(admin, options);
  if (!groups) return groups.error();
  Plan from_file;
  if (const auto file = options.get("from-file")) {
    auto read = plan_from_file(*file, *groups);
    if (!read) return read.error();
    from_file = std::move(*read);
  }
  Plan plan;
  for (const std::string& group : *groups) {
    const auto described = describe_group(admin, group);
    if (!described) return described.error();
    if (described->state != "Empty" && described->state != "Dead") {
      groups_error(fmt::format(
          "Assignments can only be reset if the group '{}' is inactive, but the current state is {}.", group,
          described->state));
      plan[group];
      continue;
    }
    const auto partitions = scope(admin, options, group);
    if (!partitions) return partitions.error();
    auto offsets = new_offsets(admin, options, group, *partitions, from_file);
    if (!offsets) return offsets.error();
    if (options.has("execute")) {
      if (auto committed = commit_offsets(admin, group, *offsets); !committed) return committed;
    }
    plan[group] = std::move(*offsets);
  }
  print_plan(options, plan);
  return {};
}

}  // namespace tandem::tools::kafka
