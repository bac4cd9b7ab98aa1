#include "fs/sequential_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "fs/page_cache.h"

namespace tandem::fs {

namespace {

// Small, so that a sync beside it never waits long for its turn at the device; large enough that the calls
// cost nothing.
constexpr std::size_t kBlock = 128U << 10;
// What O_DIRECT asks of memory, offset and size on every device that has sectors up to a page.
constexpr std::size_t kAlignment = 4096;

}  // namespace

void SequentialWriter::Free::operator()(char* bytes) const { std::free(bytes); }

SequentialWriter::SequentialWriter(File& file, bool past_cache)
    : file_(file),
      past_cache_(past_cache),
      block_(static_cast<char*>(std::aligned_alloc(kAlignment, kBlock))) {
  ENSURE(block_ != nullptr, "no memory for a block of {} bytes", kBlock);
  if (past_cache_ && file_.fd() >= 0) set_direct(true);
}

void SequentialWriter::set_direct(bool on) {
  const int flags = ::fcntl(file_.fd(), F_GETFL);
  direct_ = flags >= 0 && ::fcntl(file_.fd(), F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0 && on;
}

Status SequentialWriter::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t part = std::min(bytes.size(), kBlock - used_);
    std::memcpy(block_.get() + used_, bytes.data(), part);
    used_ += part;
    bytes.remove_prefix(part);
    if (used_ < kBlock) continue;
    if (auto status = write_block({block_.get(), used_}); !status) return status;
    offset_ += used_;
    used_ = 0;
  }
  return {};
}

Status SequentialWriter::finish() {
  if (direct_) set_direct(false);  // the rest is no whole block
  if (used_ == 0) return {};
  if (auto status = file_.pwrite(offset_, {block_.get(), used_}); !status) return status;
  offset_ += used_;
  used_ = 0;
  return {};
}

Status SequentialWriter::write_block(std::string_view block) {
  if (direct_) {
    bool refused = false;
    if (auto status = write_direct(block, refused); !refused) return status;
    set_direct(false);
  }
  if (auto status = file_.pwrite(offset_, block); !status) return status;
  if (!past_cache_) return {};
  file_.write_back(offset_, block.size());
  if (auto status = finish_write_back(file_, offset_, block.size()); !status) return status;
  file_.drop_cache(offset_, block.size());
  return {};
}

Status SequentialWriter::write_direct(std::string_view block, bool& refused) {
  for (std::uint64_t offset = offset_; !block.empty();) {
    const auto count = ::pwrite(file_.fd(), block.data(), block.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    // A part that ends inside a sector cannot be followed by a direct write: the whole block goes again.
    refused = (count < 0 && errno == EINVAL) || (count >= 0 && count % kAlignment != 0) || count == 0;
    if (refused) return {};
    if (count < 0) {
      const int error = errno;
      return base::make_error(error == ENOSPC || error == EDQUOT ? base::Errc::no_space : base::Errc::io,
                              "write of {} failed: {}", file_.path(), std::strerror(error));
    }
    offset += static_cast<std::uint64_t>(count);
    block.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace tandem::fs
