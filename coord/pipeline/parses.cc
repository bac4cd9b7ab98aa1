// What a learner looks at before it forwards a write: a leader that cannot read a request makes no
// transaction of it, and everything behind it on that learner would wait for ever.
#include "coord/pipeline/prepare.h"
#include "coord/pipeline/preparing.h"
#include "coord/pipeline/wire.h"
#include "jute/codec.h"

namespace tandem::coord::pipeline {

using jute::OpCode;

bool Preparer::parses(OpCode type, std::string_view bytes) {
  bytes::Reader body(bytes);
  switch (type) {
    case OpCode::create:
    case OpCode::create2:
    case OpCode::create_container:
    case OpCode::create_ttl: {
      CreateOp op;
      op.read(type, body, kNullLength);
      return body.ok();
    }
    case OpCode::remove:
    case OpCode::check:
    case OpCode::delete_container:
      take_buffer(body);
      if (type != OpCode::delete_container) body.i32();
      return body.ok();
    case OpCode::set_data:
      take_buffer(body);
      take_buffer(body);
      body.i32();
      return body.ok();
    case OpCode::set_acl: {
      jute::SetACLRequest request;
      jute::decode(body, request);
      return body.ok();
    }
    case OpCode::reconfig: {
      jute::ReconfigRequest request;
      jute::decode(body, request);
      return body.ok();
    }
    case OpCode::multi:
      return multi_parses(body);
    case OpCode::create_session:
      body.i32();
      return body.ok();
    case OpCode::close_session:
      return true;
    default:
      return false;
  }
}

bool Preparer::is_ttl_without_mode(OpCode type, std::string_view bytes) {
  if (type != OpCode::create_ttl) return false;
  bytes::Reader body(bytes);
  CreateOp op;
  op.read(type, body, kNullLength);
  const auto mode = static_cast<jute::CreateMode>(op.flags);
  return mode != jute::CreateMode::persistent_with_ttl &&
         mode != jute::CreateMode::persistent_sequential_with_ttl;
}

}  // namespace tandem::coord::pipeline
