#include "broker/record/convert.h"

#include <algorithm>

#include "bytes/writer.h"

namespace tandem::broker::record {

using base::Errc;
using base::make_error;
using base::Result;

namespace {

constexpr std::size_t kOverflowHead = 12;  // offset and length

Result<std::string> convert_batch(const BatchView& batch, std::int8_t to_magic, std::int64_t first_offset,
                                  ReaderLimits limits) {
  BatchOptions options{.magic = to_magic,
                       .codec = batch.codec(),
                       .timestamp_type = batch.timestamp_type(),
                       .log_append_time = batch.max_timestamp()};
  if (to_magic == 0) options.timestamp_type = TimestampType::create;
  std::optional<BatchBuilder> builder;
  RecordReader reader(batch, limits);
  RecordView record;
  while (reader.next(record)) {
    // A client that asks for an offset inside an uncompressed batch gets no message before it.
    if (!batch.compressed() && record.offset < first_offset) continue;
    if (!builder) {
      options.base_offset = record.offset;
      builder.emplace(options);
    }
    if (record.offset <= builder->last_offset())
      return make_error(Errc::corrupt, "offset {} follows {} in a stored batch", record.offset,
                        builder->last_offset());
    builder->append(record.offset, record.timestamp, record.key, record.value);
  }
  if (reader.error()) return *reader.error();
  if (!builder) return std::string();
  return builder->finish();
}

}  // namespace

Result<Converted> down_convert(std::string_view stored, std::int8_t to_magic, std::int64_t first_offset,
                               ReaderLimits limits) {
  Converted out;
  BatchCursor cursor(stored);
  while (cursor.next()) {
    const BatchView& batch = cursor.batch();
    out.found_batches = true;
    if (batch.control()) continue;
    if (batch.codec() == Codec::zstd)
      return make_error(Errc::unsupported, "a zstd batch at offset {} cannot be converted",
                        batch.offset_field());
    if (batch.magic() <= to_magic) {
      out.bytes.append(batch.bytes());
    } else {
      const auto converted = convert_batch(batch, to_magic, first_offset, limits);
      if (!converted) return converted.error();
      out.bytes.append(*converted);
    }
    if (out.first_batch_bytes == 0) out.first_batch_bytes = out.bytes.size();
  }
  return out;
}

std::string fit_converted(Converted converted, std::size_t stored_bytes) {
  if (!converted.found_batches) return {};
  std::string& out = converted.bytes;
  // Where nothing was left to convert the offset and the length go alone.
  const std::size_t size = out.empty() ? std::min(stored_bytes, kOverflowHead)
                                       : std::max(stored_bytes, converted.first_batch_bytes);
  if (out.size() < size) {
    const auto missing = static_cast<std::int32_t>(size - out.size());
    bytes::Writer writer(out);
    writer.i64(-1);
    writer.i32(std::max(missing + 1, static_cast<std::int32_t>(kBatchHeaderSize)));
  }
  out.resize(size);
  return std::move(out);
}

}  // namespace tandem::broker::record
