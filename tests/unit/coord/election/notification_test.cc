#include "coord/election/notification.h"

#include <doctest/doctest.h>

namespace tandem::coord::election {

namespace {

constexpr std::string_view kConfig = "server.1=a:1:2:participant\nversion=0";

Notification sample() {
  return {Vote{ServerId(3), Zxid(0x200000005), 2, 7, ServerState::following, 2}, std::string(kConfig)};
}

}  // namespace

TEST_CASE("a notification is written in version 2 with the ensemble's text") {
  const std::string bytes = encode(sample());
  CHECK(bytes.size() == 44 + kConfig.size());
  CHECK(bytes.substr(0, 44) == std::string("\0\0\0\1"
                                           "\0\0\0\0\0\0\0\3"
                                           "\0\0\0\2\0\0\0\5"
                                           "\0\0\0\0\0\0\0\7"
                                           "\0\0\0\0\0\0\0\2"
                                           "\0\0\0\2"
                                           "\0\0\0\x24",
                                           44));
  CHECK(decode_notification(bytes).value() == sample());
}

TEST_CASE("notifications of older servers are read") {
  const std::string bytes = encode(sample());
  Notification expected = sample();
  expected.config.clear();
  expected.vote.version = 0;
  CHECK(decode_notification(bytes.substr(0, 28)).value() == expected);  // the epoch is that of the zxid
  CHECK(decode_notification(bytes.substr(0, 40)).value() == expected);
  std::string version_1 = bytes.substr(0, 44);
  version_1[39] = 1;
  expected.vote.version = 1;
  CHECK(decode_notification(version_1).value() == expected);
}

TEST_CASE("a notification that is cut short or has wrong lengths is refused") {
  const std::string bytes = encode(sample());
  for (const std::size_t size : {0, 4, 27, 29, 36, 39, 41, 43, 44, 60})
    CHECK_FALSE(decode_notification(bytes.substr(0, size)).has_value());
  std::string negative = bytes;
  negative[40] = '\x80';
  CHECK_FALSE(decode_notification(negative).has_value());
  std::string huge = bytes;
  huge[40] = '\x7f';
  CHECK_FALSE(decode_notification(huge).has_value());
  std::string state = bytes;
  state[3] = 4;
  CHECK_FALSE(decode_notification(state).has_value());
}

}  // namespace tandem::coord::election
