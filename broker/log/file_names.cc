#include "broker/log/file_names.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

namespace tandem::broker::log {

namespace {

constexpr std::size_t kDigits = 20;
constexpr std::size_t kDirNameMax = 255;

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  if (!all_digits(text)) return std::nullopt;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string segment_file(std::int64_t base_offset, std::string_view suffix) {
  return fmt::format("{:020d}{}", base_offset, suffix);
}

std::optional<SegmentFile> parse_segment_file(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot != kDigits) return std::nullopt;
  const auto base = number<std::int64_t>(name.substr(0, dot));
  if (!base) return std::nullopt;
  return SegmentFile{*base, name.substr(dot)};
}

std::optional<PartitionDir> parse_partition_dir(std::string_view name) {
  PartitionDir out;
  struct Ending {
    std::string_view suffix;
    DirKind kind;
  };
  for (const Ending& ending :
       {Ending{"-delete", DirKind::deleted}, {"-future", DirKind::future}, {"-stray", DirKind::stray}}) {
    if (!name.ends_with(ending.suffix)) continue;
    const std::string_view head = name.substr(0, name.size() - ending.suffix.size());
    const std::size_t dot = head.rfind('.');
    if (dot == std::string_view::npos || head.find('-') == std::string_view::npos || dot + 1 == head.size())
      continue;
    out.kind = ending.kind;
    name = head.substr(0, dot);
    break;
  }
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  const auto partition = number<std::int32_t>(name.substr(dash + 1));
  if (!partition) return std::nullopt;
  out.topic = std::string(name.substr(0, dash));
  out.partition = *partition;
  return out;
}

std::string partition_dir(std::string_view topic, std::int32_t partition) {
  return fmt::format("{}-{}", topic, partition);
}

std::string renamed_dir(std::string_view topic, std::int32_t partition, std::string_view unique,
                        std::string_view suffix) {
  const std::string tail = fmt::format("-{}.{}{}", partition, unique, suffix);
  return std::string(topic.substr(0, std::min(topic.size(), kDirNameMax - tail.size()))) + tail;
}

}  // namespace tandem::broker::log
