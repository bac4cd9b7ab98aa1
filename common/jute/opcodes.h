// Operation codes of the client protocol and of transactions, one table with their names; numbers and names
// are those of Apache's ZooDefs.OpCode and Request.op2String. A code from a peer may be none of these:
// is_known() says.
#pragma once

#include <cstdint>
#include <span>

namespace tandem::jute {

enum class OpCode : std::int32_t {
  notification = 0,
  create = 1,
  remove = 2,  // "delete"
  exists = 3,
  get_data = 4,
  set_data = 5,
  get_acl = 6,
  set_acl = 7,
  get_children = 8,
  sync = 9,
  ping = 11,
  get_children2 = 12,
  check = 13,
  multi = 14,
  create2 = 15,
  reconfig = 16,
  check_watches = 17,
  remove_watches = 18,
  create_container = 19,
  delete_container = 20,
  create_ttl = 21,
  multi_read = 22,
  auth = 100,
  set_watches = 101,
  sasl = 102,
  get_ephemerals = 103,
  get_all_children_number = 104,
  set_watches2 = 105,
  add_watch = 106,
  who_am_i = 107,
  create_session = -10,
  close_session = -11,
  error = -1,
};

struct OpCodeRow {
  OpCode code;
  const char* name;  // as Apache's logs, words and tools print it
};

std::span<const OpCodeRow> opcodes();
const char* to_string(OpCode code);  // "unknown" for a number that is no operation
bool is_known(OpCode code);

}  // namespace tandem::jute
