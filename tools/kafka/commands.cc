#include "tools/kafka/commands.h"

namespace tandem::tools::kafka {

std::span<const Command> commands() { return {}; }

}  // namespace tandem::tools::kafka
