// A disk in memory for fuzz targets and property tests: files are strings, syncs do nothing. Reading and
// writing behave as on POSIX; directories are whatever a path says. One thread.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "fs/disk.h"

namespace tandem::fs {

class MemoryFile final : public File {
 public:
  MemoryFile(std::string path, std::shared_ptr<std::string> bytes)
      : path_(std::move(path)), bytes_(std::move(bytes)), end_(bytes_->size()) {}

  const std::string& path() const override { return path_; }
  int fd() const override { return -1; }
  Status append(std::string_view bytes) override {
    auto status = pwrite(end_, bytes);
    end_ += bytes.size();
    return status;
  }
  Status append(std::span<const std::string_view> pieces) override {
    for (const std::string_view piece : pieces) static_cast<void>(append(piece));
    return {};
  }
  std::uint64_t append_position() const override { return end_; }
  void set_append_position(std::uint64_t offset) override { end_ = offset; }
  Status pwrite(std::uint64_t offset, std::string_view bytes) override {
    if (bytes_->size() < offset + bytes.size()) bytes_->resize(offset + bytes.size());
    bytes_->replace(offset, bytes.size(), bytes);
    return {};
  }
  Result<std::size_t> pread(std::uint64_t offset, std::span<char> out) const override {
    if (offset >= bytes_->size()) return std::size_t{0};
    return bytes_->copy(out.data(), out.size(), offset);
  }
  Status datasync() override { return {}; }
  Status sync() override { return {}; }
  Result<std::uint64_t> size() const override { return std::uint64_t{bytes_->size()}; }
  Status truncate(std::uint64_t size) override {
    bytes_->resize(size);
    end_ = size;
    return {};
  }
  Status preallocate_zeroed(std::uint64_t offset, std::uint64_t size) override {
    return pwrite(offset, std::string(size, '\0'));
  }
  void reserve(std::uint64_t, std::uint64_t) override {}
  void write_back(std::uint64_t, std::uint64_t) override {}
  void drop_cache(std::uint64_t, std::uint64_t) override {}

 private:
  std::string path_;
  std::shared_ptr<std::string> bytes_;
  std::uint64_t end_;
};

class MemoryDisk final : public Disk {
 public:
  void put(const std::string& path, std::string_view bytes) {
    files_[path] = std::make_shared<std::string>(bytes);
  }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    auto it = files_.find(path);
    const bool makes = mode == OpenMode::create || mode == OpenMode::create_new;
    if (it == files_.end() && !makes) return missing(path);
    if (it == files_.end()) it = files_.emplace(path, std::make_shared<std::string>()).first;
    return std::unique_ptr<File>(new MemoryFile(path, it->second));
  }
  Status rename(const std::string& from, const std::string& to) override {
    auto node = files_.extract(from);
    if (node.empty()) return missing(from);
    files_[to] = std::move(node.mapped());
    return {};
  }
  Status unlink(const std::string& path) override {
    if (files_.erase(path) == 0) return missing(path);
    return {};
  }
  Status make_dirs(const std::string&) override { return {}; }
  Status remove_dir(const std::string&) override { return {}; }
  Status sync_dir(const std::string&) override { return {}; }
  Result<std::vector<DirEntry>> list(const std::string& path) override {
    std::vector<DirEntry> entries;
    for (const auto& [name, bytes] : files_) {
      if (parent(name) == path) entries.push_back({base_name(name), false});
    }
    return entries;
  }
  Result<FileInfo> info(const std::string& path) override {
    const auto it = files_.find(path);
    if (it == files_.end()) return missing(path);
    return FileInfo{it->second->size(), 0, false};
  }
  Result<DiskSpace> space(const std::string&) override { return DiskSpace{1U << 30, 1U << 30}; }
  Status set_modified(const std::string&, std::int64_t) override { return {}; }
  Result<std::unique_ptr<Lock>> lock(const std::string&) override { return std::make_unique<Lock>(); }

 private:
  static base::Error missing(const std::string& path) {
    return base::make_error(base::Errc::not_found, "open of {} failed: no such file", path);
  }

  std::map<std::string, std::shared_ptr<std::string>> files_;
};

}  // namespace tandem::fs
