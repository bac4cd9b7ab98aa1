// Writer of the transaction log, in Apache's format: FileHeader, then per transaction Adler-32 of the payload
// as a long, payload length, payload, 'B'; zeros behind the last one (docs/format-txnlog.md).
// Owned by one thread (the log thread). A file is named after its first transaction and is zeroed ahead of
// the writes, so that most syncs change no metadata; zeros are written and synced when nobody waits for a
// transaction. Nothing is written again once it was synced.
// After a failed sync the log is poisoned: the owner must end the process. After no_space on a write the file
// is cut back to its last good byte and the same batch may be written again later.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "coord/storage/durable_mark.h"
#include "coord/storage/files.h"
#include "fs/disk.h"

namespace tandem::coord::storage {

inline constexpr char kEndOfRecord = 'B';
inline constexpr std::size_t kEntryHeaderSize = 12;  // checksum and length
inline constexpr std::size_t kEntryOverhead = kEntryHeaderSize + 1;

// Appends one entry: checksum, length, payload, end mark.
void frame_entry(std::string& out, std::string_view payload);

struct TxnLogOptions {
  std::string directory;                        // .../version-2; exists
  std::uint64_t preallocate_bytes = 64U << 20;  // preAllocSize; 0 = none
  bool sync = true;                             // forceSync
};

class TxnLog {
 public:
  TxnLog(fs::Disk& disk, TxnLogOptions options) : disk_(disk), options_(std::move(options)) {}

  // Writes whole entries whose first is `first`; opens log.<first> when no file is open.
  base::Status write(Zxid first, std::string_view entries);
  // Makes all that was written durable. When it is: acknowledge it, then call settle().
  base::Status make_durable();
  // What nobody has to wait for: the durable mark, zeros for the next transactions.
  base::Status settle();
  base::Status sync();  // make_durable() and settle()
  // Whether a write of so many bytes needs neither a new file nor zeros behind it.
  bool has_room(std::uint64_t bytes) const;
  // The next write opens a new file. Everything written must be synced.
  void roll();

  // Bytes of entries and header in the current file; 0 when none is open.
  std::uint64_t file_size() const { return position_; }
  // Bytes in the files that were rolled since the last reset_total and in the current one.
  std::uint64_t total_size() const { return rolled_bytes_ + position_; }
  void reset_total() { rolled_bytes_ = 0; }
  const std::string& path() const { return path_; }

 private:
  base::Status open(Zxid first);
  base::Status zero_ahead();
  base::Status cut_back(const base::Error& cause);

  fs::Disk& disk_;
  TxnLogOptions options_;
  std::unique_ptr<fs::File> file_;
  std::string path_;
  DurableMark mark_;
  Zxid file_first_;
  std::uint64_t position_ = 0;  // end of the entries
  std::uint64_t zeroed_ = 0;    // end of the zeroed part, or of the entries where that is later
  bool may_zero_ = true;        // not after the disk was found full, until the next file
  bool directory_synced_ = false;
  bool mark_set_ = false;  // for this file
  std::uint64_t rolled_bytes_ = 0;
};

}  // namespace tandem::coord::storage
