#include "broker/protocol/messages/delete_acls.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DeleteAclsRequest::DeleteAclsFilter::describe(Fields& f) {
  f("resource_type_filter", resource_type_filter);
  f("resource_name_filter", resource_name_filter);
  f("pattern_type_filter", pattern_type_filter, since(1));
  f("principal_filter", principal_filter);
  f("host_filter", host_filter);
  f("operation", operation);
  f("permission_type", permission_type);
}

void DeleteAclsRequest::describe(Fields& f) { f("filters", filters); }

void DeleteAclsResponse::DeleteAclsMatchingAcl::describe(Fields& f) {
  f("error_code", error_code);
  f("error_message", error_message);
  f("resource_type", resource_type);
  f("resource_name", resource_name);
  f("pattern_type", pattern_type, since(1));
  f("principal", principal);
  f("host", host);
  f("operation", operation);
  f("permission_type", permission_type);
}

void DeleteAclsResponse::DeleteAclsFilterResult::describe(Fields& f) {
  f("error_code", error_code);
  f("error_message", error_message);
  f("matching_acls", matching_acls);
}

void DeleteAclsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("filter_results", filter_results);
}

}  // namespace tandem::broker::protocol
