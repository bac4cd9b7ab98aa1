#include "tools/kafka/partition_files.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <fstream>
#include <initializer_list>
#include <set>
#include <sstream>

#include "broker/zk/json.h"

namespace tandem::tools::kafka {

namespace {

using base::Result;
using zk::JsonObject;

Result<std::vector<JsonObject>> rows_of(const std::string& json, std::string_view key) {
  const auto parsed = JsonObject::parse("The file", json);
  if (!parsed) return base::make_error(base::Errc::invalid_argument, "The input string is not a valid JSON");
  const auto version = parsed->i32_or("version", 1);
  if (!version) return version.error();
  if (*version != 1)
    return base::make_error(base::Errc::unsupported, "Not supported version field value {}", *version);
  if (!parsed->has(key)) return std::vector<JsonObject>{};
  return parsed->objects(key);
}

base::Status has_fields(const JsonObject& row, std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    if (!row.has(name))
      return base::make_error(base::Errc::invalid_argument, "No such field exists: `{}`", name);
  }
  return {};
}

Result<zk::TopicPartition> partition_of(const JsonObject& row) {
  if (auto status = has_fields(row, {"topic", "partition"}); !status) return status.error();
  auto topic = row.text("topic");
  if (!topic) return topic.error();
  const auto partition = row.i32("partition");
  if (!partition) return partition.error();
  return zk::TopicPartition{std::move(*topic), *partition};
}

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (!in || text.bad()) return base::make_error(base::Errc::not_found, "Unable to read file {}", path);
  return std::move(text).str();
}

Result<std::vector<Placement>> parse_placements(const std::string& json) {
  const auto rows = rows_of(json, "partitions");
  if (!rows) return rows.error();
  std::vector<Placement> out;
  for (const auto& row : *rows) {
    auto partition = partition_of(row);
    if (!partition) return partition.error();
    if (auto status = has_fields(row, {"replicas"}); !status) return status.error();
    auto replicas = row.i32_list("replicas");
    if (!replicas) return replicas.error();
    Placement placement{std::move(*partition), std::move(*replicas), {}};
    if (row.has("log_dirs")) {
      auto dirs = row.text_list("log_dirs");
      if (!dirs) return dirs.error();
      placement.log_dirs = std::move(*dirs);
    } else {
      placement.log_dirs.assign(placement.replicas.size(), std::string(kAnyLogDir));
    }
    if (placement.log_dirs.size() != placement.replicas.size()) {
      return base::make_error(
          base::Errc::invalid_argument,
          "Size of replicas list [{}] is different from size of log dirs list [{}] for partition {}",
          fmt::join(placement.replicas, ", "), fmt::join(placement.log_dirs, ", "),
          placement.partition.text());
    }
    out.push_back(std::move(placement));
  }
  return out;
}

Result<std::vector<std::string>> parse_topics_to_move(const std::string& json) {
  const auto rows = rows_of(json, "topics");
  if (!rows) return rows.error();
  std::vector<std::string> out;
  for (const auto& row : *rows) {
    auto topic = row.text("topic");
    if (!topic) return topic.error();
    out.push_back(std::move(*topic));
  }
  return out;
}

Result<std::vector<zk::TopicPartition>> parse_partition_list(const std::string& json) {
  const auto rows = rows_of(json, "partitions");
  if (!rows) return rows.error();
  std::vector<zk::TopicPartition> out;
  for (const auto& row : *rows) {
    auto partition = partition_of(row);
    if (!partition) return partition.error();
    out.push_back(std::move(*partition));
  }
  return out;
}

Result<std::vector<PartitionOffset>> parse_partition_offsets(const std::string& json) {
  const auto rows = rows_of(json, "partitions");
  if (!rows) return rows.error();
  std::vector<PartitionOffset> out;
  for (const auto& row : *rows) {
    auto partition = partition_of(row);
    if (!partition) return partition.error();
    if (auto status = has_fields(row, {"offset"}); !status) return status.error();
    const auto offset = row.i64("offset");
    if (!offset) return offset.error();
    out.push_back({std::move(*partition), *offset});
  }
  return out;
}

std::string placements_json(const std::map<zk::TopicPartition, zk::Replicas>& placements) {
  zk::JsonWriter json;
  json.begin().key("version").number(1).key("partitions").begin_list();
  for (const auto& [partition, replicas] : placements) {
    json.begin().key("topic").text(partition.topic).key("partition").number(partition.partition);
    json.key("replicas").numbers(replicas).key("log_dirs").begin_list();
    for (std::size_t i = 0; i < replicas.size(); ++i) json.text(kAnyLogDir);
    json.end_list().end();
  }
  json.end_list().end();
  return json.take();
}

std::string joined(const std::vector<zk::TopicPartition>& partitions, std::string_view separator) {
  std::vector<std::string> texts;
  for (const auto& partition : partitions) texts.push_back(partition.text());
  return fmt::format("{}", fmt::join(texts, separator));
}

std::string repeated(const std::vector<zk::TopicPartition>& partitions) {
  std::set<zk::TopicPartition> seen;
  std::set<zk::TopicPartition> twice;
  for (const auto& partition : partitions) {
    if (!seen.insert(partition).second) twice.insert(partition);
  }
  return joined({twice.begin(), twice.end()}, ",");
}

}  // namespace tandem::tools::kafka
