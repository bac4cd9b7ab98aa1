// TimeIndex: sparse map from timestamp to offset of a segment: entries {timestamp i64, relative offset i32},
// big-endian, timestamps ascending: no record after an entry's offset has a smaller largest-so-far timestamp.
#pragma once

#include <optional>

#include "broker/log/index_file.h"

namespace tandem::broker::log {

struct TimestampOffset {
  std::int64_t timestamp = -1;
  std::int64_t offset = -1;
  bool operator==(const TimestampOffset&) const = default;
};

class TimeIndex {
 public:
  static constexpr std::size_t kEntrySize = 12;

  TimeIndex(fs::Disk& disk, std::string path, std::int64_t base_offset)
      : file_(disk, std::move(path), kEntrySize), base_offset_(base_offset) {}

  base::Status open();  // Errc::corrupt asks for a rebuild
  base::Status create() {
    last_.reset();
    return file_.create();
  }
  // Appended only when the timestamp is above the last one.
  base::Status maybe_append(TimestampOffset entry);
  // The last entry with a timestamp at or below the target; the base offset where there is none.
  base::Result<TimestampOffset> lookup(std::int64_t timestamp) const;
  base::Status truncate_to(std::int64_t offset);
  std::size_t count() const { return file_.count(); }
  // One slot stays free for the last entry that is written when the segment closes.
  bool full(std::int64_t bytes_max) const {
    return count() + 1 >= static_cast<std::size_t>(bytes_max) / kEntrySize;
  }
  const std::optional<TimestampOffset>& last() const { return last_; }
  IndexFile& file() { return file_; }

 private:
  TimestampOffset parse(std::string_view entry) const;
  base::Status load_last();

  IndexFile file_;
  std::int64_t base_offset_;
  std::optional<TimestampOffset> last_;
};

}  // namespace tandem::broker::log
