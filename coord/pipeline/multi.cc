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

bool is_ttl(std::int32_t flags) {
  return flags == static_cast<std::int32_t>(CreateMode::persistent_with_ttl) ||
         flags == static_cast<std::int32_t>(CreateMode::persistent_sequential_with_ttl);
}

bool is_create(OpCode type) {
  return type == OpCode::create || type == OpCode::create2 || type == OpCode::create_container ||
         type == OpCode::create_ttl;
}

// Of setData, delete or check.
void skip_op(OpCode type, bytes::Reader& body) {
  if (type == OpCode::set_data) take_buffer(body);
  take_buffer(body);
  body.i32();
}

enum class Shape {
  ok,
  malformed,  // an error that uses up a transaction
  null_acl,   // one that does not: Apache fails before it has taken a zxid
};

}  // namespace

// Of one create in a multi: Apache makes a container or a plain node of it by its flags.
struct Preparer::MultiCreate : CreateOp {
  Shape take(OpCode op_type, bytes::Reader& body, std::string_view open_acl_bytes) {
    read(op_type, body, open_acl_bytes);
    if (!body.ok()) return Shape::malformed;
    if (type == OpCode::create_ttl) {
      if (!is_ttl(flags)) type = OpCode::create;
      if (type != OpCode::create_ttl) ttl_ms = -1;
      return Shape::ok;
    }
    if (flags < 0 || flags > 6) return Shape::malformed;
    if (null_acl) return Shape::null_acl;
    if (is_ttl(flags)) return Shape::malformed;
    if (flags == static_cast<std::int32_t>(CreateMode::container)) type = OpCode::create_container;
    return Shape::ok;
  }

  static Shape shape_of_multi(bytes::Reader body, std::string_view open_acl_bytes) {
    bool null_path = false;
    for (;;) {
      const SubHeader header = take_header(body);
      if (!body.ok()) return Shape::malformed;
      if (header.done) return null_path ? Shape::malformed : Shape::ok;
      null_path = null_path || body.rest().starts_with(kNullLength);
      if (is_create(header.type)) {
        MultiCreate create;
        if (const Shape shape = create.take(header.type, body, open_acl_bytes); shape != Shape::ok)
          return shape;
      } else if (header.type == OpCode::set_data || header.type == OpCode::remove ||
                 header.type == OpCode::check) {
        skip_op(header.type, body);
      } else {
        return Shape::malformed;  // reads among them: they do not mix with writes
      }
    }
  }
};

bool Preparer::multi_parses(bytes::Reader body) {
  return MultiCreate::shape_of_multi(body, kNullLength) == Shape::ok;
}

bool Preparer::needs_global_session(OpCode type, std::string_view bytes) {
  bytes::Reader body(bytes);
  const auto creates_ephemeral = [&body](OpCode op) {
    MultiCreate create;
    create.read(op, body, kNullLength);
    return body.ok() && (op == OpCode::create || op == OpCode::create2) &&
           (create.flags == static_cast<std::int32_t>(CreateMode::ephemeral) ||
            create.flags == static_cast<std::int32_t>(CreateMode::ephemeral_sequential));
  };
  if (type == OpCode::create || type == OpCode::create2) return creates_ephemeral(type);
  if (type != OpCode::multi || !multi_parses(body)) return false;
  for (SubHeader header = take_header(body); !header.done; header = take_header(body)) {
    if (is_create(header.type)) {
      if (creates_ephemeral(header.type)) return true;
    } else {
      skip_op(header.type, body);
    }
  }
  return false;
}

ErrorCode Preparer::prepare_multi(Txn& txn, bytes::Reader& body, bool& parses) {
  const std::string_view open_acl = tree_.acls().encoded(tree::kOpenAcl);
  const Shape shape = MultiCreate::shape_of_multi(body, open_acl);
  parses = shape != Shape::null_acl;
  if (shape != Shape::ok) return ErrorCode::marshalling_error;
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
    if (is_create(type)) {
      MultiCreate op;
      op.take(type, body, open_acl);
      type = op.type;
      if (!failed) err = prepare_create(txn, std::move(op));
    } else if (!failed) {
      bool whole = true;
      err = prepare_op(txn, type, body, whole);
    } else {
      skip_op(type, body);
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
