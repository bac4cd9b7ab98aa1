// The table of operations a client may send: short name in four-letter words, and how the pipeline treats it.
// Source: Apache's ZooDefs.OpCode, Request.isValid and FinalRequestProcessor.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/clock.h"
#include "jute/opcodes.h"

namespace tandem::coord::pipeline {

enum class OpKind {
  read,     // answered from the tree, behind the session's own writes
  sync,     // a read here, or something that the leader or a quorum has to say
  write,    // becomes a transaction
  auth,     // answered at once, out of order
  refused,  // internal or not there: UNIMPLEMENTED, and the connection ends
};

struct OpRow {
  jute::OpCode code;
  OpKind kind;
  const char* short_name;  // lop= of `cons`
};

std::span<const OpRow> ops();
const OpRow* find_op(jute::OpCode code);  // nullptr: no such operation, refused too

// A request as it lies in its frame.
struct RequestView {
  std::int32_t xid = 0;
  jute::OpCode type = jute::OpCode::error;
  std::string_view body;
  base::Instant received;
};

}  // namespace tandem::coord::pipeline
