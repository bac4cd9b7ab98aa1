// SequentialWriter: a large file written from its first byte to its last while others wait for syncs on the
// same disk. Whole blocks go past the page cache (O_DIRECT): what the cache collects, the next journal commit
// or flush of anybody would have to wait for. Where the file system refuses that, each block is written back
// and dropped before the next. Nothing is durable before the file's own sync. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "fs/disk.h"

namespace tandem::fs {

class SequentialWriter {
 public:
  // `file` is empty and outlives this. Without `past_cache` the kernel writes back when it likes.
  SequentialWriter(File& file, bool past_cache);
  SequentialWriter(const SequentialWriter&) = delete;
  SequentialWriter& operator=(const SequentialWriter&) = delete;

  Status append(std::string_view bytes);
  Status finish();  // all bytes handed to the file
  std::uint64_t size() const { return offset_ + used_; }

 private:
  struct Free {
    void operator()(char* bytes) const;
  };

  Status write_block(std::string_view block);
  Status write_direct(std::string_view block, bool& refused);
  void set_direct(bool on);

  File& file_;
  bool past_cache_;
  bool direct_ = false;
  std::unique_ptr<char[], Free> block_;
  std::size_t used_ = 0;      // of the block
  std::uint64_t offset_ = 0;  // where the block begins
};

}  // namespace tandem::fs
