// Record sets of every magic and codec: any bytes are validated or refused with a code, what was accepted is
// whole, consecutive and convertible. First byte even: the rest is the set. Odd: the rest is the records of
// one v2 batch, framed (and compressed with the codec of the next byte) here, so that mutation reaches what
// checksum and codec protect.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/checksum.h"
#include "broker/record/convert.h"
#include "broker/record/validate.h"

using namespace tandem;
using namespace tandem::broker::record;

namespace {

constexpr ReaderLimits kLimits{.record_bytes_max = 1 << 20, .batch_bytes_max = 4 << 20};

std::string framed(std::string_view input) {
  if (input.size() < 3) return {};
  const auto codec = static_cast<Codec>(static_cast<std::uint8_t>(input[0]) % 5);
  const auto count = static_cast<std::int32_t>(static_cast<std::uint8_t>(input[1]));
  const bool raw = (input[2] & 1) != 0;  // the codec gets to read the input itself
  const std::string body = raw ? std::string(input.substr(3)) : *compress(codec, input.substr(3), 2);
  BatchBuilder builder({.codec = Codec::none});
  builder.append(0, 5, "k", "v");
  std::string out = builder.finish()->substr(0, kBatchHeaderSize) + body;
  store_be(out.data() + 8, static_cast<std::int32_t>(out.size() - kLogOverhead));
  store_be(out.data() + kAttributesAt, static_cast<std::uint16_t>(codec));
  store_be(out.data() + kLastOffsetDeltaAt, count - 1);
  store_be(out.data() + kRecordCountAt, count);
  store_be(out.data() + kCrcAt, base::crc32c(std::string_view(out).substr(kAttributesAt)));
  return out;
}

std::string stored(const Validated& out) {
  std::string bytes;
  if (out.many.empty()) return bytes.append(out.one.head).append(out.one.rest);
  for (const auto& piece : out.many) bytes.append(piece.head).append(piece.rest);
  return bytes;
}

void check_accepted(const Validated& out, std::int64_t next_offset) {
  const std::string bytes = stored(out);
  ENSURE(bytes.size() == out.bytes && out.first_offset == next_offset && out.last_offset >= next_offset);
  BatchCursor cursor(bytes);
  std::int64_t records = 0;
  while (cursor.next()) {
    ENSURE(cursor.batch().is_valid(), "a batch that was accepted has a wrong CRC");
    RecordReader reader(cursor.batch(), kLimits);
    RecordView record;
    while (reader.next(record)) ++records;
    ENSURE(!reader.error(), "{}", reader.error()->context);
  }
  ENSURE(cursor.ended() == CursorEnd::end, "what was accepted is not whole batches");
  ENSURE(records == out.last_offset - out.first_offset + 1, "{} records got {} offsets", records,
         out.last_offset - out.first_offset + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string set = data[0] % 2 == 0 ? std::string(input) : framed(input);
  Validated out;
  for (const std::int8_t magic : {0, 1, 2}) {
    ValidateOptions options{.next_offset = 1000, .now_ms = 50, .to_magic = magic, .limits = kLimits};
    options.compacted = (data[0] & 2) != 0;
    if ((data[0] & 4) != 0) options.timestamp_type = TimestampType::log_append;
    if ((data[0] & 8) != 0) options.target = static_cast<Codec>(1 + data[0] / 64);
    validate(set, options, out);
    if (out.ok()) check_accepted(out, 1000);
  }
  for (const std::int8_t magic : {0, 1}) {
    const auto converted = down_convert(set, magic, 0, kLimits);
    if (!converted) continue;
    BatchCursor cursor(converted->bytes);
    while (cursor.next()) ENSURE(cursor.batch().magic() <= magic);
  }
  return 0;
}
