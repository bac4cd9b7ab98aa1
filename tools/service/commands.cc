#include "tools/service/commands.h"

namespace tandem::tools::service {

std::span<const Command> commands() { return {}; }

}  // namespace tandem::tools::service
