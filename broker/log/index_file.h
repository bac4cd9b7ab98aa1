// IndexFile: a file of fixed-size entries, sorted by their writer. The newest entries wait in memory and
// reach the file in blocks (and at flush), so an append costs no system call and an idle index holds no
// descriptor; what a crash loses is rebuilt from the log, as Kafka does. Files are never preallocated: their
// size is always whole entries.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "fs/disk.h"

namespace tandem::broker::log {

class IndexFile {
 public:
  IndexFile(fs::Disk& disk, std::string path, std::size_t entry_size)
      : disk_(disk), path_(std::move(path)), entry_size_(entry_size) {}

  // Takes up what the file holds; Errc::not_found, or corrupt where its size is not whole entries.
  base::Status open();
  // Starts empty, the file made or emptied.
  base::Status create();

  std::size_t count() const { return written_ + pending_.size() / entry_size_; }
  std::size_t entry_size() const { return entry_size_; }
  const std::string& path() const { return path_; }
  base::Status append(std::string_view entry);
  base::Status flush(bool sync = false);
  base::Status truncate(std::size_t count);
  base::Result<std::string> entry(std::size_t index) const;

  // How many entries at the front satisfy `is_before` (a partition point: true for a prefix).
  base::Result<std::size_t> partition_point(const std::function<bool(std::string_view)>& is_before) const;
  // The file now has this path (rename or directory move).
  void moved(std::string path) {
    path_ = std::move(path);
    reader_.reset();
  }
  // Look-ups keep a descriptor until this is called.
  void release_reader() { reader_.reset(); }

 private:
  base::Status read(std::size_t index, char* out) const;

  static constexpr std::size_t kBlockBytes = 4096;

  fs::Disk& disk_;
  std::string path_;
  std::size_t entry_size_;
  std::size_t written_ = 0;  // entries in the file
  std::string pending_;      // entries behind them
  mutable std::unique_ptr<fs::File> reader_;
};

}  // namespace tandem::broker::log
