#include "broker/protocol/messages/list_groups.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void ListGroupsRequest::describe(Fields& f) {
  f("states_filter", states_filter, since(4));
  f("types_filter", types_filter, since(5));
}

void ListGroupsResponse::ListedGroup::describe(Fields& f) {
  f("group_id", group_id);
  f("protocol_type", protocol_type);
  f("group_state", group_state, since(4));
  f("group_type", group_type, since(5));
}

void ListGroupsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(1));
  f("error_code", error_code);
  f("groups", groups);
}

}  // namespace tandem::broker::protocol
