// Settings: everything that is set on this broker at one moment, by layer, as an immutable value: the file,
// /config/brokers/<default>, /config/brokers/N and the topics' own. Changing a layer makes a new value.
// Also what DescribeConfigs shows (value, source, synonyms) and what may be altered while running.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/config/broker_table.h"
#include "broker/config/topic_config.h"

namespace tandem::broker::config {

// The tables of the program: made once by main, never changed.
struct Tables {
  BrokerTable broker = make_broker_table();
  TopicTable topic = make_topic_table();
};

// Bytes a second that replication may send, take and copy: they exist in the tree only, have no row, and are
// without limit where they are not set.
inline constexpr std::string_view kLeaderRate = "leader.replication.throttled.rate";
inline constexpr std::string_view kFollowerRate = "follower.replication.throttled.rate";
inline constexpr std::string_view kMovesRate = "replica.alter.log.dirs.io.max.bytes.per.second";

enum class Source : std::int8_t {  // DescribeConfigs' numbers
  topic = 1,
  dynamic_broker = 2,
  dynamic_default_broker = 3,
  static_broker = 4,
  fallback = 5,
};

struct Synonym {
  std::string name;
  std::optional<std::string> value;
  Source source = Source::fallback;
};

struct Described {
  std::string name;
  std::optional<std::string> value;  // null also when sensitive
  Source source = Source::fallback;
  bool read_only = false;
  bool sensitive = false;
  conf::Type type = conf::Type::string;
  std::string doc;
  std::vector<Synonym> synonyms;
};

class Settings {
 public:
  Settings(std::shared_ptr<const Tables> tables, Loaded loaded);

  const BrokerConfig& broker() const { return broker_; }
  const Tables& tables() const { return *tables_; }
  const Overrides& cluster_overrides() const { return cluster_; }
  const Overrides& broker_overrides() const { return own_; }
  // One of the three above, in bytes a second: of this broker, else of all; INT64_MAX without.
  std::int64_t rate(std::string_view key) const;
  const Overrides& topic_overrides(const std::string& topic) const;  // empty when it has none
  TopicConfig topic(const std::string& topic) const;
  bool is_set_in_file(std::string_view key) const;

  // A layer replaced as a whole. Values that cannot be (not dynamic, not valid) are left out and named.
  Settings with_cluster(Overrides overrides, std::vector<std::string>& complaints) const;
  Settings with_broker(Overrides overrides, std::vector<std::string>& complaints) const;
  Settings with_topic(const std::string& topic, Overrides overrides) const;

  std::vector<Described> describe_broker() const;
  std::vector<Described> describe_cluster() const;  // /config/brokers/<default>: only what is set there
  std::vector<Described> describe_topic(const std::string& topic) const {
    return describe_topic(topic_overrides(topic));
  }
  // Of a topic whose own settings are these.
  std::vector<Described> describe_topic(const Overrides& overrides) const;

  // Why these may not become dynamic settings of this broker (or of all).
  base::Status check_dynamic(const Overrides& overrides, bool of_all_brokers) const;

 private:
  void apply_layers(std::vector<std::string>& complaints);
  std::vector<Synonym> broker_synonyms(const conf::Setting& setting) const;

  std::shared_ptr<const Tables> tables_;
  std::vector<conf::Entry> file_;
  BrokerConfig broker_;
  Overrides cluster_;
  Overrides own_;
  std::shared_ptr<const std::map<std::string, Overrides>> topics_;
};

}  // namespace tandem::broker::config
