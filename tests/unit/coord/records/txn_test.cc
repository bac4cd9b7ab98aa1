#include "coord/records/txn.h"

#include <doctest/doctest.h>

#include "base/random.h"
#include "jute/codec.h"

using namespace tandem;
using namespace tandem::coord::records;

namespace {

template <class R>
Txn random_body(base::Random& random) {
  R record{};
  jute::Randomizer randomizer(random);
  record.describe(randomizer);
  return record;
}

// Paths are never empty on disk.
Txn random_close_session(base::Random& random) {
  Txn body = random_body<CloseSessionTxn>(random);
  for (std::string& path : std::get<CloseSessionTxn>(body).paths_to_delete) path.push_back('/');
  return body;
}

struct Row {
  OpCode type;
  Txn (*make)(base::Random&);
};

const Row kRows[] = {
    {OpCode::create, random_body<CreateTxn>},
    {OpCode::create2, random_body<CreateTxn>},
    {OpCode::create_container, random_body<CreateContainerTxn>},
    {OpCode::create_ttl, random_body<CreateTTLTxn>},
    {OpCode::remove, random_body<DeleteTxn>},
    {OpCode::delete_container, random_body<DeleteTxn>},
    {OpCode::set_data, random_body<SetDataTxn>},
    {OpCode::reconfig, random_body<SetDataTxn>},
    {OpCode::set_acl, random_body<SetACLTxn>},
    {OpCode::check, random_body<CheckVersionTxn>},
    {OpCode::multi, random_body<MultiTxn>},
    {OpCode::create_session, random_body<CreateSessionTxn>},
    {OpCode::close_session, random_close_session},
    {OpCode::error, random_body<ErrorTxn>},
};

TxnHeader header_of(OpCode type) {
  return {.client_id = SessionId(0x1234),
          .cxid = 7,
          .zxid = Zxid(0x100000005),
          .time = 1'700'000'000'123,
          .type = type};
}

}  // namespace

TEST_CASE("every transaction type comes back from its bytes, with and without a digest") {
  base::Random random(11);
  for (int round = 0; round < 200; ++round) {
    for (const Row& row : kRows) {
      const LoggedTxn with{header_of(row.type), row.make(random), TxnDigest{2, 0x0123456789abcdef}};
      std::string bytes;
      encode_payload(bytes, with.header, with.body, &*with.digest);
      auto back = decode_payload(bytes);
      REQUIRE(back.has_value());
      CHECK(bool(*back == with));

      bytes.resize(bytes.size() - 12);
      back = decode_payload(bytes);
      REQUIRE(back.has_value());
      CHECK_FALSE(back->digest.has_value());
      CHECK(bool(back->body == with.body));
    }
  }
}

TEST_CASE("a create without parentCVersion is read as the old form") {
  std::string bytes;
  jute::encode(bytes, header_of(OpCode::create));
  CreateTxn create{
      .path = "/a", .data = "x", .acl = jute::open_acl(), .ephemeral = true, .parent_cversion = 4};
  jute::Encoder encoder(bytes);
  create.describe_v0(encoder);
  const auto back = decode_payload(bytes);
  REQUIRE(back.has_value());
  create.parent_cversion = -1;
  CHECK(bool(back->body == Txn(create)));
}

TEST_CASE("a closeSession without a body is told from one with an empty list") {
  std::string bytes;
  jute::encode(bytes, header_of(OpCode::close_session));
  auto back = decode_payload(bytes);
  REQUIRE(back.has_value());
  CHECK_FALSE(std::get<CloseSessionTxn>(back->body).listed);

  const TxnDigest digest{2, 99};
  jute::encode(bytes, digest);
  back = decode_payload(bytes);
  REQUIRE(back.has_value());
  CHECK_FALSE(std::get<CloseSessionTxn>(back->body).listed);
  CHECK(bool(back->digest == digest));

  std::string listed;
  encode_payload(listed, header_of(OpCode::close_session), CloseSessionTxn{}, nullptr);
  back = decode_payload(listed);
  REQUIRE(back.has_value());
  CHECK(std::get<CloseSessionTxn>(back->body).listed);
}

TEST_CASE("unknown types and cut bytes are errors") {
  std::string bytes;
  jute::encode(bytes, header_of(OpCode::get_data));
  CHECK(bool(decode_payload(bytes).error().code == base::Errc::unsupported));

  std::string set;
  encode_payload(set, header_of(OpCode::set_data), SetDataTxn{.path = "/p", .data = "d", .version = 3},
                 nullptr);
  for (std::size_t size = 0; size < set.size(); ++size)
    CHECK(decode_payload(std::string_view(set).substr(0, size)).error().code == base::Errc::corrupt);
}

TEST_CASE("the body of a multi's operation is read by its own type") {
  const CreateTxn create{
      .path = "/a", .data = std::nullopt, .acl = {}, .ephemeral = false, .parent_cversion = 1};
  const std::string bytes = encoded_body(create);
  std::string_view rest = "x";
  const auto body = decode_body(OpCode::create, bytes, &rest);
  REQUIRE(body.has_value());
  CHECK(bool(*body == Txn(create)));
  CHECK(rest.empty());
}
