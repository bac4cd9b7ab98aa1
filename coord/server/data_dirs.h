// The data directories of a server: made durably, checked for mixed-up contents, held by one process at a
// time, freed of what an interrupted snapshot left. Before anything else of the start; errors end it with
// exit code 3.
#pragma once

#include <memory>

#include "base/result.h"
#include "coord/server/config.h"
#include "fs/disk.h"

namespace tandem::coord::server {

// The lock is released when it is destroyed.
base::Result<std::unique_ptr<fs::Lock>> open_data_dirs(fs::Disk& disk, const Config& config);

}  // namespace tandem::coord::server
