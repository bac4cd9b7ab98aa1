// The table of commands that start, stop and look after servers and their data directories.
// Joined with the other families in tools/commands.cc.
#pragma once

#include <span>

#include "tools/command.h"

namespace tandem::tools::service {

std::span<const Command> commands();

}  // namespace tandem::tools::service
