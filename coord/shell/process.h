// Figures of this process that the operating system knows: open descriptors and their limit.
// Read when asked (mntr); zeros where /proc is not there.
#pragma once

#include <cstdint>

namespace tandem::coord::shell {

struct DescriptorCount {
  std::uint64_t open = 0;
  std::uint64_t limit = 0;
};
DescriptorCount descriptor_count();

}  // namespace tandem::coord::shell
