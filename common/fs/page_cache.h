// How a file's pages come into the kernel's cache and leave it, for files that have a descriptor; with others
// (simulations) nothing happens. Beside File's own hints.
#pragma once

#include <cstdint>

#include "fs/disk.h"

namespace tandem::fs {

// A hint: start reading the range.
void read_ahead(const File& file, std::uint64_t offset, std::uint64_t size);

// Waits until the range, which write_back() was called for, has left the cache for the device: not durable
// yet. An error may be told here and never again by a sync.
Status finish_write_back(File& file, std::uint64_t offset, std::uint64_t size);

}  // namespace tandem::fs
