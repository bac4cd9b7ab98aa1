// The table of the interactive shells of the coordination service.
// Joined with the other families in tools/commands.cc.
#pragma once

#include <span>

#include "tools/command.h"

namespace tandem::tools::shell {

std::span<const Command> commands();

}  // namespace tandem::tools::shell
