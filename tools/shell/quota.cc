#include "tools/shell/quota.h"

#include <fmt/core.h>

#include "tools/shell/arguments.h"

namespace tandem::tools::shell {

Quota Quota::parse(std::string_view text) {
  Quota quota;
  while (!text.empty()) {
    const auto end = text.find_first_of(",;");
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view value = pair.substr(equals + 1);
    value = value.substr(0, value.find('='));  // the one behind bytes is there for old parsers
    quota.set(std::string(pair.substr(0, equals)), parse_integer(value).value_or(-1));
  }
  return quota;
}

std::int64_t Quota::get(const std::string& key) const {
  const auto it = values_.find(key);
  return it == values_.end() ? -1 : it->second;
}

std::string Quota::text() const {
  std::string text = fmt::format("count={},bytes={}", get(kCount), get(kBytes));
  bool first = true;
  for (const auto& [key, value] : values_) {
    if (key == kCount || key == kBytes) continue;
    text += fmt::format("{};{}={}", first ? "=" : "", key, value);
    first = false;
  }
  return text;
}

}  // namespace tandem::tools::shell
