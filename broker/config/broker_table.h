// The table of server.properties: every key of Kafka 3.9 in ZooKeeper mode and those of 2.7 and 0.8 that
// files still hold. Loading a file: its entries, then --override's, then the checks that look at several
// keys.
#pragma once

#include <string>
#include <vector>

#include "broker/config/broker_config.h"
#include "conf/table.h"

namespace tandem::broker::config {

using BrokerTable = conf::Table<BrokerConfig>;

BrokerTable make_broker_table();

struct Loaded {
  BrokerConfig config;
  std::vector<conf::Entry> entries;   // of the file and the command line, later ones hold
  std::vector<std::string> warnings;  // whole sentences
};

// The text of the file that `source` names, then the --override assignments.
base::Result<Loaded> load(const BrokerTable& table, std::string_view text, const std::string& source,
                          const std::vector<std::string>& overrides);

// The entry that holds for a key, its aliases included; nullptr when it is not set.
const conf::Entry* find_entry(const std::vector<conf::Entry>& entries, const conf::Setting& setting);

}  // namespace tandem::broker::config
