// A disk whose writes and syncs fail when told to: how a full or dying device looks to storage code.
// Owned by the test; the faults may be switched from another thread than the one that writes.
#pragma once

#include <atomic>
#include <memory>

#include "fs/posix_disk.h"

namespace tandem::coord::shell {

struct Faults {
  std::atomic<bool> no_space{false};    // writes fail, nothing is usable
  std::atomic<bool> sync_fails{false};  // EIO
  std::atomic<bool> zeros_wait{false};  // zeroing takes until this is over; notify it
  std::atomic<int> syncs{0};
};

class FaultyFile final : public fs::File {
 public:
  FaultyFile(std::unique_ptr<fs::File> file, Faults& faults) : file_(std::move(file)), faults_(faults) {}

  const std::string& path() const override { return file_->path(); }
  int fd() const override { return file_->fd(); }
  fs::Status append(std::string_view bytes) override { return full() ? error() : file_->append(bytes); }
  fs::Status append(std::span<const std::string_view> pieces) override {
    return full() ? error() : file_->append(pieces);
  }
  std::uint64_t append_position() const override { return file_->append_position(); }
  void set_append_position(std::uint64_t offset) override { file_->set_append_position(offset); }
  fs::Status pwrite(std::uint64_t offset, std::string_view bytes) override {
    if (!full()) return file_->pwrite(offset, bytes);
    static_cast<void>(file_->pwrite(offset, bytes.substr(0, bytes.size() / 2)));  // a partial tail
    return error();
  }
  fs::Result<std::size_t> pread(std::uint64_t offset, std::span<char> out) const override {
    return file_->pread(offset, out);
  }
  fs::Status datasync() override { return sync(); }
  fs::Status sync() override {
    ++faults_.syncs;
    if (faults_.sync_fails) return base::make_error(base::Errc::io, "fdatasync of {} failed: EIO", path());
    return file_->datasync();
  }
  fs::Result<std::uint64_t> size() const override { return file_->size(); }
  fs::Status truncate(std::uint64_t size) override { return file_->truncate(size); }
  fs::Status preallocate_zeroed(std::uint64_t offset, std::uint64_t size) override {
    faults_.zeros_wait.wait(true);
    return full() ? error() : file_->preallocate_zeroed(offset, size);
  }
  void reserve(std::uint64_t, std::uint64_t) override {}
  void write_back(std::uint64_t, std::uint64_t) override {}
  void drop_cache(std::uint64_t, std::uint64_t) override {}

 private:
  bool full() const { return faults_.no_space; }
  fs::Status error() const {
    return base::make_error(base::Errc::no_space, "write of {} failed: full", path());
  }

  std::unique_ptr<fs::File> file_;
  Faults& faults_;
};

class FaultyDisk final : public fs::Disk {
 public:
  explicit FaultyDisk(Faults& faults) : faults_(faults) {}

  fs::Result<std::unique_ptr<fs::File>> open(const std::string& path, fs::OpenMode mode) override {
    auto file = disk_.open(path, mode);
    if (!file) return file.error();
    return std::unique_ptr<fs::File>(new FaultyFile(std::move(*file), faults_));
  }
  fs::Status rename(const std::string& from, const std::string& to) override {
    return disk_.rename(from, to);
  }
  fs::Status unlink(const std::string& path) override { return disk_.unlink(path); }
  fs::Status make_dirs(const std::string& path) override { return disk_.make_dirs(path); }
  fs::Status remove_dir(const std::string& path) override { return disk_.remove_dir(path); }
  fs::Status sync_dir(const std::string& path) override { return disk_.sync_dir(path); }
  fs::Result<std::vector<fs::DirEntry>> list(const std::string& path) override { return disk_.list(path); }
  fs::Result<fs::FileInfo> info(const std::string& path) override { return disk_.info(path); }
  fs::Result<fs::DiskSpace> space(const std::string& path) override {
    if (faults_.no_space) return fs::DiskSpace{1U << 30, 0};
    return disk_.space(path);
  }
  fs::Status set_modified(const std::string& path, std::int64_t wall_ms) override {
    return disk_.set_modified(path, wall_ms);
  }
  fs::Result<std::unique_ptr<fs::Lock>> lock(const std::string& path) override { return disk_.lock(path); }

 private:
  fs::PosixDisk disk_;
  Faults& faults_;
};

}  // namespace tandem::coord::shell
