#include "jute/errors.h"

#include <fmt/core.h>

#include <array>

namespace tandem::jute {

namespace {

constexpr std::array kErrors{
    ErrorRow{ErrorCode::ok, "OK", "ok"},
    ErrorRow{ErrorCode::system_error, "SYSTEMERROR", "SystemError"},
    ErrorRow{ErrorCode::runtime_inconsistency, "RUNTIMEINCONSISTENCY", "RuntimeInconsistency"},
    ErrorRow{ErrorCode::data_inconsistency, "DATAINCONSISTENCY", "DataInconsistency"},
    ErrorRow{ErrorCode::connection_loss, "CONNECTIONLOSS", "ConnectionLoss"},
    ErrorRow{ErrorCode::marshalling_error, "MARSHALLINGERROR", "MarshallingError"},
    ErrorRow{ErrorCode::unimplemented, "UNIMPLEMENTED", "Unimplemented"},
    ErrorRow{ErrorCode::operation_timeout, "OPERATIONTIMEOUT", "OperationTimeout"},
    ErrorRow{ErrorCode::bad_arguments, "BADARGUMENTS", "BadArguments"},
    ErrorRow{ErrorCode::unknown_session, "UNKNOWNSESSION", "Unknown error UNKNOWNSESSION"},
    ErrorRow{ErrorCode::new_config_no_quorum, "NEWCONFIGNOQUORUM", "NewConfigNoQuorum"},
    ErrorRow{ErrorCode::reconfig_in_progress, "RECONFIGINPROGRESS", "ReconfigInProgress"},
    ErrorRow{ErrorCode::api_error, "APIERROR", "APIError"},
    ErrorRow{ErrorCode::no_node, "NONODE", "NoNode"},
    ErrorRow{ErrorCode::no_auth, "NOAUTH", "NoAuth"},
    ErrorRow{ErrorCode::bad_version, "BADVERSION", "BadVersion"},
    ErrorRow{ErrorCode::no_children_for_ephemerals, "NOCHILDRENFOREPHEMERALS", "NoChildrenForEphemerals"},
    ErrorRow{ErrorCode::node_exists, "NODEEXISTS", "NodeExists"},
    ErrorRow{ErrorCode::not_empty, "NOTEMPTY", "Directory not empty"},
    ErrorRow{ErrorCode::session_expired, "SESSIONEXPIRED", "Session expired"},
    ErrorRow{ErrorCode::invalid_callback, "INVALIDCALLBACK", "Invalid callback"},
    ErrorRow{ErrorCode::invalid_acl, "INVALIDACL", "InvalidACL"},
    ErrorRow{ErrorCode::auth_failed, "AUTHFAILED", "AuthFailed"},
    ErrorRow{ErrorCode::session_moved, "SESSIONMOVED", "Session moved"},
    ErrorRow{ErrorCode::not_read_only, "NOTREADONLY", "Not a read-only call"},
    ErrorRow{ErrorCode::ephemeral_on_local_session, "EPHEMERALONLOCALSESSION",
             "Ephemeral node on local session"},
    ErrorRow{ErrorCode::no_watcher, "NOWATCHER", "No such watcher"},
    ErrorRow{ErrorCode::request_timeout, "REQUESTTIMEOUT", "Unknown error REQUESTTIMEOUT"},
    ErrorRow{ErrorCode::reconfig_disabled, "RECONFIGDISABLED", "Reconfig is disabled"},
    ErrorRow{ErrorCode::session_closed_require_sasl_auth, "SESSIONCLOSEDREQUIRESASLAUTH",
             "Session closed because client failed to authenticate"},
    ErrorRow{ErrorCode::quota_exceeded, "QUOTAEXCEEDED", "Quota has exceeded"},
    ErrorRow{ErrorCode::throttled_op, "THROTTLEDOP", "Op throttled due to high load"},
};

const ErrorRow* find(ErrorCode code) {
  for (const ErrorRow& row : kErrors) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

}  // namespace

std::span<const ErrorRow> errors() { return kErrors; }

const char* to_string(ErrorCode code) {
  const ErrorRow* row = find(code);
  return row == nullptr ? "UNKNOWN" : row->symbol;
}

std::string keeper_message(ErrorCode code, std::string_view path) {
  const ErrorRow* row = find(code);
  const std::string sentence =
      row == nullptr ? fmt::format("Unknown error {}", static_cast<int>(code)) : std::string(row->sentence);
  if (path.empty()) return fmt::format("KeeperErrorCode = {}", sentence);
  return fmt::format("KeeperErrorCode = {} for {}", sentence, path);
}

}  // namespace tandem::jute
