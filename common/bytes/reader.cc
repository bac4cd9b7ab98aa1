#include "bytes/reader.h"

namespace tandem::bytes {

std::uint64_t Reader::uvarint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    const std::uint8_t byte = u8();
    if (!ok_) return 0;
    if (shift == 63 && byte > 1) break;  // would not fit 64 bits
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  fail();
  return 0;
}

std::uint32_t Reader::uvarint32() {
  const std::uint64_t value = uvarint();
  if (value > 0xffffffffu) {
    fail();
    return 0;
  }
  return static_cast<std::uint32_t>(value);
}

std::int32_t Reader::varint() {
  const std::uint32_t raw = uvarint32();
  return static_cast<std::int32_t>(raw >> 1) ^ -static_cast<std::int32_t>(raw & 1);
}

std::int64_t Reader::varlong() {
  const std::uint64_t raw = uvarint();
  return static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
}

}  // namespace tandem::bytes
