#include "broker/protocol/messages/describe_acls.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DescribeAclsRequest::describe(Fields& f) {
  f("resource_type_filter", resource_type_filter);
  f("resource_name_filter", resource_name_filter);
  f("pattern_type_filter", pattern_type_filter, since(1));
  f("principal_filter", principal_filter);
  f("host_filter", host_filter);
  f("operation", operation);
  f("permission_type", permission_type);
}

void DescribeAclsResponse::AclDescription::describe(Fields& f) {
  f("principal", principal);
  f("host", host);
  f("operation", operation);
  f("permission_type", permission_type);
}

void DescribeAclsResponse::DescribeAclsResource::describe(Fields& f) {
  f("resource_type", resource_type);
  f("resource_name", resource_name);
  f("pattern_type", pattern_type, since(1));
  f("acls", acls);
}

void DescribeAclsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code);
  f("error_message", error_message);
  f("resources", resources);
}

}  // namespace tandem::broker::protocol
