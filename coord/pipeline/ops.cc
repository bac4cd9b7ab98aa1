#include "coord/pipeline/ops.h"

#include <array>

namespace tandem::coord::pipeline {

namespace {

using jute::OpCode;

constexpr std::array kOps{
    OpRow{OpCode::get_data, OpKind::read, "GETD"},
    OpRow{OpCode::exists, OpKind::read, "EXIS"},
    OpRow{OpCode::set_data, OpKind::write, "SETD"},
    OpRow{OpCode::ping, OpKind::read, "PING"},
    OpRow{OpCode::create, OpKind::write, "CREA"},
    OpRow{OpCode::create2, OpKind::write, "CREA"},
    OpRow{OpCode::create_ttl, OpKind::write, "CREA"},
    OpRow{OpCode::create_container, OpKind::write, "CREA"},
    OpRow{OpCode::remove, OpKind::write, "DELE"},
    OpRow{OpCode::get_children, OpKind::read, "GETC"},
    OpRow{OpCode::get_children2, OpKind::read, "GETC"},
    OpRow{OpCode::multi, OpKind::write, "MULT"},
    OpRow{OpCode::multi_read, OpKind::read, "MLTR"},
    OpRow{OpCode::sync, OpKind::sync, "SYNC"},
    OpRow{OpCode::get_acl, OpKind::read, "GETA"},
    OpRow{OpCode::set_acl, OpKind::write, "SETA"},
    OpRow{OpCode::reconfig, OpKind::write, "RECO"},
    OpRow{OpCode::check_watches, OpKind::read, "CHKW"},
    OpRow{OpCode::remove_watches, OpKind::read, "REMW"},
    OpRow{OpCode::set_watches, OpKind::read, "SETW"},
    OpRow{OpCode::set_watches2, OpKind::read, "STW2"},
    OpRow{OpCode::add_watch, OpKind::read, "ADDW"},
    OpRow{OpCode::get_ephemerals, OpKind::read, "GETE"},
    OpRow{OpCode::get_all_children_number, OpKind::read, "GETACN"},
    OpRow{OpCode::who_am_i, OpKind::read, "HOMI"},
    OpRow{OpCode::close_session, OpKind::write, "CLOS"},
    OpRow{OpCode::auth, OpKind::auth, "NA"},
    OpRow{OpCode::create_session, OpKind::refused, "SESS"},  // made by the server from a ConnectRequest
    OpRow{OpCode::check, OpKind::refused, "CHEC"},           // in a multi only
    OpRow{OpCode::delete_container, OpKind::refused, "NA"},  // the reaper's
    OpRow{OpCode::error, OpKind::refused, "NA"},
    OpRow{OpCode::notification, OpKind::refused, "NA"},
    OpRow{OpCode::sasl, OpKind::refused, "NA"},
};

}  // namespace

std::span<const OpRow> ops() { return kOps; }

const OpRow* find_op(OpCode code) {
  for (const OpRow& row : kOps) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

}  // namespace tandem::coord::pipeline
