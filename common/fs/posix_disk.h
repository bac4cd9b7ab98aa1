// PosixDisk: Disk over the files of the operating system. Stateless and safe from any thread;
// one per process, owned by main and handed down by reference.
#pragma once

#include "fs/disk.h"

namespace tandem::fs {

class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status unlink(const std::string& path) override;
  Status make_dirs(const std::string& path) override;
  Status remove_dir(const std::string& path) override;
  Status sync_dir(const std::string& path) override;
  Result<std::vector<DirEntry>> list(const std::string& path) override;
  Result<FileInfo> info(const std::string& path) override;
  Result<DiskSpace> space(const std::string& path) override;
  Status set_modified(const std::string& path, std::int64_t wall_ms) override;
  Result<std::unique_ptr<Lock>> lock(const std::string& path) override;
};

}  // namespace tandem::fs
