// A multi: every operation is judged against those before it; the first failure takes all back. The request
// is read whole before anything is judged, as Apache does: what does not parse fails as a whole.
#include "bytes/writer.h"
#include "coord/pipeline/prepare.h"
#include "coord/pipeline/preparing.h"
#include "coord/pipeline/wire.h"

namespace tandem::coord::pipeline {

using jute::CreateMode;
using jute::ErrorCode;
using jute::OpCode;

namespace {

struct SubHeader {
  OpCode type = OpCode::error;
  bool done = false;
};

SubHeader take_header(bytes::Reader& body) {
  SubHeader header;
  header.type = static_cast<OpCode>(body.i32());
  header.done = body.boolean();
  body.i32();
  return header;
}

}  // namespace

// The type that counts: Apache makes a container or a plain node of a create by its flags. Fails the reader
// where Apache refuses the whole multi.
OpCode Preparer::multi_create_type(const CreateOp& op, bytes::Reader& body) {
  const bool ttl = op.flags == static_cast<std::int32_t>(CreateMode::persistent_with_ttl) ||
                   op.flags == static_cast<std::int32_t>(CreateMode::persistent_sequential_with_ttl);
  if (op.type == OpCode::create_ttl) return ttl ? OpCode::create_ttl : OpCode::create;
  if (ttl || op.flags < 0 || op.flags > 6) body.fail();
  return op.flags == static_cast<std::int32_t>(CreateMode::container) ? OpCode::create_container : op.type;
}

bool Preparer::multi_parses(bytes::Reader body) {
  for (;;) {
    const SubHeader header = take_header(body);
    if (!body.ok()) return false;
    if (header.done) return true;
    switch (header.type) {
      case OpCode::create:
      case OpCode::create2:
      case OpCode::create_container:
      case OpCode::create_ttl: {
        CreateOp op;
        op.read(header.type, body);
        multi_create_type(op, body);
        break;
      }
      case OpCode::set_data:
        take_buffer(body);
        [[fallthrough]];
      case OpCode::remove:
      case OpCode::check:
        take_buffer(body);
        body.i32();
        break;
      default:
        return false;  // reads among them: they do not mix with writes
    }
  }
}

ErrorCode Preparer::prepare_multi(Txn& txn, bytes::Reader& body) {
  if (!multi_parses(body)) return ErrorCode::marshalling_error;
  bytes::Writer writer(txn.out);
  const std::size_t count_at = writer.reserve_i32();
  std::int32_t count = 0;
  bool failed = false;
  for (SubHeader header = take_header(body); !header.done; header = take_header(body), ++count) {
    const std::size_t sub_start = txn.out.size();
    const std::size_t type_at = writer.reserve_i32();
    const std::size_t size_at = writer.reserve_i32();
    ErrorCode err = ErrorCode::runtime_inconsistency;
    OpCode type = header.type;
    const bool is_create = type == OpCode::create || type == OpCode::create2 ||
                           type == OpCode::create_container || type == OpCode::create_ttl;
    bool parses = true;
    if (is_create) {
      CreateOp op;
      op.read(type, body);
      type = op.type = multi_create_type(op, body);
      if (type != OpCode::create_ttl) op.ttl_ms = -1;
      if (!failed) err = prepare_create(txn, std::move(op));
    } else if (!failed) {
      err = prepare_op(txn, type, body, parses);
    } else {
      if (type == OpCode::set_data) take_buffer(body);
      take_buffer(body);
      body.i32();
    }
    if (err == ErrorCode::marshalling_error && !failed)
      return err;  // no operation's own error: fails the whole
    if (err != ErrorCode::ok) {
      if (!failed) {
        pending_.take_back(txn.zxid);
        digest_ = txn.digest_before;
      }
      failed = true;
      txn.out.resize(sub_start + 8);
      writer.i32(static_cast<std::int32_t>(err));
      type = OpCode::error;
    }
    writer.patch_i32(type_at, static_cast<std::int32_t>(type));
    writer.patch_i32(size_at, static_cast<std::int32_t>(txn.out.size() - sub_start - 8));
  }
  writer.patch_i32(count_at, count);
  return ErrorCode::ok;
}

}  // namespace tandem::coord::pipeline
