#include "broker/record/batch.h"

#include "base/checksum.h"

namespace tandem::broker::record {

namespace {

// The smallest legal size field for a magic; 0 when the magic is none of ours.
std::int32_t size_field_min(std::int8_t magic) {
  switch (magic) {
    case 0:
      return kMessageSizeMinV0;
    case 1:
      return kMessageSizeMinV1;
    case 2:
      return kBatchHeaderSize - kLogOverhead;
    default:
      return 0;
  }
}

}  // namespace

std::uint32_t BatchView::crc_of_bytes() const {
  if (magic() >= 2) return base::crc32c(bytes_.substr(kAttributesAt));
  return base::crc32(bytes_.substr(kMagicAt));
}

std::int32_t BatchView::last_sequence() const {
  const std::int32_t base = base_sequence();
  if (base == kNoSequence) return kNoSequence;
  // Sequences run from 0 to INT_MAX and start again at 0.
  const std::int64_t last = static_cast<std::int64_t>(base) + last_offset_delta();
  constexpr std::int64_t kTurn = std::int64_t{1} << 31;
  return static_cast<std::int32_t>(last >= kTurn ? last - kTurn : last);
}

bool BatchCursor::next() {
  if (ended_ != CursorEnd::none) return false;
  const std::size_t left = bytes_.size() - at_;
  if (left == 0) return stop(CursorEnd::end);
  if (left < kLogOverhead) return stop(CursorEnd::partial);
  const auto size_field = load_be<std::int32_t>(bytes_.data() + at_ + 8);
  if (size_field < static_cast<std::int32_t>(kMessageSizeMinV0)) return stop(CursorEnd::corrupt);
  const std::size_t size = kLogOverhead + static_cast<std::size_t>(size_field);
  if (size > batch_size_max_) return stop(CursorEnd::corrupt);
  if (left < kHeaderPrefix) return stop(CursorEnd::partial);
  const std::int32_t least = size_field_min(static_cast<std::int8_t>(bytes_[at_ + kMagicAt]));
  if (least == 0 || size_field < least) return stop(CursorEnd::corrupt);
  if (left < size) return stop(CursorEnd::partial);
  begin_ = at_;
  batch_ = BatchView(bytes_.substr(at_, size));
  at_ += size;
  return true;
}

std::uint64_t batch_size_from_prefix(std::string_view prefix) {
  if (prefix.size() < kHeaderPrefix) return 0;
  const auto size_field = load_be<std::int32_t>(prefix.data() + 8);
  const std::int32_t least = size_field_min(static_cast<std::int8_t>(prefix[kMagicAt]));
  if (least == 0 || size_field < least) return 0;
  return kLogOverhead + static_cast<std::uint64_t>(size_field);
}

}  // namespace tandem::broker::record
