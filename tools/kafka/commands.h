// The table of Kafka's command-line tools: topics, console clients, groups, configs, dumps, performance
// tests. Each prints and exits as Apache Kafka's tool of the same name (3.9; with --zookeeper, 2.7). Joined
// with the other families in tools/commands.cc.
#pragma once

#include <span>

#include "tools/command.h"

namespace tandem::tools::kafka {

std::span<const Command> commands();

int topics(const Invocation& invocation);
int consumer_groups(const Invocation& invocation);
int configs(const Invocation& invocation);
int get_offsets(const Invocation& invocation);
int broker_api_versions(const Invocation& invocation);
int cluster(const Invocation& invocation);
int features(const Invocation& invocation);
int console_producer(const Invocation& invocation);
int console_consumer(const Invocation& invocation);
int producer_perf_test(const Invocation& invocation);
int consumer_perf_test(const Invocation& invocation);
int reassign_partitions(const Invocation& invocation);
int leader_election(const Invocation& invocation);
int preferred_election(const Invocation& invocation);
int log_dirs(const Invocation& invocation);
int delete_records(const Invocation& invocation);
int replica_verification(const Invocation& invocation);
int dump_log(const Invocation& invocation);
int run_class(const Invocation& invocation);
int protocol_reference(const Invocation& invocation);

int print_version();

}  // namespace tandem::tools::kafka
