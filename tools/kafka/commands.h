// The table of Kafka's command-line tools: topics, console clients, groups, configs, dumps, performance
// tests. Joined with the other families in tools/commands.cc.
#pragma once

#include <span>

#include "tools/command.h"

namespace tandem::tools::kafka {

std::span<const Command> commands();

}  // namespace tandem::tools::kafka
