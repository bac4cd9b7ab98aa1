#include "broker/log/text_checkpoint.h"

#include <fmt/core.h>

#include <charconv>

namespace tandem::broker::log {

using base::Errc;
using base::make_error;
using base::Result;

namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    out.push_back(line);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return out;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    out.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::optional<std::int64_t> number_of(std::string_view word) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (code != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

// "key=value", "key: value" or "key value" as java.util.Properties takes them, without its escapes.
std::map<std::string, std::string> properties_of(std::string_view contents) {
  std::map<std::string, std::string> out;
  for (std::string_view line : lines_of(contents)) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos || line[begin] == '#' || line[begin] == '!') continue;
    line.remove_prefix(begin);
    const std::size_t split = line.find_first_of("=: ");
    const std::string key(line.substr(0, split));
    std::string_view value = split == std::string_view::npos ? std::string_view() : line.substr(split + 1);
    const std::size_t at = value.find_first_not_of(" \t=:");
    value = at == std::string_view::npos ? std::string_view() : value.substr(at);
    std::string plain;
    for (const char c : value)
      if (c != '\\') plain.push_back(c);
    out[key] = plain;
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> parse_text_checkpoint(std::string_view contents, std::string_view path) {
  const auto lines = lines_of(contents);
  if (lines.empty()) return std::vector<std::string>{};  // an empty file, as Kafka takes it
  if (number_of(lines[0]) != 0) return make_error(Errc::corrupt, "{}: version '{}' is not 0", path, lines[0]);
  const auto count = lines.size() < 2 ? std::nullopt : number_of(lines[1]);
  if (!count || *count < 0 || static_cast<std::size_t>(*count) != lines.size() - 2)
    return make_error(Errc::corrupt, "{}: {} lines, its second line promises '{}'", path, lines.size(),
                      lines.size() < 2 ? std::string_view() : lines[1]);
  return std::vector<std::string>(lines.begin() + 2, lines.end());
}

std::string format_text_checkpoint(const std::vector<std::string>& lines) {
  std::string out = fmt::format("0\n{}\n", lines.size());
  for (const auto& line : lines) out.append(line).push_back('\n');
  return out;
}

std::vector<std::int64_t> numbers_of(std::string_view line) {
  std::vector<std::int64_t> out;
  for (const auto word : words_of(line)) {
    const auto value = number_of(word);
    if (!value) return {};
    out.push_back(*value);
  }
  return out;
}

Result<OffsetCheckpoint> parse_offset_checkpoint(std::string_view contents, std::string_view path) {
  const auto lines = parse_text_checkpoint(contents, path);
  if (!lines) return lines.error();
  OffsetCheckpoint out;
  for (const auto& line : *lines) {
    const auto words = words_of(line);
    const auto partition = words.size() == 3 ? number_of(words[1]) : std::nullopt;
    const auto offset = words.size() == 3 ? number_of(words[2]) : std::nullopt;
    if (!partition || !offset || *partition < 0 || *partition > INT32_MAX)
      return make_error(Errc::corrupt, "{}: malformed line '{}'", path, line);
    out[{std::string(words[0]), static_cast<std::int32_t>(*partition)}] = *offset;
  }
  return out;
}

std::string format_offset_checkpoint(const OffsetCheckpoint& offsets) {
  std::vector<std::string> lines;
  lines.reserve(offsets.size());
  for (const auto& [where, offset] : offsets)
    lines.push_back(fmt::format("{} {} {}", where.topic, where.partition, offset));
  return format_text_checkpoint(lines);
}

std::string format_partition_metadata(const protocol::Uuid& id) {
  return fmt::format("version: 0\ntopic_id: {}", id.to_string());
}

Result<protocol::Uuid> parse_partition_metadata(std::string_view contents, std::string_view path) {
  const auto values = properties_of(contents);
  const auto version = values.find("version");
  const auto id = values.find("topic_id");
  if (version == values.end() || version->second != "0" || id == values.end())
    return make_error(Errc::corrupt, "{}: no version 0 with a topic id", path);
  const auto parsed = protocol::Uuid::parse(id->second);
  if (!parsed) return make_error(Errc::corrupt, "{}: topic id '{}'", path, id->second);
  return *parsed;
}

Result<MetaProperties> parse_meta_properties(std::string_view contents, std::string_view path) {
  const auto values = properties_of(contents);
  const auto get = [&values](const char* key) {
    const auto it = values.find(key);
    return it == values.end() ? std::string() : it->second;
  };
  MetaProperties out;
  if (const auto version = get("version"); version != "0" && !version.empty())
    return make_error(Errc::unsupported, "{}: version {} is not that of a cluster on ZooKeeper", path,
                      version);
  if (const auto id = get("broker.id"); !id.empty()) {
    const auto number = number_of(id);
    if (!number || *number < -1 || *number > INT32_MAX)
      return make_error(Errc::corrupt, "{}: broker.id '{}'", path, id);
    out.broker_id = static_cast<std::int32_t>(*number);
  }
  out.cluster_id = get("cluster.id");
  out.directory_id = get("directory.id");
  return out;
}

std::string format_meta_properties(const MetaProperties& properties, std::string_view comment) {
  std::string out = fmt::format("#\n{}\n", comment);
  out += fmt::format("broker.id={}\n", properties.broker_id);
  if (!properties.cluster_id.empty()) out += fmt::format("cluster.id={}\n", properties.cluster_id);
  if (!properties.directory_id.empty()) out += fmt::format("directory.id={}\n", properties.directory_id);
  return out + "version=0\n";
}

std::string format_clean_shutdown(std::int64_t broker_epoch) {
  return fmt::format("{{\"version\":0,\"brokerEpoch\":{}}}", broker_epoch);
}

}  // namespace tandem::broker::log
