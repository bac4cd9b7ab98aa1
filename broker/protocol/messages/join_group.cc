#include "broker/protocol/messages/join_group.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void JoinGroupRequest::JoinGroupRequestProtocol::describe(Fields& f) {
  f("name", name);
  f("metadata", metadata);
}

void JoinGroupRequest::describe(Fields& f) {
  f("group_id", group_id);
  f("session_timeout_ms", session_timeout_ms);
  f("rebalance_timeout_ms", rebalance_timeout_ms, since(1));
  f("member_id", member_id);
  f("group_instance_id", group_instance_id, since(5));
  f("protocol_type", protocol_type);
  f("protocols", protocols);
  f("reason", reason, since(8));
}

void JoinGroupResponse::JoinGroupResponseMember::describe(Fields& f) {
  f("member_id", member_id);
  f("group_instance_id", group_instance_id, since(5));
  f("metadata", metadata);
}

void JoinGroupResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(2));
  f("error_code", error_code);
  f("generation_id", generation_id);
  f("protocol_type", protocol_type, since(7));
  f("protocol_name", protocol_name, kAlways.nullable_since(7));
  f("leader", leader);
  f("skip_assignment", skip_assignment, since(9));
  f("member_id", member_id);
  f("members", members);
}

}  // namespace tandem::broker::protocol
