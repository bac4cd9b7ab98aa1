// The commands of the service family; commands.cc has their rows.
// Each returns the exit code of the original script.
#pragma once

#include "tools/command.h"

namespace tandem::tools::service {

int zk_server(const Invocation& invocation);
int zk_server_initialize(const Invocation& invocation);
int zk_cleanup(const Invocation& invocation);

// Kafka's spellings.
int zookeeper_server_start(const Invocation& invocation);
int zookeeper_server_stop(const Invocation& invocation);
int kafka_server_start(const Invocation& invocation);
int kafka_server_stop(const Invocation& invocation);

}  // namespace tandem::tools::service
