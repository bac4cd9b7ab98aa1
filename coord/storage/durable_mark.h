// A side file, tandem.durable, that remembers how far the log was known to be durable: the file that is
// written and the last ones before it. It tells a torn tail (never acknowledged, may be cut) from damage
// (acknowledged, must stop the start): bytes before the mark were synced once. What it says of the current
// file is rewritten in place after each sync and not synced itself, so after a power cut it may be old or
// unreadable; either only makes it prove less. A log file's name is in it, durably, before there is such a
// file: one that it does not name is another server's. Apache's servers ignore it (docs/format-txnlog.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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
  // For a log file that is about to be begun, or cut: what is known of those before it stays, all else is
  // forgotten, it is named. `sync`: durably.
  base::Status begin(fs::Disk& disk, const std::string& log_directory, Zxid log, bool sync);
  // Failures are ignored from here on: the mark is evidence, not data.
  void set(const DurablePosition& position);
  void sync();

  // Before the log files from `first` on are removed: nothing of them is durable any more, and the one before
  // them becomes the last.
  static base::Status disown(fs::Disk& disk, const std::string& log_directory, Zxid first);
  // What a start found durable; `positions` in the order of the files.
  static void remember(fs::Disk& disk, const std::string& log_directory,
                       const std::vector<DurablePosition>& positions);
  // What the directory's mark says, in the order of the files; nothing when it is missing or unreadable.
  static std::vector<DurablePosition> read(fs::Disk& disk, const std::string& log_directory);

 private:
  base::Status write(fs::Disk& disk, const std::string& log_directory,
                     const std::vector<DurablePosition>& positions, bool sync);

  std::unique_ptr<fs::File> file_;
};

}  // namespace tandem::coord::storage
