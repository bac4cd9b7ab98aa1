#include "broker/config/broker_table.h"

#include <algorithm>
#include <array>

#include "broker/config/known.h"
#include "broker/config/listeners.h"
#include "broker/config/rows.h"

namespace tandem::broker::config {

namespace {

using conf::State;
using conf::Type;

// Keys of Kafka before 3.9 that are read and ignored.
constexpr std::array kRetired{
    std::pair{"zookeeper.sync.time.ms", "followers of the tree are not waited for"},
    std::pair{"quota.producer.default", "quotas are set in the tree"},
    std::pair{"quota.consumer.default", "quotas are set in the tree"},
    std::pair{"controller.message.queue.size", "there is no such queue"},
    std::pair{"log.flush.interval.ms.per.topic", "set flush.ms on the topic"},
    std::pair{"log.retention.hours.per.topic", "set retention.ms on the topic"},
    std::pair{"log.retention.minutes.per.topic", "set retention.ms on the topic"},
    std::pair{"log.retention.bytes.per.topic", "set retention.bytes on the topic"},
    std::pair{"log.roll.hours.per.topic", "set segment.ms on the topic"},
    std::pair{"log.segment.bytes.per.topic", "set segment.bytes on the topic"},
    std::pair{"log.retention.size", "use log.retention.bytes"},
    std::pair{"replica.lag.max.messages", "lag is judged by time"},
    std::pair{"enable.zookeeper", "this broker always uses the tree"},
    std::pair{"kafka.csv.metrics.reporter.enabled", "there is no such reporter"},
};

std::function<std::optional<std::string>(std::string_view)> refusal(const Known& known) {
  switch (known.refuse) {
    case Refuse::never:
      return {};
    case Refuse::when_true:
      return [reason = known.reason](std::string_view value) -> std::optional<std::string> {
        if (value != "true" && value != "TRUE" && value != "True") return std::nullopt;
        return std::string(reason);
      };
    case Refuse::when_set:
      return [reason = known.reason](std::string_view value) -> std::optional<std::string> {
        if (value.empty()) return std::nullopt;
        return std::string(reason);
      };
  }
  UNREACHABLE("refuse {}", static_cast<int>(known.refuse));
}

void append_known(std::vector<conf::Setting>& rows, std::span<const Known> known) {
  for (const Known& row : known) {
    conf::Options options;
    options.doc = row.doc;
    options.change = row.change;
    options.state = State::accepted;
    options.sensitive = row.type == Type::password;
    options.refuse = refusal(row);
    options.min = row.min;
    const std::string_view fallback = row.fallback == nullptr ? std::string_view() : row.fallback;
    rows.push_back(conf::recognised(row.key, row.type, fallback, std::move(options)));
  }
}

}  // namespace

BrokerTable make_broker_table() {
  std::vector<conf::Setting> rows;
  for (const auto part : {identity_rows, zookeeper_rows, socket_rows, topic_rows, segment_rows, record_rows,
                          replication_rows, quota_rows, group_rows}) {
    for (conf::Setting& row : part()) rows.push_back(std::move(row));
  }
  append_known(rows, known_later());
  append_known(rows, known_security());
  for (const auto& [key, doc] : kRetired) {
    rows.push_back(conf::recognised(key, Type::string, {}, {.doc = doc, .state = State::retired}));
  }
  return BrokerTable(std::move(rows));
}

const conf::Entry* find_entry(const std::vector<conf::Entry>& entries, const conf::Setting& setting) {
  const auto names = [&](const std::string& key) {
    if (key == setting.key) return true;
    const auto& aliases = setting.options.aliases;
    return std::find(aliases.begin(), aliases.end(), key) != aliases.end();
  };
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (names(entry->key)) return &*entry;
  }
  return nullptr;
}

base::Result<Loaded> load(const BrokerTable& table, std::string_view text, const std::string& source,
                          const std::vector<std::string>& overrides) {
  auto entries = conf::parse_properties(text, source);
  if (!entries) return entries.error();
  Loaded loaded;
  loaded.entries = std::move(*entries);
  for (const std::string& override : overrides) {
    auto entry = conf::parse_assignment(override, "--override");
    if (!entry) return entry.error();
    loaded.entries.push_back(std::move(*entry));
  }
  conf::Findings findings;
  if (auto status = table.apply(loaded.config, loaded.entries, findings); !status) return status.error();
  loaded.warnings = std::move(findings.warnings);
  if (auto warning = conf::not_here_yet_warning(findings); !warning.empty()) {
    loaded.warnings.push_back(std::move(warning));
  }
  if (loaded.config.zookeeper_connect.empty()) {
    return base::make_error(base::Errc::invalid_argument,
                            "{}: zookeeper.connect: missing; it names the coordination servers", source);
  }
  if (auto listeners = resolve_listeners(loaded.config); !listeners) {
    return base::make_error(base::Errc::invalid_argument, "{}: {}", source, listeners.error().context);
  }
  return loaded;
}

}  // namespace tandem::broker::config
