#include "conf/table.h"

#include <algorithm>
#include <numeric>

namespace tandem::conf {

namespace {

// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string_view family_prefix(std::string_view key) { return key.substr(0, key.size() - 1); }

}  // namespace

Rows::Rows(std::vector<Setting> settings) : settings_(std::move(settings)) {
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    const Setting& setting = settings_[i];
    const auto add = [&](auto& index, std::string_view name) {
      ENSURE(index.emplace(name, i).second, "two settings are called {}", name);
    };
    add(by_key_, setting.key);
    for (const auto alias : setting.options.aliases) add(by_key_, alias);
    if (!setting.options.property.empty()) add(by_property_, setting.options.property);
  }
}

const Setting* Rows::find(std::string_view name, Names names) const {
  const auto& index = names == Names::keys ? by_key_ : by_property_;
  if (const auto it = index.find(name); it != index.end()) return &settings_[it->second];
  for (const Setting& setting : settings_) {
    if (!setting.is_family()) continue;
    const std::string_view pattern = names == Names::keys ? setting.key : setting.options.property;
    if (pattern.empty()) continue;
    const std::string_view prefix = family_prefix(pattern);
    if (name.size() > prefix.size() && name.substr(0, prefix.size()) == prefix) return &setting;
  }
  return nullptr;
}

std::string_view Rows::nearest(std::string_view name) const {
  constexpr std::size_t kLongestKey = 80;  // nothing longer is a misspelt key, and the search is not linear
  if (name.size() > kLongestKey) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 5) + 1;
  for (const auto& [key, index] : by_key_) {
    const std::size_t d = distance(name, key);
    if (d > best_distance || (d == best_distance && (best.empty() || key > best))) continue;
    best = key;
    best_distance = d;
  }
  return best_distance <= std::max<std::size_t>(2, name.size() / 5) ? best : std::string_view();
}

namespace {

base::Error entry_error(const Entry& entry, std::string_view why) {
  return base::make_error(base::Errc::invalid_argument, "{}: {}: {}", where(entry), entry.key, why);
}

std::string unknown_sentence(const Rows& rows, const Entry& entry, Names names) {
  const auto near = names == Names::keys ? rows.nearest(entry.key) : std::string_view();
  return fmt::format("{}: unknown key {}{}", where(entry), entry.key,
                     near.empty() ? "" : fmt::format("; did you mean {}?", near));
}

}  // namespace

Status apply_rows(const Rows& rows, void* config, const void* defaults, std::span<const Entry> entries,
                  Findings& findings, Names names) {
  for (const Entry& entry : entries) {
    const Setting* setting = rows.find(entry.key, names);
    if (setting == nullptr) {
      findings.warnings.push_back(unknown_sentence(rows, entry, names));
      findings.unknown.push_back(entry);
      continue;
    }
    if (setting->options.state == State::retired) {
      findings.warnings.push_back(fmt::format("{}: {} is of an older version and ignored: {}", where(entry),
                                              entry.key, setting->options.doc));
      continue;
    }
    if (setting->options.refuse) {
      if (const auto why = setting->options.refuse(entry.value)) return entry_error(entry, *why);
    }
    std::string value = entry.value;
    if (setting->is_family()) {
      const std::string_view pattern = names == Names::keys ? setting->key : setting->options.property;
      value = entry.key.substr(family_prefix(pattern).size()) + '\0' + entry.value;
    }
    if (const auto status = setting->field.set(config, value, setting->options); !status) {
      return entry_error(entry, status.error().context);
    }
    const auto fallback = setting->field.get(defaults, setting->options);
    if (setting->options.state == State::accepted && fallback != entry.value) {
      auto& keys = findings.not_here_yet;
      if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) keys.push_back(entry.key);
    }
  }
  return {};
}

std::string not_here_yet_warning(const Findings& findings) {
  if (findings.not_here_yet.empty()) return {};
  std::string keys;
  for (const auto& key : findings.not_here_yet) keys.append(keys.empty() ? "" : ", ").append(key);
  return fmt::format(
      "These settings are understood, but what they set is not here yet, so they have no effect: {}", keys);
}

}  // namespace tandem::conf
