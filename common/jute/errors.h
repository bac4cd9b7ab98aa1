// Error numbers of the client protocol with their symbols and the sentences that Java's KeeperException
// prints.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tandem::jute {

enum class ErrorCode : std::int32_t {
  ok = 0,
  system_error = -1,
  runtime_inconsistency = -2,
  data_inconsistency = -3,
  connection_loss = -4,
  marshalling_error = -5,
  unimplemented = -6,
  operation_timeout = -7,
  bad_arguments = -8,
  unknown_session = -12,
  new_config_no_quorum = -13,
  reconfig_in_progress = -14,
  api_error = -100,
  no_node = -101,
  no_auth = -102,
  bad_version = -103,
  no_children_for_ephemerals = -108,
  node_exists = -110,
  not_empty = -111,
  session_expired = -112,
  invalid_callback = -113,
  invalid_acl = -114,
  auth_failed = -115,
  session_moved = -118,
  not_read_only = -119,
  ephemeral_on_local_session = -120,
  no_watcher = -121,
  request_timeout = -122,
  reconfig_disabled = -123,
  session_closed_require_sasl_auth = -124,
  quota_exceeded = -125,
  throttled_op = -127,
};

struct ErrorRow {
  ErrorCode code;
  const char* symbol;    // "NONODE"
  const char* sentence;  // "NoNode"
};

std::span<const ErrorRow> errors();
const char* to_string(ErrorCode code);  // the symbol; "UNKNOWN" for a number that is no error

// "KeeperErrorCode = NoNode for /a", without the last part when path is empty.
std::string keeper_message(ErrorCode code, std::string_view path = {});

}  // namespace tandem::jute
