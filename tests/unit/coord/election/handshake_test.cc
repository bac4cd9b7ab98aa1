#include "coord/election/handshake.h"

#include <doctest/doctest.h>

namespace tandem::coord::election {

using quorum::ServerId;

namespace {

std::string v1(std::string_view address) {
  std::string bytes("\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\3\0\0\0", 19);
  bytes += static_cast<char>(address.size());
  return bytes.append(address);
}

}  // namespace

TEST_CASE("both versions of the handshake are written as Apache writes them") {
  CHECK(encode(Handshake{ServerId(3), HandshakeVersion::v1, {{"zoo3", 3888}}}) == v1("zoo3:3888"));
  const std::string several =
      encode(Handshake{ServerId(3), HandshakeVersion::v2, {{"a", 1}, {"0:0:0:0:0:0:0:1", 2}}});
  CHECK(several.substr(0, 8) == std::string("\xff\xff\xff\xff\xff\xff\0\1", 8));
  CHECK(several.substr(20) == "a:1|[0:0:0:0:0:0:0:1]:2");
}

TEST_CASE("a handshake is read in any version, and wildcard addresses are left out") {
  const Handshake one{ServerId(3), HandshakeVersion::v1, {{"zoo3", 3888}}};
  CHECK(decode_handshake(v1("zoo3:3888")).value() == one);
  CHECK(decode_handshake(v1("0.0.0.0:3888")).value().addresses.empty());
  CHECK(decode_handshake(v1("[::]:3888")).value().addresses.empty());
  const Handshake two{ServerId(1), HandshakeVersion::v2, {{"a", 1}, {"b", 2}}};
  CHECK(decode_handshake(encode(two)).value() == two);
  const auto legacy = decode_handshake(std::string_view("\0\0\0\0\0\0\0\7", 8));
  CHECK(legacy.value() == Handshake{ServerId(7), HandshakeVersion::legacy, {}});
}

TEST_CASE("the size of a handshake is known from its first bytes") {
  const std::string bytes = v1("zoo3:3888");
  CHECK(handshake_size(bytes.substr(0, 7)).value() == 0);
  CHECK(handshake_size(bytes.substr(0, 19)).value() == 0);
  CHECK(handshake_size(bytes.substr(0, 20)).value() == bytes.size());
  CHECK(handshake_size(std::string_view("\0\0\0\0\0\0\0\1rest", 12)).value() == 8);
}

TEST_CASE("what is no handshake is refused before anything is kept for it") {
  std::string unknown = v1("a:1");
  unknown[7] = 2;
  CHECK_FALSE(handshake_size(unknown).has_value());
  std::string huge = v1("a:1");
  huge[17] = 9;  // 2 304 bytes
  CHECK_FALSE(handshake_size(huge).has_value());
  huge[16] = '\x80';
  CHECK_FALSE(handshake_size(huge).has_value());
  std::string empty = v1("");
  CHECK_FALSE(handshake_size(empty).has_value());
  for (const char* address : {"a", "a:b", "a:1:2", "[::1", "a:99999"})
    CHECK_FALSE(decode_handshake(v1(address)).has_value());
  CHECK_FALSE(decode_handshake(v1("a:1").substr(0, 21)).has_value());
}

}  // namespace tandem::coord::election
