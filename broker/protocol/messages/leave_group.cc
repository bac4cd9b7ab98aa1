#include "broker/protocol/messages/leave_group.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void LeaveGroupRequest::MemberIdentity::describe(Fields& f) {
  f("member_id", member_id, since(3));
  f("group_instance_id", group_instance_id, since(3));
  f("reason", reason, since(5));
}

void LeaveGroupRequest::describe(Fields& f) {
  f("group_id", group_id);
  f("member_id", member_id, until(2));
  f("members", members, since(3));
}

void LeaveGroupResponse::MemberResponse::describe(Fields& f) {
  f("member_id", member_id, since(3));
  f("group_instance_id", group_instance_id, since(3));
  f("error_code", error_code, since(3));
}

void LeaveGroupResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(1));
  f("error_code", error_code);
  f("members", members, since(3));
}

}  // namespace tandem::broker::protocol
