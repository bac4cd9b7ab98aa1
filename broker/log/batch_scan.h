// BatchScan walks the batches of a segment file between two positions with bounded memory: headers only (for
// look-ups and producer state) or whole batches (for recovery and record-level look-ups). It never trusts a
// length before it is checked against the bytes that are there.
#pragma once

#include <optional>
#include <string>

#include "broker/record/batch.h"
#include "fs/disk.h"

namespace tandem::broker::log {

class BatchScan {
 public:
  enum class Mode { headers, whole };

  BatchScan(const fs::File& file, std::uint64_t begin, std::uint64_t end, Mode mode)
      : file_(file), at_(begin), end_(end), mode_(mode) {}

  // The next batch; false at the end, where bytes are no batch (broken()), or at an error.
  bool next();
  // In headers mode the view holds a v2 header (61 bytes) or the head of a message, no more.
  const record::BatchView& batch() const { return batch_; }
  std::uint64_t position() const { return begin_; }  // of batch()
  std::uint64_t size() const { return size_; }       // of batch(), whole
  std::uint64_t next_position() const { return at_; }
  bool broken() const {
    return broken_;
  }  // bytes before `end` that are no whole batch begin at next_position()
  const std::optional<base::Error>& error() const { return error_; }

 private:
  bool fill(std::size_t count);  // makes that many bytes at at_ available in buffer_
  bool stop_broken() {
    broken_ = true;
    return false;
  }

  const fs::File& file_;
  std::uint64_t at_;
  std::uint64_t end_;
  Mode mode_;
  std::string buffer_;
  std::uint64_t buffer_at_ = 0;  // file position of the buffer's first byte
  std::size_t buffer_size_ = 0;
  std::uint64_t begin_ = 0;
  std::uint64_t size_ = 0;
  record::BatchView batch_;
  bool broken_ = false;
  std::optional<base::Error> error_;
};

}  // namespace tandem::broker::log
