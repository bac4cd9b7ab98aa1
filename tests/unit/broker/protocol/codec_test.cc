// The rules of the wire that every message shares.
#include <doctest/doctest.h>

#include "base/random.h"
#include "broker/protocol/header.h"
#include "broker/protocol/messages/api_versions.h"
#include "broker/protocol/messages/controlled_shutdown.h"
#include "broker/protocol/messages/fetch.h"
#include "broker/protocol/messages/heartbeat.h"
#include "broker/protocol/messages/metadata.h"
#include "broker/protocol/messages/produce.h"
#include "broker/protocol/messages/sasl_authenticate.h"
#include "broker/protocol/printer.h"

namespace tandem::broker::protocol {
namespace {

using std::string_literals::operator""s;

bytes::Slice without_size(const std::string& wire) { return bytes::Slice::own(wire.substr(kSizeBytes)); }

TEST_CASE("a request's header gives api, version, correlation and client") {
  HeartbeatRequest heartbeat{.group_id = "g", .generation_id = 3, .member_id = "m"};
  for (std::int16_t version = 0; version <= HeartbeatRequest::kVersionMax; ++version) {
    const std::string wire = encode_request(version, 77, "me", heartbeat);
    const auto request = read_request(without_size(wire));
    REQUIRE(request.has_value());
    CHECK(request->api->key == ApiKey::heartbeat);
    CHECK(request->version == version);
    CHECK(request->correlation_id == 77);
    CHECK(request->client_id == "me");
    HeartbeatRequest read;
    REQUIRE(decode_into(read, *request).has_value());
    CHECK(read == heartbeat);
  }
}

TEST_CASE("ControlledShutdown v0 has no client id in its header") {
  const std::string wire = encode_request(0, 5, "ignored", ControlledShutdownRequest{.broker_id = 9});
  CHECK(wire == "\0\0\0\x0c\0\x07\0\0\0\0\0\x05\0\0\0\x09"s);
  const auto request = read_request(without_size(wire));
  REQUIRE(request.has_value());
  CHECK(request->client_id.empty());
}

TEST_CASE("an ApiVersions response has the first header in every version") {
  const ApiVersionsResponse response{};
  std::string wire;
  append_response(wire, 3, 0x01020304, response);
  CHECK(wire.substr(4, 4) == "\x01\x02\x03\x04"s);
  CHECK(wire.substr(8, 2) == "\0\0"s);  // the error code follows at once
}

TEST_CASE("an unknown version ends the connection, but of ApiVersions it is answered") {
  const auto api_versions = read_request(bytes::Slice::own("\0\x12\0\x63\0\0\0\x01\0\x01x\0"s));
  REQUIRE(api_versions.has_value());
  CHECK_FALSE(api_versions->version_known);
  CHECK_FALSE(read_request(bytes::Slice::own("\0\0\0\x63\0\0\0\x01\0\x01x\0"s)).has_value());
  CHECK_FALSE(read_request(bytes::Slice::own("\x7f\xff\0\0\0\0\0\x01\0\x01x"s)).has_value());
  CHECK_FALSE(read_request(bytes::Slice::own("\0\0"s)).has_value());
}

TEST_CASE("an array longer than the bytes there is refused before anything is allocated") {
  for (const std::string& wire : {"\x7f\xff\xff\xff"s,
                                  "\0\0\0\x02\0\x01"
                                  "a"s,
                                  "\xff\xff\xff\xfe"s}) {
    const auto request = decode<MetadataRequest>(bytes::Slice::own(wire), 0);
    CHECK_FALSE(request.has_value());
  }
}

TEST_CASE("null is refused where the version does not allow it") {
  CHECK_FALSE(decode<MetadataRequest>(bytes::Slice::own("\xff\xff\xff\xff"s), 0).has_value());
  const auto all = decode<MetadataRequest>(bytes::Slice::own("\xff\xff\xff\xff"s), 1);
  REQUIRE(all.has_value());
  CHECK_FALSE(all->topics.has_value());
}

TEST_CASE("unknown tagged fields are skipped and tags must ascend") {
  const HeartbeatRequest heartbeat{.group_id = "g", .generation_id = 3, .member_id = "m"};
  const std::string wire = encode(heartbeat, 4);
  const std::string body = wire.substr(0, wire.size() - 1);
  const auto with_unknown = decode<HeartbeatRequest>(bytes::Slice::own(body + "\x02\x05\x01x\x09\x02yz"s), 4);
  REQUIRE(with_unknown.has_value());
  CHECK(*with_unknown == heartbeat);
  CHECK_FALSE(decode<HeartbeatRequest>(bytes::Slice::own(body + "\x02\x09\x01x\x05\x02yz"s), 4).has_value());
  CHECK_FALSE(decode<HeartbeatRequest>(bytes::Slice::own(body + "\x01\x05\x7fx"s), 4).has_value());
}

TEST_CASE("a tagged field is written only when it says something") {
  FetchRequest quiet;
  FetchRequest spoken;
  spoken.cluster_id = "c";
  CHECK(encode(spoken, 12).size() == encode(quiet, 12).size() + 4);
  const auto read = decode<FetchRequest>(bytes::Slice::own(encode(spoken, 12)), 12);
  REQUIRE(read.has_value());
  CHECK(read->cluster_id == "c");
}

TEST_CASE("records become slices of the frame, not copies") {
  ProduceRequest produce;
  produce.topic_data.resize(1);
  produce.topic_data[0].partition_data.resize(1);
  produce.topic_data[0].partition_data[0].records = Records(bytes::Slice::own(std::string(5000, 'r')));
  const auto frame = bytes::Slice::own(encode(produce, 9));
  const auto read = decode<ProduceRequest>(frame, 9);
  REQUIRE(read.has_value());
  const bytes::Slice records = read->topic_data[0].partition_data[0].records.slice();
  CHECK(records.size() == 5000);
  CHECK(records.data() >= frame.data());
  CHECK(records.data() < frame.data() + frame.size());
}

TEST_CASE("a fetch response links file ranges and counts them in its size") {
  FetchResponse response;
  response.responses.resize(1);
  response.responses[0].topic = "t";
  response.responses[0].partitions.resize(2);
  response.responses[0].partitions[0].records = Records(bytes::FileRange{nullptr, 3, 100, 4096});
  for (const std::int16_t version : {std::int16_t{4}, std::int16_t{12}}) {
    const bytes::Chain chain = encode_response(version, 1, response);
    REQUIRE(chain.pieces().size() == 3);
    CHECK(std::get<bytes::FileRange>(chain.pieces()[1]).size == 4096);
    bytes::Reader size(std::get<std::string>(chain.pieces()[0]));
    CHECK(static_cast<std::uint64_t>(size.i32()) + kSizeBytes == chain.size());
  }
}

TEST_CASE("secrets are not printed") {
  const SaslAuthenticateRequest request{.auth_bytes = Bytes{"password"}};
  CHECK(print(request, 2).find("password") == std::string::npos);
}

TEST_CASE("an id's text is that of Kafka") {
  base::Random random(1);
  for (int i = 0; i < 100; ++i) {
    const Uuid id = Uuid::random(random);
    CHECK(Uuid::parse(id.to_string()) == id);
  }
  CHECK(Uuid{}.to_string() == "AAAAAAAAAAAAAAAAAAAAAA");
  // java.util.UUID 00010203-0405-0607-0809-0a0b0c0d0e0f in Kafka's spelling.
  Uuid ascending;
  for (std::uint8_t i = 0; i < 16; ++i) ascending.bytes[i] = i;
  CHECK(ascending.to_string() == "AAECAwQFBgcICQoLDA0ODw");
  CHECK_FALSE(Uuid::parse("short").has_value());
}

}  // namespace
}  // namespace tandem::broker::protocol
