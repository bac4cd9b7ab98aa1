#include "broker/protocol/messages/alter_configs.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void AlterConfigsRequest::AlterableConfig::describe(Fields& f) {
  f("name", name);
  f("value", value);
}

void AlterConfigsRequest::AlterConfigsResource::describe(Fields& f) {
  f("resource_type", resource_type);
  f("resource_name", resource_name);
  f("configs", configs);
}

void AlterConfigsRequest::describe(Fields& f) {
  f("resources", resources);
  f("validate_only", validate_only);
}

void AlterConfigsResponse::AlterConfigsResourceResponse::describe(Fields& f) {
  f("error_code", error_code);
  f("error_message", error_message);
  f("resource_type", resource_type);
  f("resource_name", resource_name);
}

void AlterConfigsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("responses", responses);
}

}  // namespace tandem::broker::protocol
