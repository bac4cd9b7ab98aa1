// Reader: a big-endian cursor over bytes that are there. Its error is sticky: after the first read past the
// end (or a fail()) every read gives zero or empty, and ok() says so once at the end. It allocates nothing.
// Varints are those of Protocol Buffers / Kafka (unsigned LEB128; zigzag for signed).
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tandem::bytes {

class Reader {
 public:
  explicit Reader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()), begin_(at_) {}

  bool ok() const { return ok_; }
  void fail() {
    ok_ = false;
    at_ = end_;
  }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  std::size_t position() const { return static_cast<std::size_t>(at_ - begin_); }
  bool at_end() const { return ok_ && at_ == end_; }
  std::string_view rest() const { return {at_, remaining()}; }

  std::int8_t i8() { return static_cast<std::int8_t>(number<std::uint8_t>()); }
  std::uint8_t u8() { return number<std::uint8_t>(); }
  bool boolean() { return number<std::uint8_t>() != 0; }
  std::int16_t i16() { return static_cast<std::int16_t>(number<std::uint16_t>()); }
  std::uint16_t u16() { return number<std::uint16_t>(); }
  std::int32_t i32() { return static_cast<std::int32_t>(number<std::uint32_t>()); }
  std::uint32_t u32() { return number<std::uint32_t>(); }
  std::int64_t i64() { return static_cast<std::int64_t>(number<std::uint64_t>()); }
  std::uint64_t u64() { return number<std::uint64_t>(); }
  double f64() { return std::bit_cast<double>(number<std::uint64_t>()); }

  std::string_view bytes(std::size_t count) {
    if (count > remaining()) {
      fail();
      return {};
    }
    const std::string_view view(at_, count);
    at_ += count;
    return view;
  }
  void skip(std::size_t count) { bytes(count); }

  std::uint64_t uvarint();    // at most 10 bytes
  std::uint32_t uvarint32();  // at most 5 bytes and 32 bits, else fail
  std::int32_t varint();      // zigzag, 32 bits
  std::int64_t varlong();     // zigzag, 64 bits

 private:
  template <class T>
  T number() {
    if (remaining() < sizeof(T)) {
      fail();
      return 0;
    }
    T value;
    std::memcpy(&value, at_, sizeof(T));
    at_ += sizeof(T);
    if constexpr (sizeof(T) == 2) value = __builtin_bswap16(value);
    if constexpr (sizeof(T) == 4) value = __builtin_bswap32(value);
    if constexpr (sizeof(T) == 8) value = __builtin_bswap64(value);
    return value;
  }

  const char* at_;
  const char* end_;
  const char* begin_;
  bool ok_ = true;
};

}  // namespace tandem::bytes
