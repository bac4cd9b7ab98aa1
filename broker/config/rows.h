// The rows of the broker's table by subject, in the order of the reference, with their documentation;
// broker_table.cc joins them with the keys that are only recognised (known.h).
#pragma once

#include <vector>

#include "broker/config/broker_config.h"
#include "conf/setting.h"

namespace tandem::broker::config {

std::vector<conf::Setting> identity_rows();
std::vector<conf::Setting> zookeeper_rows();
std::vector<conf::Setting> socket_rows();
std::vector<conf::Setting> topic_rows();
std::vector<conf::Setting> segment_rows();
std::vector<conf::Setting> record_rows();
std::vector<conf::Setting> replication_rows();
std::vector<conf::Setting> quota_rows();
std::vector<conf::Setting> group_rows();

}  // namespace tandem::broker::config
