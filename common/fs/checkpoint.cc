#include "fs/checkpoint.h"

namespace tandem::fs {

Status write_checkpoint(Disk& disk, const std::string& path, std::string_view contents) {
  return write_checkpoint(disk, path, contents, path + ".tmp");
}

Status write_checkpoint(Disk& disk, const std::string& path, std::string_view contents,
                        const std::string& temporary_path) {
  auto file = disk.open(temporary_path, OpenMode::create);
  if (!file) return file.error();
  if (auto status = (*file)->truncate(0); !status) return status;  // a leftover of a crash
  if (auto status = (*file)->append(contents); !status) return status;
  if (auto status = (*file)->sync(); !status) return status;
  file->reset();
  if (auto status = disk.rename(temporary_path, path); !status) return status;
  return disk.sync_dir(parent(path));
}

}  // namespace tandem::fs
