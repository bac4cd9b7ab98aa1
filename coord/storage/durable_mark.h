// A side file, tandem.durable, that remembers how far the log was known to be durable. It tells a torn tail
// (never acknowledged, may be cut) from damage (acknowledged, must stop the start): bytes before the mark
// were synced once. It is rewritten in place after each sync and not synced itself, so after a power cut it
// may be old or unreadable; either only makes it prove less. Apache's servers ignore the file. Layout, big
// endian: int magic "TDMK", long first zxid of the log file, long bytes of it known to be durable, int
// CRC-32C of the 20 bytes before.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "coord/storage/files.h"
#include "fs/disk.h"

namespace tandem::coord::storage {

struct DurablePosition {
  Zxid log;                 // the file log.<this>
  std::uint64_t bytes = 0;  // of it are durable
  bool operator==(const DurablePosition&) const = default;
};

class DurableMark {
 public:
  // Failures are ignored here and in set: the mark is evidence, not data.
  void open(fs::Disk& disk, const std::string& log_directory);
  void set(const DurablePosition& position);
  void sync();  // once per log file, so that a power cut leaves at least which file it is about

  // What the directory's mark says; nothing when it is missing or unreadable.
  static std::optional<DurablePosition> read(fs::Disk& disk, const std::string& log_directory);

 private:
  std::unique_ptr<fs::File> file_;
};

}  // namespace tandem::coord::storage
