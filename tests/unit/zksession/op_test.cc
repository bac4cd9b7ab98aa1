#include "zksession/op.h"

#include <doctest/doctest.h>

#include "jute/codec.h"
#include "jute/proto.h"

namespace tandem::zksession {

TEST_CASE("the mode of a create chooses the operation on the wire") {
  CHECK_EQ(wire_code(Op::create("/a")), OpCode::create2);
  CHECK_EQ(wire_code(Op::create("/a", "", jute::CreateMode::container)), OpCode::create_container);
  CHECK_EQ(wire_code(Op::create("/a", "", jute::CreateMode::persistent_with_ttl, {}, 5)), OpCode::create_ttl);
}

TEST_CASE("the chroot is added to every path and taken away again") {
  const Chroot chroot("/kafka");
  std::string body;
  encode_body(Op::multi({Op::create("/a"), Op::check("/")}), chroot, body);
  CHECK_NE(body.find("/kafka/a"), std::string::npos);
  const auto reply =
      decode_reply(Op::create("/a"), chroot, jute::encoded(jute::Create2Response{"/kafka/a", {}}));
  CHECK_EQ(reply.path, "/a");
  CHECK_EQ(chroot.to_client("/kafka"), "/");
}

TEST_CASE("a multi that failed says which part and why") {
  const Op op = Op::multi({Op::create("/a"), Op::remove("/b"), Op::check("/c")});
  std::string body;
  for (const ErrorCode error : {ErrorCode::ok, ErrorCode::no_node, ErrorCode::runtime_inconsistency}) {
    jute::encode(body, jute::MultiHeader{OpCode::error, false, error});
    jute::encode(body, jute::ErrorResponse{error});
  }
  jute::encode(body, jute::MultiHeader{OpCode::error, true, ErrorCode{-1}});
  const OpResult result = decode_reply(op, Chroot(), body);
  CHECK_EQ(result.error, ErrorCode::no_node);
  CHECK_EQ(result.path, "/b");
  REQUIRE_EQ(result.results.size(), 3);
  CHECK(result.results[0].ok());
  CHECK_EQ(result.results[2].error, ErrorCode::runtime_inconsistency);
}

TEST_CASE("a reply that is cut or has a part too many is a marshalling error") {
  CHECK_EQ(decode_reply(Op::exists("/a"), Chroot(), "abc").error, ErrorCode::marshalling_error);
  std::string body;
  for (int i = 0; i < 2; ++i) jute::encode(body, jute::MultiHeader{OpCode::remove, false, ErrorCode::ok});
  jute::encode(body, jute::MultiHeader{OpCode::error, true, ErrorCode{-1}});
  CHECK_EQ(decode_reply(Op::multi({Op::remove("/a")}), Chroot(), body).error, ErrorCode::marshalling_error);
}

}  // namespace tandem::zksession
