// Reader of one transaction log file: entries one by one, and where and why they end.
// It holds a window of the file, grown only to records whose bytes are there. It judges nothing: whether an
// end that is not clean is a torn tail or damage is recovery's to say, with scan_for_entry as evidence.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "fs/disk.h"

namespace tandem::coord::storage {

// How the entries of a file ended.
enum class LogEnd {
  clean,         // end of file, or zeros from here to the end of the file
  empty,         // the file is too short for its header
  bad_checksum,  // the rest are bytes that are no whole entry
  bad_length,
  no_end_mark,
};
const char* to_string(LogEnd end);

class TxnLogReader {
 public:
  // Errors: the disk's, or corrupt when the header is not a transaction log's.
  static base::Result<std::unique_ptr<TxnLogReader>> open(fs::Disk& disk, const std::string& path);

  // The next payload, valid until the next call; nothing at the end.
  base::Result<std::optional<std::string_view>> next();

  // Where the entry that next() last returned starts; after the end, where the bytes that are no entry start.
  std::uint64_t offset() const { return entry_; }
  LogEnd end() const { return end_; }
  std::uint64_t size() const { return size_; }

  // The offset of the last byte of the file that is not zero, plus one, looking no further back than `from`.
  base::Result<std::uint64_t> data_end(std::uint64_t from);
  // The offset of the first whole entry at or behind `from`, if there is one.
  base::Result<std::optional<std::uint64_t>> scan_for_entry(std::uint64_t from);

 private:
  TxnLogReader(std::unique_ptr<fs::File> file, std::uint64_t size) : file_(std::move(file)), size_(size) {}

  // `count` bytes at `offset`, fewer where the file ends.
  base::Result<std::string_view> window(std::uint64_t offset, std::uint64_t count);
  base::Result<std::optional<std::string_view>> finish(LogEnd end);
  base::Result<bool> zeros_from(std::uint64_t offset);

  std::unique_ptr<fs::File> file_;
  std::uint64_t size_ = 0;
  std::uint64_t entry_ = 0;
  std::uint64_t next_ = 0;
  bool ended_ = false;
  LogEnd end_ = LogEnd::clean;
  std::string buffer_;
  std::uint64_t buffer_at_ = 0;
};

}  // namespace tandem::coord::storage
