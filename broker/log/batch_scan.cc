#include "broker/log/batch_scan.h"

#include <algorithm>

namespace tandem::broker::log {

namespace {

constexpr std::size_t kHeaderChunk = 1024;
constexpr std::size_t kWholeChunk = std::size_t{1} << 18;

}  // namespace

bool BatchScan::fill(std::size_t count) {
  const bool inside = at_ >= buffer_at_ && at_ + count <= buffer_at_ + buffer_size_;
  if (inside) return true;
  const std::size_t chunk = std::max(count, mode_ == Mode::whole ? kWholeChunk : kHeaderChunk);
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(chunk, end_ - at_));
  if (buffer_.size() < wanted) buffer_.resize(wanted);
  const auto got = file_.pread(at_, std::span<char>(buffer_.data(), wanted));
  if (!got) {
    error_ = got.error();
    return false;
  }
  buffer_at_ = at_;
  buffer_size_ = *got;
  return buffer_size_ >= count;
}

bool BatchScan::next() {
  if (broken_ || error_ || at_ >= end_) return false;
  const std::uint64_t left = end_ - at_;
  if (left < record::kHeaderPrefix) return stop_broken();
  if (!fill(record::kHeaderPrefix)) return error_ ? false : stop_broken();
  const char* at = buffer_.data() + (at_ - buffer_at_);
  const std::uint64_t size = record::batch_size_from_prefix({at, record::kHeaderPrefix});
  if (size == 0 || size > left) return stop_broken();
  const std::size_t head = static_cast<std::size_t>(std::min<std::uint64_t>(size, record::kBatchHeaderSize));
  const std::size_t wanted = mode_ == Mode::whole ? static_cast<std::size_t>(size) : head;
  if (!fill(wanted)) return error_ ? false : stop_broken();
  batch_ = record::BatchView(std::string_view(buffer_.data() + (at_ - buffer_at_), wanted));
  begin_ = at_;
  size_ = size;
  at_ += size;
  return true;
}

}  // namespace tandem::broker::log
