// The transaction that Preparer is making, and a create as decoded: shared by prepare.cc, create.cc and
// multi.cc, of no interest to others.
#pragma once

#include <cstdint>
#include <string>

#include "coord/pipeline/prepare.h"
#include "coord/pipeline/wire.h"
#include "jute/codec.h"

namespace tandem::coord::pipeline {

// How Jute writes the length of what is null.
inline constexpr std::string_view kNullLength("\xff\xff\xff\xff", 4);

struct Preparer::Txn {
  const Proposal& proposal;
  jute::Zxid zxid;
  std::int64_t time_ms;
  std::string& out;
  std::size_t start;            // of the payload in `out`
  std::uint64_t digest_before;  // of the whole tree
  bool without_digest = false;
};

struct Preparer::CreateOp {
  jute::OpCode type = jute::OpCode::create;
  jute::BufferView path;
  jute::BufferView data;
  AclList acl;
  bool open_acl = false;  // world:anyone:cdrwa, the list of most creates: not decoded
  bool null_acl = false;
  std::int32_t flags = 0;
  std::int64_t ttl_ms = -1;

  void read(jute::OpCode op_type, bytes::Reader& body, std::string_view open_acl_bytes) {
    type = op_type;
    path = take_buffer(body);
    data = take_buffer(body);
    null_acl = body.rest().starts_with(kNullLength);
    open_acl = body.rest().starts_with(open_acl_bytes);
    if (open_acl) {
      body.skip(open_acl_bytes.size());
    } else {
      jute::Decoder decoder(body);
      static_cast<jute::Fields&>(decoder)("acl", acl);
    }
    flags = body.i32();
    if (type == jute::OpCode::create_ttl) ttl_ms = body.i64();
  }
};

}  // namespace tandem::coord::pipeline
