#include "broker/protocol/messages/create_acls.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void CreateAclsRequest::AclCreation::describe(Fields& f) {
  f("resource_type", resource_type);
  f("resource_name", resource_name);
  f("resource_pattern_type", resource_pattern_type, since(1));
  f("principal", principal);
  f("host", host);
  f("operation", operation);
  f("permission_type", permission_type);
}

void CreateAclsRequest::describe(Fields& f) { f("creations", creations); }

void CreateAclsResponse::AclCreationResult::describe(Fields& f) {
  f("error_code", error_code);
  f("error_message", error_message);
}

void CreateAclsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("results", results);
}

}  // namespace tandem::broker::protocol
