// A small file replaced as a whole: written beside its place as NAME.tmp, synced, renamed over it, and the
// directory synced, so that a crash at any instant leaves the old or the new contents, never a mixture.
#pragma once

#include <string>
#include <string_view>

#include "fs/disk.h"

namespace tandem::fs {

Status write_checkpoint(Disk& disk, const std::string& path, std::string_view contents);
// The same with another temporary suffix (some formats have theirs).
Status write_checkpoint(Disk& disk, const std::string& path, std::string_view contents,
                        const std::string& temporary_path);

}  // namespace tandem::fs
