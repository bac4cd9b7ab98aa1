#include "coord/quorum/config.h"

#include <doctest/doctest.h>

#include <fmt/core.h>

namespace tandem::coord::quorum {

TEST_CASE("the text of an ensemble is read and printed without a change") {
  const char* const texts[] = {
      "server.1=127.0.0.1:2888:3888:participant\n"
      "server.2=127.0.0.1:2889:3889:participant;0.0.0.0:2182\n"
      "server.3=127.0.0.1:2890:3890:observer\n"
      "version=100000000",
      "server.0=a:1:2|b:3:4:participant\nversion=0",
      "server.1=a:1:2:participant\nserver.2=b:1:2:participant\nserver.3=c:1:2:participant\n"
      "group.1=1:2\ngroup.2=3\nweight.1=1\nweight.2=0\nweight.3=5\nversion=ffffffffff",
      "version=0",
  };
  for (const char* text : texts) {
    const auto config = QuorumConfig::parse(text);
    REQUIRE(config.has_value());
    CHECK(config->text() == text);
  }
}

TEST_CASE("members come in the order of a Java hash map") {
  std::string text;
  for (const int id : {1, 2, 16, 17, 33, 100}) text += fmt::format("server.{}=h:1:2\n", id);
  const auto config = QuorumConfig::parse(text);
  REQUIRE(config.has_value());
  const std::string printed = config->text();
  std::string order;
  for (std::size_t at = 0; (at = printed.find("server.", at)) != std::string::npos; at += 7)
    order += printed.substr(at + 7, printed.find('=', at) - at - 7) + " ";
  CHECK(order == "16 1 17 33 2 100 ");
}

TEST_CASE("roles, weights and version are what the lines say") {
  const auto config = QuorumConfig::parse(
      "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2:observer\ngroup.7=1:2\nweight.2=4\nversion=1f");
  REQUIRE(config.has_value());
  CHECK(config->version() == 0x1f);
  CHECK(config->is_voter(ServerId(1)));
  CHECK_FALSE(config->is_voter(ServerId(3)));
  CHECK(config->verifier().weight(ServerId(2)) == 4);
  CHECK(config->contains_quorum({ServerId(2)}));
  CHECK_FALSE(config->contains_quorum({ServerId(1)}));
  CHECK(config->find(ServerId(3))->role == Role::observer);
  CHECK(config->find(ServerId(4)) == nullptr);
}

TEST_CASE("what is not an ensemble is refused with the line") {
  const char* const texts[] = {
      "server.x=a:1:2",
      "server.1=a",
      "version=xyz",
      "tickTime=2000",
      "group.1=1:x",
      "weight.1=-1",
      "server=a:1:2",
      "server.1=a:1:2\nserver.2=b:1:2\ngroup.1=1",             // 2 is in no group
      "server.1=a:1:2\ngroup.1=1\ngroup.2=1",                  // 1 is in two
      "server.1=a:1:2\nserver.2=a:3:4:observer\ngroup.1=1:2",  // 2 does not vote
  };
  for (const char* text : texts) CHECK_MESSAGE(!QuorumConfig::parse(text).has_value(), text);
  CHECK(QuorumConfig::parse("server.1=a:1:2\nserver.2=a:2:2").error().context ==
        "ensemble line 2: server.2=a:2:2: 'a:2:2' names port 2 for learners and for elections, which must "
        "differ");
}

TEST_CASE("a client address from zoo.cfg is known but never printed") {
  auto config = *QuorumConfig::parse("server.1=a:1:2\nserver.2=b:1:2;2181");
  config.set_static_client(ServerId(1), {"0.0.0.0", 2181});
  config.set_static_client(ServerId(2), {"10.0.0.1", 9999});
  CHECK(config.find(ServerId(1))->client == HostPort{"0.0.0.0", 2181});
  CHECK(config.find(ServerId(2))->client == HostPort{"0.0.0.0", 2181});
  CHECK(config.text() == "server.1=a:1:2:participant\nserver.2=b:1:2:participant;0.0.0.0:2181\nversion=0");
}

TEST_CASE("configurations have the same members whatever their version is") {
  const auto one = *QuorumConfig::parse("server.1=a:1:2\nserver.2=b:1:2\nversion=0");
  const auto later = *QuorumConfig::parse("server.2=b:1:2\nserver.1=a:1:2\nversion=100000000");
  const auto moved = *QuorumConfig::parse("server.1=a:1:2\nserver.2=c:1:2\nversion=0");
  CHECK(one.same_members(later));
  CHECK_FALSE(one.same_members(moved));
}

}  // namespace tandem::coord::quorum
