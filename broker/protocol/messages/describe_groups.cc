#include "broker/protocol/messages/describe_groups.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DescribeGroupsRequest::describe(Fields& f) {
  f("groups", groups);
  f("include_authorized_operations", include_authorized_operations, since(3));
}

void DescribeGroupsResponse::DescribedGroupMember::describe(Fields& f) {
  f("member_id", member_id);
  f("group_instance_id", group_instance_id, since(4));
  f("client_id", client_id);
  f("client_host", client_host);
  f("member_metadata", member_metadata);
  f("member_assignment", member_assignment);
}

void DescribeGroupsResponse::DescribedGroup::describe(Fields& f) {
  f("error_code", error_code);
  f("group_id", group_id);
  f("group_state", group_state);
  f("protocol_type", protocol_type);
  f("protocol_data", protocol_data);
  f("members", members);
  f("authorized_operations", authorized_operations, since(3));
}

void DescribeGroupsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(1));
  f("groups", groups);
}

}  // namespace tandem::broker::protocol
