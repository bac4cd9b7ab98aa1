// Table: the settings of one Config struct. It applies entries to a Config, later entries over earlier ones,
// and answers with one sentence naming file, line and key for what is wrong. Immutable after construction;
// made by its server's config.cc and owned by main.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "conf/properties.h"
#include "conf/setting.h"

namespace tandem::conf {

// Which names entries are looked up by: those of the configuration file, or Java system properties (-D).
enum class Names { keys, properties };

class Rows {
 public:
  explicit Rows(std::vector<Setting> settings);

  const std::vector<Setting>& settings() const { return settings_; }
  const Setting* find(std::string_view name, Names names = Names::keys) const;  // aliases and families too
  // The known key that `name` is most likely a misspelling of; empty when none is near.
  std::string_view nearest(std::string_view name) const;

 private:
  std::vector<Setting> settings_;
  std::unordered_map<std::string_view, std::size_t> by_key_;
  std::unordered_map<std::string_view, std::size_t> by_property_;
};

// What applying found that does not stop the start; each a whole sentence.
struct Findings {
  std::vector<std::string> warnings;
  std::vector<std::string> not_here_yet;  // keys; for the one warning that not_here_yet_warning() words
  std::vector<Entry> unknown;             // as they came, for those that pass them on
};

// Empty when there is nothing to say.
std::string not_here_yet_warning(const Findings& findings);

template <class Config>
class Table {
 public:
  explicit Table(std::vector<Setting> settings) : rows_(std::move(settings)) {}

  const Rows& rows() const { return rows_; }
  const Config& defaults() const { return defaults_; }

  // Stops at the first error, in the order of the entries.
  Status apply(Config& config, std::span<const Entry> entries, Findings& findings,
               Names names = Names::keys) const {
    return apply_to(&config, entries, findings, names);
  }
  // One key, without regard to warnings: for changes while running.
  Status set(Config& config, const Entry& entry) const {
    Findings ignored;
    return apply_to(&config, {&entry, 1}, ignored, Names::keys);
  }
  // The value as text; nullopt for null.
  std::optional<std::string> print(const Config& config, const Setting& setting) const {
    return setting.field.get(&config, setting.options);
  }
  // Keys whose values differ.
  std::vector<std::string_view> diff(const Config& a, const Config& b) const {
    std::vector<std::string_view> keys;
    for (const Setting& setting : rows_.settings()) {
      if (print(a, setting) != print(b, setting)) keys.push_back(setting.key);
    }
    return keys;
  }

 private:
  Status apply_to(void* config, std::span<const Entry> entries, Findings& findings, Names names) const {
    return apply_rows(rows_, config, &defaults_, entries, findings, names);
  }

  Rows rows_;
  Config defaults_{};
};

Status apply_rows(const Rows& rows, void* config, const void* defaults, std::span<const Entry> entries,
                  Findings& findings, Names names);

template <class Config>
Setting family(std::string_view key, std::map<std::string, std::string> Config::*member, Options options) {
  Field field;
  // The name of a family's entry is handed over in front of its value, cut by a NUL.
  field.set = [member](void* config, std::string_view text, const Options&) -> base::Status {
    const auto cut = text.find('\0');
    (static_cast<Config*>(config)->*member)[std::string(text.substr(0, cut))] =
        std::string(text.substr(cut + 1));
    return {};
  };
  field.get = [member](const void* config, const Options&) -> std::optional<std::string> {
    std::string out;
    for (const auto& [name, value] : static_cast<const Config*>(config)->*member) {
      if (!out.empty()) out += ',';
      out.append(name).append("=").append(value);
    }
    return out.empty() ? std::nullopt : std::optional(std::move(out));
  };
  return Setting{key, std::move(options), std::move(field)};
}

}  // namespace tandem::conf
