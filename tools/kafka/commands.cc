#include "tools/kafka/commands.h"

#include <fmt/core.h>

#include <array>

#include "broker/protocol/schema_writer.h"

namespace tandem::tools::kafka {

namespace {

constexpr auto kCommands = std::to_array<Command>({
    {"kafka-topics.sh", "topics", topics, "--bootstrap-server HOST:PORT --list|--create|--describe|..."},
    {"kafka-consumer-groups.sh", "consumer-groups", consumer_groups,
     "--bootstrap-server HOST:PORT --list|--describe|--reset-offsets|..."},
    {"kafka-configs.sh", "configs", configs, "--bootstrap-server HOST:PORT --describe|--alter ..."},
    {"kafka-get-offsets.sh", "get-offsets", get_offsets, "--bootstrap-server HOST:PORT [--topic NAME]"},
    {"kafka-broker-api-versions.sh", "broker-api-versions", broker_api_versions,
     "--bootstrap-server HOST:PORT"},
    {"kafka-cluster.sh", "cluster", cluster, "cluster-id --bootstrap-server HOST:PORT"},
    {"kafka-features.sh", "features", features, "describe --bootstrap-server HOST:PORT"},
    {"kafka-console-producer.sh", "console-producer", console_producer,
     "--bootstrap-server HOST:PORT --topic NAME"},
    {"kafka-console-consumer.sh", "console-consumer", console_consumer,
     "--bootstrap-server HOST:PORT --topic NAME [--group ID] [--from-beginning]"},
    {"kafka-producer-perf-test.sh", "producer-perf-test", producer_perf_test,
     "--topic NAME --num-records N --record-size BYTES --throughput N --producer-props "
     "bootstrap.servers=HOST:PORT"},
    {"kafka-consumer-perf-test.sh", "consumer-perf-test", consumer_perf_test,
     "--bootstrap-server HOST:PORT --topic NAME --messages N"},
    {"kafka-reassign-partitions.sh", "reassign-partitions", reassign_partitions,
     "--bootstrap-server HOST:PORT --generate|--execute|--verify|--cancel|--list ..."},
    {"kafka-leader-election.sh", "leader-election", leader_election,
     "--bootstrap-server HOST:PORT --election-type preferred|unclean --all-topic-partitions|..."},
    {"kafka-preferred-replica-election.sh", "preferred-replica-election", preferred_election,
     "--zookeeper HOST:PORT [--path-to-json-file FILE]"},
    {"kafka-log-dirs.sh", "log-dirs", log_dirs, "--bootstrap-server HOST:PORT --describe"},
    {"kafka-delete-records.sh", "delete-records", delete_records,
     "--bootstrap-server HOST:PORT --offset-json-file FILE"},
    {"kafka-replica-verification.sh", "replica-verification", replica_verification,
     "--broker-list HOST:PORT"},
    {"kafka-dump-log.sh", "dump-log", dump_log, "--files FILE,... [--print-data-log]"},
    {"kafka-run-class.sh", "run-class", run_class,
     "kafka.tools.GetOffsetShell|kafka.tools.DumpLogSegments ..."},
    {"tandem-protocol-reference", "protocol-reference", protocol_reference, "prints docs/protocol.md"},
});

}  // namespace

std::span<const Command> commands() { return kCommands; }

int print_version() {
  fmt::print("3.9.1 (tandem 0.1.0)\n");  // scripts read the release that these tools stand for
  return 0;
}

int protocol_reference(const Invocation&) {
  fmt::print("{}", broker::protocol::render_protocol_reference());
  return 0;
}

}  // namespace tandem::tools::kafka
