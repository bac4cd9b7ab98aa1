#include "broker/config/settings.h"

#include <algorithm>

#include "broker/config/listeners.h"
#include "broker/config/value_fault.h"

namespace tandem::broker::config {

namespace {

using conf::Change;

std::optional<std::string> find(const Overrides& overrides, const conf::Setting& setting) {
  if (const auto it = overrides.find(std::string(setting.key)); it != overrides.end()) return it->second;
  for (const auto alias : setting.options.aliases) {
    if (const auto it = overrides.find(std::string(alias)); it != overrides.end()) return it->second;
  }
  return std::nullopt;
}

bool is_rate(std::string_view key) { return key == kLeaderRate || key == kFollowerRate || key == kMovesRate; }

base::Status check_rate(const std::string& key, const std::string& value) {
  std::int64_t rate = 0;
  if (!conf::fields::parse(value, {}, rate))
    return base::make_error(base::Errc::invalid_argument,
                            "Invalid value {} for configuration {}: Not a number of type LONG", value, key);
  if (rate < 0)
    return base::make_error(base::Errc::invalid_argument,
                            "Invalid value {} for configuration {}: Value must be at least 0", value, key);
  return {};
}

// Applies what is dynamic and valid.
void apply_layer(const BrokerTable& table, const Overrides& overrides, const std::string& source,
                 BrokerConfig& config, std::vector<std::string>& complaints) {
  for (const auto& [key, value] : overrides) {
    if (is_rate(key)) continue;
    const conf::Setting* setting = table.rows().find(key);
    if (setting == nullptr || setting->options.change == Change::at_start) {
      complaints.push_back(fmt::format("{}: {} is not a setting that can change while running", source, key));
      continue;
    }
    BrokerConfig changed = config;
    if (const auto status = table.set(changed, {key, value, source, 0}); !status) {
      complaints.push_back(status.error().context);
      continue;
    }
    config = std::move(changed);
  }
}

// What is advertised may change while running; sockets are opened at the start only.
base::Status check_listeners(const BrokerConfig& before, const BrokerConfig& after) {
  if (after.listeners != before.listeners ||
      after.listener_security_protocol_map != before.listener_security_protocol_map)
    return base::make_error(base::Errc::invalid_argument,
                            "Listeners are opened when the broker starts: set listeners in its file and "
                            "restart it; advertised.listeners may change while it runs");
  if (after.advertised_listeners == before.advertised_listeners) return {};
  if (const auto resolved = resolve_listeners(after); !resolved) return resolved.error();
  return {};
}

bool is_sensitive(const conf::Setting& setting) {
  return setting.options.sensitive || setting.type() == conf::Type::password;
}

}  // namespace

Settings::Settings(std::shared_ptr<const Tables> tables, Loaded loaded)
    : tables_(std::move(tables)),
      file_(std::move(loaded.entries)),
      broker_(std::move(loaded.config)),
      topics_(std::make_shared<std::map<std::string, Overrides>>()) {}

const Overrides& Settings::topic_overrides(const std::string& topic) const {
  static const Overrides kNone;
  const auto it = topics_->find(topic);
  return it == topics_->end() ? kNone : it->second;
}

TopicConfig Settings::topic(const std::string& topic) const {
  return topic_config(tables_->topic, broker_, topic_overrides(topic));
}

bool Settings::is_set_in_file(std::string_view key) const {
  const conf::Setting* setting = tables_->broker.rows().find(key);
  return setting != nullptr && find_entry(file_, *setting) != nullptr;
}

void Settings::apply_layers(std::vector<std::string>& complaints) {
  BrokerConfig config;
  conf::Findings findings;
  const auto status = tables_->broker.apply(config, file_, findings);
  ENSURE(status.has_value(), "the file was valid at the start");
  apply_layer(tables_->broker, cluster_, "/config/brokers/<default>", config, complaints);
  apply_layer(tables_->broker, own_, "/config/brokers", config, complaints);
  broker_ = std::move(config);
}

Settings Settings::with_cluster(Overrides overrides, std::vector<std::string>& complaints) const {
  Settings changed = *this;
  changed.cluster_ = std::move(overrides);
  changed.apply_layers(complaints);
  return changed;
}

Settings Settings::with_broker(Overrides overrides, std::vector<std::string>& complaints) const {
  Settings changed = *this;
  changed.own_ = std::move(overrides);
  changed.apply_layers(complaints);
  return changed;
}

Settings Settings::with_topic(const std::string& topic, Overrides overrides) const {
  auto topics = std::make_shared<std::map<std::string, Overrides>>(*topics_);
  if (overrides.empty()) {
    topics->erase(topic);
  } else {
    (*topics)[topic] = std::move(overrides);
  }
  Settings changed = *this;
  changed.topics_ = std::move(topics);
  return changed;
}

// Every layer that sets the key, the one that holds first; the default last.
std::vector<Synonym> Settings::broker_synonyms(const conf::Setting& setting) const {
  std::vector<Synonym> out;
  const std::string name(setting.key);
  if (auto value = find(own_, setting)) out.push_back({name, value, Source::dynamic_broker});
  if (auto value = find(cluster_, setting)) out.push_back({name, value, Source::dynamic_default_broker});
  if (const auto* entry = find_entry(file_, setting))
    out.push_back({name, entry->value, Source::static_broker});
  auto fallback = setting.field.get(&tables_->broker.defaults(), setting.options);
  if (fallback) out.push_back({name, std::move(fallback), Source::fallback});
  return out;
}

std::vector<Described> Settings::describe_broker() const {
  std::vector<Described> out;
  for (const conf::Setting& setting : tables_->broker.rows().settings()) {
    if (setting.options.state == conf::State::retired) continue;
    Described row;
    row.name = std::string(setting.key);
    row.type = setting.type();
    row.doc = std::string(setting.options.doc);
    row.sensitive = is_sensitive(setting);
    row.read_only = setting.options.change == Change::at_start;
    row.synonyms = broker_synonyms(setting);
    if (!row.synonyms.empty()) {
      row.value = row.synonyms.front().value;
      row.source = row.synonyms.front().source;
    }
    if (row.sensitive) {
      row.value.reset();
      for (Synonym& synonym : row.synonyms) synonym.value.reset();
    }
    out.push_back(std::move(row));
  }
  // Kafka says of these, too, that they are not to be changed while it runs, though they are.
  for (const auto key : {kLeaderRate, kFollowerRate, kMovesRate}) {
    Described row{.name = std::string(key), .read_only = true, .type = conf::Type::int64};
    const auto layer = [&](const Overrides& overrides, Source source) {
      const auto it = overrides.find(row.name);
      if (it != overrides.end()) row.synonyms.push_back({row.name, it->second, source});
    };
    layer(own_, Source::dynamic_broker);
    layer(cluster_, Source::dynamic_default_broker);
    if (row.synonyms.empty()) continue;
    row.value = row.synonyms.front().value;
    row.source = row.synonyms.front().source;
    out.push_back(std::move(row));
  }
  return out;
}

std::int64_t Settings::rate(std::string_view key) const {
  std::int64_t value = INT64_MAX;
  for (const auto* layer : {&cluster_, &own_}) {
    const auto it = layer->find(std::string(key));
    if (it == layer->end()) continue;
    if (std::int64_t set = 0; conf::fields::parse(it->second, {}, set))
      value = std::max<std::int64_t>(1, set);
  }
  return value;
}

std::vector<Described> Settings::describe_cluster() const {
  std::vector<Described> out;
  for (Described& row : describe_broker()) {
    const auto at = std::find_if(row.synonyms.begin(), row.synonyms.end(), [](const Synonym& synonym) {
      return synonym.source == Source::dynamic_default_broker;
    });
    if (at == row.synonyms.end()) continue;
    const Synonym own = *at;
    row.value = own.value;
    row.source = own.source;
    row.synonyms = {own};
    out.push_back(std::move(row));
  }
  return out;
}

std::vector<Described> Settings::describe_topic(const Overrides& overrides) const {
  std::vector<Described> out;
  const TopicConfig effective = topic_config(tables_->topic, broker_, overrides);
  for (const conf::Setting& setting : tables_->topic.rows().settings()) {
    Described row;
    row.name = std::string(setting.key);
    row.type = setting.type();
    row.doc = std::string(setting.options.doc);
    row.value = tables_->topic.print(effective, setting);
    if (const auto own = find(overrides, setting)) {
      row.value = own;
      row.synonyms.push_back({row.name, own, Source::topic});
    }
    std::vector<Synonym> fallbacks;
    for (const auto name : setting.options.synonyms) {
      const conf::Setting* broker = tables_->broker.rows().find(name);
      if (broker == nullptr) continue;
      for (Synonym& synonym : broker_synonyms(*broker)) fallbacks.push_back(std::move(synonym));
    }
    // Layers first, then the order of the names. Kafka shows none that comes before the first name.
    std::stable_sort(fallbacks.begin(), fallbacks.end(),
                     [](const Synonym& a, const Synonym& b) { return a.source < b.source; });
    auto shown = fallbacks.begin();
    while (shown != fallbacks.end() && shown->name != setting.options.synonyms.front()) ++shown;
    std::move(shown, fallbacks.end(), std::back_inserter(row.synonyms));
    if (!row.synonyms.empty()) row.source = row.synonyms.front().source;
    out.push_back(std::move(row));
  }
  return out;
}

base::Status Settings::check_dynamic(const Overrides& overrides, bool of_all_brokers) const {
  BrokerConfig changed = broker_;
  for (const auto& [key, value] : overrides) {
    if (is_rate(key)) {
      if (auto status = check_rate(key, value); !status) return status;
      continue;
    }
    const conf::Setting* setting = tables_->broker.rows().find(key);
    if (setting == nullptr) continue;  // Kafka lets unknown names through, for plugins
    if (setting->options.change == Change::at_start) {
      return base::make_error(base::Errc::invalid_argument,
                              "Cannot update these configs dynamically: Set({})", key);
    }
    if (of_all_brokers && setting->options.change == Change::live_per_server) {
      return base::make_error(
          base::Errc::invalid_argument,
          "Cannot update these configs at default cluster level, broker id must be specified: Set({})", key);
    }
    if (auto status = set_or_fault(*setting, value, &changed); !status) return status;
  }
  return check_listeners(broker_, changed);
}

}  // namespace tandem::broker::config
