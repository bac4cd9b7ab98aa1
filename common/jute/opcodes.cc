#include "jute/opcodes.h"

#include <array>

namespace tandem::jute {

namespace {

constexpr std::array kOpCodes{
    OpCodeRow{OpCode::notification, "notification"},
    OpCodeRow{OpCode::create, "create"},
    OpCodeRow{OpCode::remove, "delete"},
    OpCodeRow{OpCode::exists, "exists"},
    OpCodeRow{OpCode::get_data, "getData"},
    OpCodeRow{OpCode::set_data, "setData"},
    OpCodeRow{OpCode::get_acl, "getACL"},
    OpCodeRow{OpCode::set_acl, "setACL"},
    OpCodeRow{OpCode::get_children, "getChildren"},
    OpCodeRow{OpCode::sync, "sync"},
    OpCodeRow{OpCode::ping, "ping"},
    OpCodeRow{OpCode::get_children2, "getChildren2"},
    OpCodeRow{OpCode::check, "check"},
    OpCodeRow{OpCode::multi, "multi"},
    OpCodeRow{OpCode::create2, "create2"},
    OpCodeRow{OpCode::reconfig, "reconfig"},
    OpCodeRow{OpCode::check_watches, "checkWatches"},
    OpCodeRow{OpCode::remove_watches, "removeWatches"},
    OpCodeRow{OpCode::create_container, "createContainer"},
    OpCodeRow{OpCode::delete_container, "deleteContainer"},
    OpCodeRow{OpCode::create_ttl, "createTTL"},
    OpCodeRow{OpCode::multi_read, "multiRead"},
    OpCodeRow{OpCode::auth, "auth"},
    OpCodeRow{OpCode::set_watches, "setWatches"},
    OpCodeRow{OpCode::sasl, "sasl"},
    OpCodeRow{OpCode::get_ephemerals, "getEphemerals"},
    OpCodeRow{OpCode::get_all_children_number, "getAllChildrenNumber"},
    OpCodeRow{OpCode::set_watches2, "setWatches2"},
    OpCodeRow{OpCode::add_watch, "addWatch"},
    OpCodeRow{OpCode::who_am_i, "whoAmI"},
    OpCodeRow{OpCode::create_session, "createSession"},
    OpCodeRow{OpCode::close_session, "closeSession"},
    OpCodeRow{OpCode::error, "error"},
};

const OpCodeRow* find(OpCode code) {
  for (const OpCodeRow& row : kOpCodes) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

}  // namespace

std::span<const OpCodeRow> opcodes() { return kOpCodes; }

const char* to_string(OpCode code) {
  const OpCodeRow* row = find(code);
  return row == nullptr ? "unknown" : row->name;
}

bool is_known(OpCode code) { return find(code) != nullptr; }

}  // namespace tandem::jute
