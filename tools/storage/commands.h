// The table of tools that look into the files of a coordination server: transaction logs and snapshots.
// Joined with the other families in tools/commands.cc.
#pragma once

#include <span>

#include "tools/command.h"

namespace tandem::tools::storage {

std::span<const Command> commands();

int txn_log_toolkit(const Invocation& invocation);
int snapshot_toolkit(const Invocation& invocation);

}  // namespace tandem::tools::storage
