#include "jute/codec.h"

#include <doctest/doctest.h>

#include <string>

#include "jute/proto.h"

namespace tandem::jute {

namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<std::uint8_t>(c));
  return out;
}

// Encoding what was decoded from the encoding of random values gives the same bytes, and a cut encoding is
// refused.
template <class R>
void check_round_trip(base::Random& random) {
  for (int i = 0; i < 50; ++i) {
    R record{};
    Randomizer randomizer(random);
    record.describe(randomizer);
    const std::string bytes = encoded(record);
    const auto back = decoded<R>(bytes);
    REQUIRE(back.has_value());
    CHECK_EQ(encoded(*back), bytes);
    CHECK_GE(bytes.size(), min_wire_size<R>());
    if (!bytes.empty() && bytes.size() > min_wire_size<R>())
      CHECK_FALSE(decoded<R>(std::string_view(bytes).substr(0, min_wire_size<R>() - 1)).has_value());
  }
}

template <class... R>
void check_all(base::Random& random) {
  (check_round_trip<R>(random), ...);
}

}  // namespace

TEST_CASE("a connect request is 44 bytes as a 3.3 client sends it and 45 with the read-only flag") {
  ConnectRequest request;
  request.timeout_ms = 30000;
  request.passwd = std::string(kPasswordBytes, '\0');
  CHECK_EQ(hex(encoded(request)),
           "00000000"
           "0000000000000000"
           "00007530"
           "0000000000000000"
           "00000010"
           "00000000000000000000000000000000"
           "00");
  request.has_read_only = false;
  const std::string old = encoded(request);
  CHECK_EQ(old.size(), 44);
  const auto back = decoded<ConnectRequest>(old);
  REQUIRE(back.has_value());
  CHECK_FALSE(back->has_read_only);
  CHECK_FALSE(back->read_only);
}

TEST_CASE("a create request has the bytes that kazoo sends") {
  CreateRequest request{"/a", std::string("xy"), open_acl(), 1};
  CHECK_EQ(hex(encoded(request)),
           "000000022f61"
           "000000027879"
           "00000001"
           "0000001f"
           "00000005776f726c64"
           "00000006616e796f6e65"
           "00000001");
}

TEST_CASE("null data is not empty data") {
  const auto null = decoded<SetDataRequest>(encoded(SetDataRequest{"/a", std::nullopt, -1}));
  const auto empty = decoded<SetDataRequest>(encoded(SetDataRequest{"/a", std::string(), -1}));
  CHECK_FALSE(null->data.has_value());
  CHECK(empty->data.has_value());
}

TEST_CASE("a view points into the frame") {
  const std::string frame = encoded(SetDataRequest{"/path", std::string("data"), 7});
  const auto view = decoded<SetDataRequestView>(frame);
  REQUIRE(view.has_value());
  CHECK_EQ(view->path, "/path");
  CHECK_EQ(*view->data, "data");
  CHECK_EQ(view->version, 7);
  CHECK_EQ(view->path.data(), frame.data() + 4);
  CHECK_EQ(encoded(*view), frame);
}

TEST_CASE("a count larger than the bytes can hold is refused before memory is taken") {
  std::string bytes;
  bytes::Writer writer(bytes);
  writer.i32(0x7fffffff);
  writer.i64(0);
  CHECK_FALSE(decoded<GetChildrenResponse>(bytes).has_value());
  std::string negative_count;
  bytes::Writer(negative_count).i32(-1);
  CHECK(decoded<GetChildrenResponse>(negative_count)->children.empty());
  std::string negative_length;
  bytes::Writer(negative_length).i32(-2);
  CHECK_FALSE(decoded<SyncRequest>(negative_length).has_value());
}

TEST_CASE("Stat is 68 bytes on the wire and 60 in a snapshot") {
  CHECK_EQ(encoded(Stat{}).size(), 68);
  CHECK_EQ(encoded(StatPersisted{}).size(), 60);
}

TEST_CASE("all records survive decode and encode") {
  base::Random random(4711);
  check_all<Id, ACL, Stat, StatPersisted, RequestHeader, ReplyHeader, ConnectRequest, ConnectResponse,
            WatcherEvent, AuthPacket, GetSASLRequest, SetSASLResponse, MultiHeader, ErrorResponse>(random);
  check_all<CreateRequest, CreateTTLRequest, CreateResponse, Create2Response, DeleteRequest,
            DeleteContainerRequest, CheckVersionRequest, PathWatchRequest, ExistsResponse, GetDataResponse,
            SetDataRequest, SetDataResponse, GetChildrenResponse, GetChildren2Response, GetACLRequest,
            GetACLResponse, SetACLRequest, SetACLResponse, SyncRequest, SyncResponse>(random);
  check_all<ReconfigRequest, SetWatches, SetWatches2, AddWatchRequest, CheckWatchesRequest,
            RemoveWatchesRequest, GetEphemeralsRequest, GetEphemeralsResponse, GetAllChildrenNumberRequest,
            GetAllChildrenNumberResponse, ClientInfo, WhoAmIResponse>(random);
}

TEST_CASE("the printer names the fields") {
  CHECK_EQ(printed(SetDataRequest{"/a", std::string("x\n"), 3}), "{path=\"/a\" data=\"x\\x0a\" version=3}");
  CHECK_EQ(printed(GetACLResponse{{ACL{31, {"world", "anyone"}}}, {}}).substr(0, 57),
           "{acl=[{perms=31 id={scheme=\"world\" id=\"anyone\"}}] stat={c");
}

}  // namespace tandem::jute
