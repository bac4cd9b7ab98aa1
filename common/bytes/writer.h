// Writer: appends big-endian numbers and bytes to a string that the caller owns (a connection's output, a
// log batch), so that small replies cost no allocation. It cannot fail. The mirror of reader.h.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/check.h"

namespace tandem::bytes {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  std::string& out() { return out_; }
  std::size_t position() const { return out_.size(); }

  void i8(std::int8_t v) { out_.push_back(static_cast<char>(v)); }
  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void boolean(bool v) { out_.push_back(v ? 1 : 0); }
  void i16(std::int16_t v) { number(__builtin_bswap16(static_cast<std::uint16_t>(v))); }
  void u16(std::uint16_t v) { number(__builtin_bswap16(v)); }
  void i32(std::int32_t v) { number(__builtin_bswap32(static_cast<std::uint32_t>(v))); }
  void u32(std::uint32_t v) { number(__builtin_bswap32(v)); }
  void i64(std::int64_t v) { number(__builtin_bswap64(static_cast<std::uint64_t>(v))); }
  void u64(std::uint64_t v) { number(__builtin_bswap64(v)); }
  void f64(double v) { u64(std::bit_cast<std::uint64_t>(v)); }
  void bytes(std::string_view v) { out_.append(v); }

  void uvarint(std::uint64_t v) {
    for (; v >= 0x80; v >>= 7) u8(static_cast<std::uint8_t>(v) | 0x80);
    u8(static_cast<std::uint8_t>(v));
  }
  void varint(std::int32_t v) {
    uvarint((static_cast<std::uint32_t>(v) << 1) ^ static_cast<std::uint32_t>(v >> 31));
  }
  void varlong(std::int64_t v) {
    uvarint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
  }

  // Leaves room for an i32 (a length, say) and returns where; patch_i32 fills it in later.
  std::size_t reserve_i32() {
    const std::size_t at = out_.size();
    i32(0);
    return at;
  }
  void patch_i32(std::size_t at, std::int32_t v) {
    ENSURE(at + 4 <= out_.size());
    const std::uint32_t raw = __builtin_bswap32(static_cast<std::uint32_t>(v));
    std::memcpy(out_.data() + at, &raw, sizeof raw);
  }

 private:
  template <class T>
  void number(T raw) {
    out_.append(reinterpret_cast<const char*>(&raw), sizeof raw);
  }

  std::string& out_;
};

}  // namespace tandem::bytes
