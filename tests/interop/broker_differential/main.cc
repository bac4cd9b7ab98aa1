// broker_differential KAFKA_HOST:PORT/EPOCH OUR_HOST:PORT/EPOCH: the same raw requests of every advertised
// API and version to Apache Kafka and to tandem-broker, each with the epoch that the tree gave it. Both must
// be fresh: topics and groups are made on the way.
#include <fmt/core.h>

#include <charconv>
#include <cstdio>

#include "probe.h"

namespace {

tandem::differential::Side side_of(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  const char* end = address.data() + address.size();
  tandem::differential::Side side;
  side.host = address.substr(0, colon);
  const auto port = std::from_chars(address.data() + colon + 1, end, side.port);
  if (port.ptr != end) std::from_chars(port.ptr + 1, end, side.broker_epoch);
  return side;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tandem::differential;
  if (argc != 3) {
    fmt::print(stderr, "usage: broker_differential KAFKA_HOST:PORT/EPOCH OUR_HOST:PORT/EPOCH\n");
    return 2;
  }
  Probe probe(side_of(argv[1]), side_of(argv[2]));
  if (!probe.open()) {
    fmt::print(stderr, "a broker does not answer\n");
    return 1;
  }
  ask_topics(probe);
  ask_cluster(probe);
  ask_records(probe);
  ask_cluster_admin(probe);
  ask_configs(probe);
  ask_groups(probe);
  ask_controller_requests(probe);
  return probe.report();
}
