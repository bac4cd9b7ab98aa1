#include "base/checksum.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <string>

#include "base/random.h"

namespace tandem::base {

namespace {

template <class Sum>
std::uint32_t zlib(Sum sum, std::string_view bytes, std::uint32_t before) {
  return static_cast<std::uint32_t>(
      sum(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace

TEST_CASE("the check values of the CRC catalogue and RFC 1950 hold") {
  CHECK_EQ(crc32c("123456789"), 0xe3069283u);
  CHECK_EQ(crc32c_portable("123456789"), 0xe3069283u);
  CHECK_EQ(crc32("123456789"), 0xcbf43926u);
  CHECK_EQ(adler32("Wikipedia"), 0x11e60398u);
}

TEST_CASE("the instruction and the table agree for every length, whole and in parts") {
  Random random(1);
  std::string bytes(20'000, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random.next());
  for (int round = 0; round < 300; ++round) {
    const std::string_view view =
        std::string_view(bytes).substr(random.below(64), random.below(bytes.size()));
    const std::size_t cut = random.below(view.size() + 1);
    const std::uint32_t whole = crc32c(view);
    CHECK_EQ(whole, crc32c_portable(view));
    CHECK_EQ(whole, crc32c(view.substr(cut), crc32c(view.substr(0, cut))));
  }
}

TEST_CASE("CRC-32 of short pieces and of long ones is one function") {
  Random random(2);
  std::string bytes(3'000, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random.next());
  for (int round = 0; round < 300; ++round) {
    const std::string_view view =
        std::string_view(bytes).substr(random.below(64), 600 + random.below(bytes.size() - 600));
    std::uint32_t crc = 0;
    for (std::size_t at = 0; at < view.size();) {
      const std::size_t size = random.below(511) + 1;
      crc = crc32(view.substr(at, size), crc);
      at += size;
    }
    CHECK_EQ(crc, crc32(view));
  }
}

TEST_CASE("CRC-32 and Adler-32 by wide instructions are zlib's for every length and start") {
  Random random(3);
  std::string bytes(1'000, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random.next());
  for (std::size_t size = 0; size < 700; ++size) {
    const std::string_view view = std::string_view(bytes).substr(random.below(64), size);
    const auto before = static_cast<std::uint32_t>(random.next());
    CHECK_EQ(crc32(view, before), zlib(::crc32_z, view, before));
    const std::uint32_t adler = zlib(::adler32_z, bytes.substr(0, random.below(900)), 1);
    CHECK_EQ(adler32(view, adler), zlib(::adler32_z, view, adler));
  }
}

TEST_CASE("the sums of a long run of high bytes do not overflow") {
  const std::string bytes(3'000'000, '\xff');
  CHECK_EQ(adler32(bytes), zlib(::adler32_z, bytes, 1));
  CHECK_EQ(adler32(bytes, 0xfff0fff0u), zlib(::adler32_z, bytes, 0xfff0fff0u));  // the largest there is
  CHECK_EQ(crc32(bytes), zlib(::crc32_z, bytes, 0));
}

}  // namespace tandem::base
