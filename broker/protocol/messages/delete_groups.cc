#include "broker/protocol/messages/delete_groups.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DeleteGroupsRequest::describe(Fields& f) { f("groups_names", groups_names); }

void DeleteGroupsResponse::DeletableGroupResult::describe(Fields& f) {
  f("group_id", group_id);
  f("error_code", error_code);
}

void DeleteGroupsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("results", results);
}

}  // namespace tandem::broker::protocol
