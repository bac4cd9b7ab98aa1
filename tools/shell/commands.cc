#include "tools/shell/commands.h"

namespace tandem::tools::shell {

std::span<const Command> commands() { return {}; }

}  // namespace tandem::tools::shell
