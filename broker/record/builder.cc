#include "broker/record/builder.h"

#include <algorithm>

#include "base/checksum.h"

namespace tandem::broker::record {

using base::Result;

void write_message(std::string& out, std::int8_t magic, std::int64_t offset, std::uint8_t attributes,
                   std::int64_t timestamp, Bytes key, Bytes value) {
  const std::size_t begin = out.size();
  bytes::Writer writer(out);
  writer.i64(offset);
  const std::size_t size_at = writer.reserve_i32();
  writer.u32(0);
  writer.i8(magic);
  writer.u8(attributes);
  if (magic == 1) writer.i64(timestamp);
  for (const Bytes& bytes : {key, value}) {
    writer.i32(bytes ? static_cast<std::int32_t>(bytes->size()) : -1);
    if (bytes) writer.bytes(*bytes);
  }
  writer.patch_i32(size_at, static_cast<std::int32_t>(out.size() - begin - kLogOverhead));
  const std::uint32_t crc = base::crc32(std::string_view(out).substr(begin + kMagicAt));
  writer.patch_i32(begin + kLegacyCrcAt, static_cast<std::int32_t>(crc));
}

void BatchBuilder::append_message(std::int64_t offset, std::int64_t timestamp, Bytes key, Bytes value) {
  std::uint8_t attributes = 0;
  if (options_.codec == Codec::none && options_.magic == 1 &&
      options_.timestamp_type == TimestampType::log_append) {
    attributes = kLogAppendTimeBit;
    timestamp = options_.log_append_time;
  }
  const bool relative = options_.magic == 1 && options_.codec != Codec::none;
  write_message(body_, options_.magic, relative ? offset - options_.base_offset : offset, attributes,
                timestamp, key, value);
}

void BatchBuilder::append(std::int64_t offset, std::int64_t timestamp, Bytes key, Bytes value,
                          std::string_view headers, std::int32_t header_count) {
  ENSURE(offset >= options_.base_offset && offset > last_offset_, "offset {} after {} in a batch from {}",
         offset, last_offset_, options_.base_offset);
  if (options_.magic >= 2) {
    if (count_ == 0) base_timestamp_ = timestamp;
    bytes::Writer writer(body_);
    const auto delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(timestamp) -
                                                 static_cast<std::uint64_t>(base_timestamp_));
    write_record(writer, delta, static_cast<std::int32_t>(offset - options_.base_offset), key, value, headers,
                 header_count);
  } else {
    append_message(offset, timestamp, key, value);
  }
  if (timestamp > max_timestamp_ && options_.magic > 0) {
    max_timestamp_ = timestamp;
    offset_of_max_ = offset;
  }
  last_offset_ = offset;
  ++count_;
}

std::int64_t BatchBuilder::max_timestamp() const {
  if (options_.magic == 0) return kNoTimestamp;
  return options_.timestamp_type == TimestampType::log_append ? options_.log_append_time : max_timestamp_;
}

std::int64_t BatchBuilder::offset_of_max_timestamp() const {
  if (options_.magic == 0 || count_ == 0) return -1;
  if (options_.magic >= 2 || options_.codec != Codec::none) return last_offset_;
  return options_.timestamp_type == TimestampType::log_append ? options_.base_offset : offset_of_max_;
}

Result<std::string> BatchBuilder::finish() {
  if (count_ == 0) return std::string();
  if (options_.magic >= 2) return finish_v2();
  if (options_.codec != Codec::none) return finish_wrapper();
  return std::move(body_);
}

Result<std::string> BatchBuilder::finish_v2() {
  if (options_.codec != Codec::none) {
    auto packed = compress(options_.codec, body_, 2, options_.level);
    if (!packed) return packed.error();
    body_ = std::move(*packed);
  }
  std::uint16_t attributes = static_cast<std::uint16_t>(options_.codec);
  if (options_.timestamp_type == TimestampType::log_append) attributes |= kLogAppendTimeBit;
  if (options_.transactional) attributes |= kTransactionalBit;
  if (options_.control) attributes |= kControlBit;
  std::string out;
  out.reserve(kBatchHeaderSize + body_.size());
  bytes::Writer writer(out);
  writer.i64(options_.base_offset);
  writer.i32(static_cast<std::int32_t>(kBatchHeaderSize - kLogOverhead + body_.size()));
  writer.i32(options_.leader_epoch);
  writer.i8(2);
  writer.u32(0);
  writer.u16(attributes);
  writer.i32(static_cast<std::int32_t>(last_offset_ - options_.base_offset));
  writer.i64(options_.timestamp_type == TimestampType::log_append ? options_.log_append_time
                                                                  : base_timestamp_);
  writer.i64(max_timestamp());
  writer.i64(options_.producer_id);
  writer.i16(options_.producer_epoch);
  writer.i32(options_.base_sequence);
  writer.i32(count_);
  writer.bytes(body_);
  const std::uint32_t crc = base::crc32c(std::string_view(out).substr(kAttributesAt));
  writer.patch_i32(kCrcAt, static_cast<std::int32_t>(crc));
  return out;
}

Result<std::string> BatchBuilder::finish_wrapper() {
  auto packed = compress(options_.codec, body_, options_.magic, options_.level);
  if (!packed) return packed.error();
  auto attributes = static_cast<std::uint8_t>(options_.codec);
  if (options_.magic == 1 && options_.timestamp_type == TimestampType::log_append)
    attributes |= kLogAppendTimeBit;
  std::string out;
  write_message(out, options_.magic, last_offset_, attributes, max_timestamp(), std::nullopt, *packed);
  return out;
}

std::string write_end_marker(const BatchOptions& options, std::int64_t timestamp, EndMarker marker) {
  std::string key;
  std::string value;
  bytes::Writer key_writer(key);
  key_writer.i16(0);
  key_writer.i16(static_cast<std::int16_t>(marker.type));
  bytes::Writer value_writer(value);
  value_writer.i16(0);
  value_writer.i32(marker.coordinator_epoch);
  BatchOptions control = options;
  control.control = true;
  control.transactional = true;
  control.codec = Codec::none;
  BatchBuilder builder(control);
  builder.append(control.base_offset, timestamp, key, value);
  return *builder.finish();
}

std::optional<EndMarker> read_end_marker(const RecordView& record) {
  if (!record.key || !record.value) return std::nullopt;
  bytes::Reader key(*record.key);
  if (key.i16() < 0) return std::nullopt;
  const std::int16_t type = key.i16();
  bytes::Reader value(*record.value);
  if (value.i16() < 0) return std::nullopt;
  const std::int32_t epoch = value.i32();
  if (!key.ok() || !value.ok() || (type != 0 && type != 1)) return std::nullopt;
  return EndMarker{static_cast<ControlType>(type), epoch};
}

}  // namespace tandem::broker::record
