// BatchView: one record batch (v2) or one message (v0/v1, perhaps a compressed wrapper) where it lies,
// without a copy. BatchCursor walks the batches of a record set. Both promise never to read outside the bytes
// they were given; a view's accessors presume what the cursor checked (sizes, magic), not the CRC: is_valid()
// does that.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "broker/record/format.h"

namespace tandem::broker::record {

template <class T>
T load_be(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (sizeof(T) == 2) value = static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
  if constexpr (sizeof(T) == 4) value = static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
  if constexpr (sizeof(T) == 8) value = static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
  return value;
}

template <class T>
void store_be(char* at, T value) {
  if constexpr (sizeof(T) == 2) value = static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
  if constexpr (sizeof(T) == 4) value = static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
  if constexpr (sizeof(T) == 8) value = static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
  std::memcpy(at, &value, sizeof value);
}

class BatchView {
 public:
  BatchView() = default;
  // `bytes` is one whole batch as BatchCursor cuts it, or (for header()) at least a v2 header.
  explicit BatchView(std::string_view bytes) : bytes_(bytes) {}

  std::string_view bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  std::int8_t magic() const { return static_cast<std::int8_t>(bytes_[kMagicAt]); }

  // v2: the first offset. v0/v1: the offset field, which is the last one of a compressed set.
  std::int64_t offset_field() const { return get<std::int64_t>(0); }
  std::int32_t size_field() const { return get<std::int32_t>(8); }
  std::int64_t last_offset() const {
    return magic() >= 2 ? offset_field() + get<std::int32_t>(kLastOffsetDeltaAt) : offset_field();
  }
  std::int64_t next_offset() const { return last_offset() + 1; }

  std::uint16_t attributes() const {
    return magic() >= 2 ? get<std::uint16_t>(kAttributesAt)
                        : static_cast<std::uint8_t>(bytes_[kLegacyAttributesAt]);
  }
  Codec codec() const { return static_cast<Codec>(attributes() & kCodecMask); }
  bool known_codec() const { return (attributes() & kCodecMask) <= kCodecMax; }
  bool compressed() const { return (attributes() & kCodecMask) != 0; }
  TimestampType timestamp_type() const {
    return magic() >= 1 && (attributes() & kLogAppendTimeBit) != 0 ? TimestampType::log_append
                                                                   : TimestampType::create;
  }
  std::int64_t max_timestamp() const {
    if (magic() >= 2) return get<std::int64_t>(kMaxTimestampAt);
    return magic() == 1 ? get<std::int64_t>(kLegacyTimestampAt) : kNoTimestamp;
  }
  std::uint32_t crc_field() const { return get<std::uint32_t>(magic() >= 2 ? kCrcAt : kLegacyCrcAt); }
  std::uint32_t crc_of_bytes() const;
  bool is_valid() const { return crc_field() == crc_of_bytes(); }

  // These have a value in v2 only; legacy messages answer with the "none" constants.
  std::int32_t leader_epoch() const { return v2<std::int32_t>(kLeaderEpochAt, kNoLeaderEpoch); }
  std::int64_t base_timestamp() const { return v2<std::int64_t>(kBaseTimestampAt, kNoTimestamp); }
  std::int64_t producer_id() const { return v2<std::int64_t>(kProducerIdAt, kNoProducerId); }
  std::int16_t producer_epoch() const { return v2<std::int16_t>(kProducerEpochAt, kNoProducerEpoch); }
  std::int32_t base_sequence() const { return v2<std::int32_t>(kBaseSequenceAt, kNoSequence); }
  std::int32_t last_offset_delta() const { return v2<std::int32_t>(kLastOffsetDeltaAt, 0); }
  std::int32_t last_sequence() const;
  std::int32_t record_count() const { return v2<std::int32_t>(kRecordCountAt, 1); }
  bool has_producer_id() const { return producer_id() != kNoProducerId; }
  bool transactional() const { return magic() >= 2 && (attributes() & kTransactionalBit) != 0; }
  bool control() const { return magic() >= 2 && (attributes() & kControlBit) != 0; }
  bool has_delete_horizon() const { return magic() >= 2 && (attributes() & kDeleteHorizonBit) != 0; }

  // v2: the bytes behind the header, compressed or not.
  std::string_view body() const { return bytes_.substr(kBatchHeaderSize); }

 private:
  template <class T>
  T get(std::size_t at) const {
    return load_be<T>(bytes_.data() + at);
  }
  template <class T>
  T v2(std::size_t at, T otherwise) const {
    return magic() >= 2 ? get<T>(at) : otherwise;
  }

  std::string_view bytes_;
};

// Why a cursor stopped: at the end, before a batch that is not whole, or at one that cannot be right.
enum class CursorEnd : std::uint8_t { none, end, partial, corrupt };

class BatchCursor {
 public:
  explicit BatchCursor(std::string_view bytes, std::size_t batch_size_max = kUnlimited)
      : bytes_(bytes), batch_size_max_(batch_size_max) {}

  // Moves to the next whole batch; false at the end, and ended() says why.
  bool next();
  const BatchView& batch() const { return batch_; }
  std::size_t position() const { return begin_; }  // of batch()
  std::size_t consumed() const { return at_; }     // bytes of whole batches so far
  CursorEnd ended() const { return ended_; }

  static constexpr std::size_t kUnlimited = ~std::size_t{0};

 private:
  bool stop(CursorEnd why) {
    ended_ = why;
    return false;
  }

  std::string_view bytes_;
  std::size_t batch_size_max_;
  std::size_t begin_ = 0;
  std::size_t at_ = 0;
  BatchView batch_;
  CursorEnd ended_ = CursorEnd::none;
};

// What the 17 bytes at the head of a batch say, before the rest is read: its whole size, or 0 when they
// cannot be the head of a batch.
std::uint64_t batch_size_from_prefix(std::string_view prefix);

}  // namespace tandem::broker::record
