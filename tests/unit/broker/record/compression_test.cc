#include "broker/record/compression.h"

#include <doctest/doctest.h>

#include "broker/record/batch.h"
#include "broker/record/builder.h"

using namespace tandem::broker::record;
using tandem::base::Errc;

namespace {

std::string sample(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; out.size() < size; ++i) out += "line " + std::to_string(i * i) + "\n";
  out.resize(size);
  return out;
}

constexpr Codec kCodecs[] = {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd};

}  // namespace

TEST_CASE("every codec returns what it was given, empty and large, in both LZ4 dialects") {
  for (const Codec codec : kCodecs) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{32768}, std::size_t{300000}}) {
      for (const std::int8_t magic : {0, 1, 2}) {
        const std::string plain = sample(size);
        const auto packed = compress(codec, plain, magic);
        REQUIRE(packed.has_value());
        const auto again = decompress(codec, *packed, magic, size + 1);
        REQUIRE(again.has_value());
        CHECK(*again == plain);
      }
    }
  }
}

TEST_CASE("XXH32 gives the published values") {
  CHECK(xxh32("") == 0x02cc5d05);
  CHECK(xxh32("abc") == 0x32d153ff);
  CHECK(xxh32("Nobody inspects the spammish repetition") == 0xe2293b2f);
}

TEST_CASE(
    "the header checksum of an LZ4 frame differs in magic 0 and a wrong one is refused from magic 1 on") {
  const std::string plain = sample(1000);
  const std::string old = *compress(Codec::lz4, plain, 0);
  const std::string now = *compress(Codec::lz4, plain, 1);
  CHECK(old[6] != now[6]);
  CHECK(*decompress(Codec::lz4, now, 0, 2000) == plain);
  CHECK(!decompress(Codec::lz4, old, 1, 2000).has_value());
}

TEST_CASE("raw snappy without the block framing is read") {
  // "hello hello hello" as one raw snappy block: length 17, a literal of 6, a copy of 11 from 6 back.
  const std::string raw("\x11\x14hello \x1d\x06", 10);
  const auto plain = decompress(Codec::snappy, raw, 2, 100);
  REQUIRE(plain.has_value());
  CHECK(*plain == "hello hello hello");
}

TEST_CASE("data that expands beyond the limit is cut off") {
  const std::string zeros(8 << 20, '\0');
  for (const Codec codec : kCodecs) {
    const auto refused = decompress(codec, *compress(codec, zeros, 2), 2, 1 << 20);
    REQUIRE(!refused.has_value());
    CHECK(refused.error().code == Errc::limit_exceeded);
  }
}

TEST_CASE("a cut or flipped stream is an error and never more than its data") {
  const std::string plain = sample(5000);
  for (const Codec codec : kCodecs) {
    const std::string packed = *compress(codec, plain, 2);
    for (std::size_t cut = 0; cut < packed.size(); cut += 7) {
      const auto part = decompress(codec, std::string_view(packed).substr(0, cut), 2, 10000);
      if (part) CHECK(part->size() <= plain.size());
    }
    for (std::size_t at = 0; at < packed.size(); at += 3) {
      std::string bad = packed;
      bad[at] = static_cast<char>(bad[at] ^ 0x41);
      const auto result = decompress(codec, bad, 2, 100000);
      if (result) CHECK(result->size() <= 100000);
    }
  }
}

TEST_CASE("a snappy block that claims more than its bytes can encode is refused before memory is taken") {
  const auto refused = decompress(Codec::snappy, std::string("\xff\xff\xff\x7f\x00", 5), 2, 1 << 20);
  CHECK(!refused.has_value());
}
