// OffsetIndex: sparse map from offset to file position of a segment: entries {relative offset i32, position
// i32}, big-endian, both ascending. A look-up gives the largest entry at or below the target.
#pragma once

#include <optional>

#include "broker/log/index_file.h"

namespace tandem::broker::log {

struct OffsetPosition {
  std::int64_t offset = 0;
  std::int64_t position = 0;
};

class OffsetIndex {
 public:
  static constexpr std::size_t kEntrySize = 8;

  OffsetIndex(fs::Disk& disk, std::string path, std::int64_t base_offset)
      : file_(disk, std::move(path), kEntrySize), base_offset_(base_offset) {}

  // Opens and checks what Kafka's sanity check does; Errc::corrupt asks for a rebuild.
  base::Status open();
  base::Status create() {
    last_.reset();
    return file_.create();
  }
  // Entries that do not ascend are left out.
  base::Status append(std::int64_t offset, std::int64_t position);
  base::Result<OffsetPosition> lookup(std::int64_t target) const;
  base::Result<std::optional<OffsetPosition>> first_at_or_after_position(std::int64_t position) const;
  // Drops entries at or above the offset.
  base::Status truncate_to(std::int64_t offset);
  std::size_t count() const { return file_.count(); }
  bool full(std::int64_t bytes_max) const {
    return count() >= static_cast<std::size_t>(bytes_max) / kEntrySize;
  }
  const std::optional<OffsetPosition>& last() const { return last_; }
  IndexFile& file() { return file_; }

 private:
  OffsetPosition parse(std::string_view entry) const;
  base::Status load_last();

  IndexFile file_;
  std::int64_t base_offset_;
  std::optional<OffsetPosition> last_;
};

}  // namespace tandem::broker::log
