#include "coord/tree/quota.h"

#include <fmt/format.h>

#include <charconv>

#include "coord/tree/path.h"

namespace tandem::coord::tree {

std::string quota_limits_path(std::string_view path) {
  return fmt::format("{}{}/{}", kQuotaPath, path, kLimitsName);
}

std::string quota_stats_path(std::string_view path) {
  return fmt::format("{}{}/{}", kQuotaPath, path, kStatsName);
}

QuotaNumbers QuotaNumbers::parse(std::string_view text) {
  QuotaNumbers numbers;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(",;");
    std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string_view::npos) continue;
    std::string_view digits = pair.substr(equals + 1);
    digits = digits.substr(0, digits.find('='));  // "bytes=M=" stands before the hard limits
    std::int64_t value = -1;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    numbers.values_[std::string(pair.substr(0, equals))] = value;
  }
  return numbers;
}

std::int64_t QuotaNumbers::get(const char* key) const {
  const auto it = values_.find(key);
  return it == values_.end() ? -1 : it->second;
}

std::string QuotaNumbers::text() const {
  std::string out = fmt::format("count={},bytes={}", count(), bytes());
  bool first = true;
  for (const auto& [key, value] : values_) {
    if (key == "count" || key == "bytes") continue;
    out += fmt::format("{};{}={}", first ? "=" : "", key, value);
    first = false;
  }
  return out;
}

void QuotaPaths::remove(std::string_view path) {
  auto it = paths_.lower_bound(path);
  while (it != paths_.end() && it->starts_with(path)) {
    const bool below = it->size() == path.size() || (*it)[path.size()] == '/';
    it = below ? paths_.erase(it) : std::next(it);
  }
}

std::string_view QuotaPaths::deepest_above(std::string_view path) const {
  while (!paths_.empty() && path.size() > 1) {
    if (const auto it = paths_.find(path); it != paths_.end()) return *it;
    path = path.substr(0, path.rfind('/'));
  }
  return {};
}

}  // namespace tandem::coord::tree
