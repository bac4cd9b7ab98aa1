#include "bytes/reader.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "bytes/writer.h"

namespace tandem::bytes {

TEST_CASE("numbers are big-endian") {
  std::string out;
  Writer writer(out);
  writer.i32(0x01020304);
  writer.i64(-2);
  CHECK_EQ(out, std::string("\x01\x02\x03\x04\xff\xff\xff\xff\xff\xff\xff\xfe", 12));
  Reader reader(out);
  CHECK_EQ(reader.i32(), 0x01020304);
  CHECK_EQ(reader.i64(), -2);
  CHECK(reader.at_end());
}

TEST_CASE("varints of the extremes come back") {
  for (const std::int64_t v :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{63}, std::int64_t{-65},
        std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    std::string out;
    Writer writer(out);
    writer.varlong(v);
    writer.varint(static_cast<std::int32_t>(v));
    Reader reader(out);
    CHECK_EQ(reader.varlong(), v);
    CHECK_EQ(reader.varint(), static_cast<std::int32_t>(v));
    CHECK(reader.at_end());
  }
}

TEST_CASE("a read past the end fails and stays failed") {
  Reader reader("\x01");
  CHECK_EQ(reader.i32(), 0);
  CHECK(!reader.ok());
  CHECK_EQ(reader.u8(), 0);
  CHECK(!reader.at_end());
}

TEST_CASE("a varint that never ends or does not fit fails") {
  Reader endless(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12));
  endless.uvarint();
  CHECK(!endless.ok());
  Reader wide(std::string_view("\xff\xff\xff\xff\x7f", 5));
  wide.uvarint32();
  CHECK(!wide.ok());
}

}  // namespace tandem::bytes
