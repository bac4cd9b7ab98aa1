#include "tools/kafka/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <regex>

namespace tandem::tools::kafka {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t next = std::min(text.find(separator, at), text.size());
    words.emplace_back(text.substr(at, next - at));
    at = next + 1;
  }
  return words;
}

std::string join(std::span<const std::string> words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

std::string join(std::span<const std::int32_t> numbers, std::string_view separator) {
  return fmt::format("{}", fmt::join(numbers, separator));
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

base::Result<std::vector<std::string>> matching_topics(const std::vector<std::string>& topics,
                                                       const std::string& pattern) {
  std::string expression;
  for (const char c : trim(pattern)) {
    if (c == ',') {
      expression += '|';
    } else if (c != ' ' && c != '"' && c != '\'') {
      expression += c;
    }
  }
  std::vector<std::string> found;
  try {
    const std::regex regex(expression);
    for (const std::string& topic : topics)
      if (std::regex_match(topic, regex)) found.push_back(topic);
  } catch (const std::regex_error&) {
    return base::make_error(base::Errc::invalid_argument, "{} is an invalid regex.", pattern);
  }
  return found;
}

std::vector<std::size_t> java_hash_order(std::span<const std::int32_t> hashes) {
  std::size_t buckets = 16;
  while (hashes.size() > buckets / 4 * 3) buckets *= 2;
  const auto bucket = [&](std::size_t i) {
    const auto hash = static_cast<std::uint32_t>(hashes[i]);
    return (hash ^ hash >> 16) & (buckets - 1);
  };
  std::vector<std::size_t> order(hashes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return bucket(a) < bucket(b); });
  return order;
}

bool is_internal_topic(std::string_view topic) {
  return topic == "__consumer_offsets" || topic == "__transaction_state";
}

bool has_collision_characters(std::string_view topic) {
  return topic.find_first_of("._") != std::string_view::npos;
}

std::optional<std::int64_t> parse_date(const std::string& text) {
  std::tm date{};
  int millis = 0;
  int used = 0;
  int fraction_at = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &date.tm_year, &date.tm_mon, &date.tm_mday,
                  &date.tm_hour, &date.tm_min, &date.tm_sec, &used) != 6)
    return std::nullopt;
  if (std::sscanf(text.c_str() + used, ".%3d%n", &millis, &fraction_at) == 1) used += fraction_at;
  date.tm_year -= 1900;
  date.tm_mon -= 1;
  date.tm_isdst = -1;
  const std::string zone = text.substr(static_cast<std::size_t>(used));
  if (zone.empty()) return static_cast<std::int64_t>(std::mktime(&date)) * 1000 + millis;
  std::int64_t offset = 0;
  if (zone != "Z") {
    int hours = 0;
    int minutes = 0;
    if (std::sscanf(zone.c_str() + 1, "%2d:%2d", &hours, &minutes) < 1) return std::nullopt;
    if (zone.find(':') == std::string::npos) std::sscanf(zone.c_str() + 1, "%2d%2d", &hours, &minutes);
    offset = (zone.front() == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
  }
  return (static_cast<std::int64_t>(::timegm(&date)) - offset) * 1000 + millis;
}

std::optional<std::int64_t> parse_duration(const std::string& text) {
  static const std::regex shape(R"(P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,3}))?S)?)?)");
  std::smatch parts;
  if (!std::regex_match(text, parts, shape) || text.size() < 3) return std::nullopt;
  const auto part = [&](std::size_t i) { return parse_number(parts[i].str()).value_or(0); };
  return (((part(1) * 24 + part(2)) * 60 + part(3)) * 60 + part(4)) * 1000 + part(5);
}

}  // namespace tandem::tools::kafka
