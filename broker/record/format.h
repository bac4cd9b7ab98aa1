// Constants of Kafka's record formats (magic 0, 1 and 2): byte positions, flag bits, codecs, and the error
// codes of Kafka's protocol that a rejected record set is answered with. Source: Kafka's message format,
// KIP-32, KIP-98.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tandem::broker::record {

// Every batch and every message of a set starts with {offset i64, size i32}; the size does not count these.
constexpr std::size_t kLogOverhead = 12;
constexpr std::size_t kMagicAt = 16;
constexpr std::size_t kHeaderPrefix = 17;  // enough bytes to know size and magic

// Batch v2.
constexpr std::size_t kLeaderEpochAt = 12;
constexpr std::size_t kCrcAt = 17;
constexpr std::size_t kAttributesAt = 21;  // the CRC covers from here
constexpr std::size_t kLastOffsetDeltaAt = 23;
constexpr std::size_t kBaseTimestampAt = 27;
constexpr std::size_t kMaxTimestampAt = 35;
constexpr std::size_t kProducerIdAt = 43;
constexpr std::size_t kProducerEpochAt = 51;
constexpr std::size_t kBaseSequenceAt = 53;
constexpr std::size_t kRecordCountAt = 57;
constexpr std::size_t kBatchHeaderSize = 61;

// Messages v0 and v1: {crc u32, magic i8, attributes i8, [v1 timestamp i64], key, value} after the overhead.
constexpr std::size_t kLegacyCrcAt = 12;
constexpr std::size_t kLegacyAttributesAt = 17;
constexpr std::size_t kLegacyTimestampAt = 18;
constexpr std::size_t kMessageSizeMinV0 = 14;  // without the overhead: empty key and value
constexpr std::size_t kMessageSizeMinV1 = 22;

constexpr std::uint16_t kCodecMask = 0x07;
constexpr std::uint16_t kLogAppendTimeBit = 0x08;
constexpr std::uint16_t kTransactionalBit = 0x10;
constexpr std::uint16_t kControlBit = 0x20;
constexpr std::uint16_t kDeleteHorizonBit = 0x40;

constexpr std::int64_t kNoTimestamp = -1;
constexpr std::int64_t kNoProducerId = -1;
constexpr std::int16_t kNoProducerEpoch = -1;
constexpr std::int32_t kNoSequence = -1;
constexpr std::int32_t kNoLeaderEpoch = -1;

enum class Codec : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };
constexpr int kCodecMax = 4;

enum class TimestampType : std::uint8_t { create = 0, log_append = 1 };

// What a rejected record set is answered with; the numbers are those of Kafka's protocol.
enum class Reject : std::int16_t {
  unknown_server_error = -1,  // what Kafka answers when a codec fails on a batch whose CRC is right
  none = 0,
  corrupt_message = 2,
  message_too_large = 10,
  record_list_too_large = 18,
  invalid_timestamp = 32,
  unsupported_for_message_format = 43,
  unsupported_compression_type = 76,
  invalid_record = 87,
};

}  // namespace tandem::broker::record
