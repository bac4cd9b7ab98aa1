// Every message in every version: what is encoded decodes to the same, and what is cut or mutated never does
// harm. The truth of the shapes comes from recorded frames (golden_test.cc), not from here.
#include <doctest/doctest.h>

#include "base/random.h"
#include "broker/protocol/apis.h"
#include "broker/protocol/decoder.h"
#include "broker/protocol/messages/consumer_protocol.h"
#include "broker/protocol/messages/group_records.h"
#include "broker/protocol/printer.h"
#include "broker/protocol/randomizer.h"
#include "broker/protocol/versioned.h"
#include "encoded.h"

namespace tandem::broker::protocol {
namespace {

using Make = std::unique_ptr<AnyMessage> (*)();

std::string printed(AnyMessage& message, std::int16_t version) {
  std::string out;
  Printer printer(out, version);
  message.walk(printer);
  return out;
}

template <class Body>
void for_each_message_and_version(Body body) {
  for (const Api& api : all_apis())
    for (std::int16_t version = 0; version <= api.version_max; ++version)
      for (const Make make : {api.make_request, api.make_response}) {
        CAPTURE(api.name);
        CAPTURE(version);
        body(make, version, api.flexible(version));
      }
}

TEST_CASE("every message in every version survives encoding and decoding") {
  base::Random random(20240611);
  for_each_message_and_version([&](Make make, std::int16_t version, bool flexible) {
    for (int i = 0; i < 10; ++i) {
      const auto message = make();
      Randomizer randomizer(random, version, flexible);
      message->walk(randomizer);
      const std::string wire = encoded(*message, version, flexible);

      const auto copy = make();
      Decoder decoder(bytes::Slice::own(wire), version, flexible);
      copy->walk(decoder);
      REQUIRE_MESSAGE(decoder.status().has_value(), decoder.status().error().context);
      CHECK(decoder.remaining() == 0);
      CHECK(printed(*copy, version) == printed(*message, version));
      CHECK(encoded(*copy, version, flexible) == wire);
    }
  });
}

TEST_CASE("a message cut anywhere is refused or shorter, never read past its end") {
  base::Random random(7);
  for_each_message_and_version([&](Make make, std::int16_t version, bool flexible) {
    const auto message = make();
    Randomizer randomizer(random, version, flexible);
    message->walk(randomizer);
    const std::string wire = encoded(*message, version, flexible);
    for (int i = 0; i < 5 && !wire.empty(); ++i) {
      const auto copy = make();
      Decoder decoder(bytes::Slice::own(wire.substr(0, random.below(wire.size()))), version, flexible);
      copy->walk(decoder);
      CHECK_FALSE(decoder.status().has_value());
    }
  });
}

TEST_CASE("random bytes never crash a decoder") {
  base::Random random(11);
  for_each_message_and_version([&](Make make, std::int16_t version, bool flexible) {
    for (int i = 0; i < 5; ++i) {
      std::string noise(random.below(200), '\0');
      for (char& c : noise) c = static_cast<char>(random.chance(0.6) ? random.below(4) : random.next());
      const auto message = make();
      Decoder decoder(bytes::Slice::own(noise), version, flexible);
      message->walk(decoder);
      static_cast<void>(decoder.status());
    }
  });
}

template <class M>
void check_versioned(base::Random& random) {
  for (std::int16_t version = M::kVersionMin; version <= M::kVersionMax; ++version) {
    M message;
    Randomizer randomizer(random, version, version >= M::kFlexibleSince);
    randomizer.walk(message);
    const auto copy = decode_versioned<M>(bytes::Slice::own(encode_versioned(message, version)));
    REQUIRE(copy.has_value());
    CHECK(print(*copy, version) == print(message, version));
  }
  const auto newer = decode_versioned<M>(bytes::Slice::own(std::string("\x00\x63", 2)));
  CHECK_FALSE(newer.has_value());
}

TEST_CASE("records of the group log and the consumer protocol survive encoding with their version in front") {
  base::Random random(3);
  check_versioned<OffsetCommitKey>(random);
  check_versioned<OffsetCommitValue>(random);
  check_versioned<GroupMetadataKey>(random);
  check_versioned<GroupMetadataValue>(random);
  check_versioned<ConsumerProtocolSubscription>(random);
  check_versioned<ConsumerProtocolAssignment>(random);
}

}  // namespace
}  // namespace tandem::broker::protocol
