#include "broker/protocol/messages/sync_group.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void SyncGroupRequest::SyncGroupRequestAssignment::describe(Fields& f) {
  f("member_id", member_id);
  f("assignment", assignment);
}

void SyncGroupRequest::describe(Fields& f) {
  f("group_id", group_id);
  f("generation_id", generation_id);
  f("member_id", member_id);
  f("group_instance_id", group_instance_id, since(3));
  f("protocol_type", protocol_type, since(5));
  f("protocol_name", protocol_name, since(5));
  f("assignments", assignments);
}

void SyncGroupResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(1));
  f("error_code", error_code);
  f("protocol_type", protocol_type, since(5));
  f("protocol_name", protocol_name, since(5));
  f("assignment", assignment);
}

}  // namespace tandem::broker::protocol
