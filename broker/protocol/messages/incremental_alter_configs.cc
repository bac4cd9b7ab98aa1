#include "broker/protocol/messages/incremental_alter_configs.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void IncrementalAlterConfigsRequest::AlterableConfig::describe(Fields& f) {
  f("name", name);
  f("config_operation", config_operation);
  f("value", value);
}

void IncrementalAlterConfigsRequest::AlterConfigsResource::describe(Fields& f) {
  f("resource_type", resource_type);
  f("resource_name", resource_name);
  f("configs", configs);
}

void IncrementalAlterConfigsRequest::describe(Fields& f) {
  f("resources", resources);
  f("validate_only", validate_only);
}

void IncrementalAlterConfigsResponse::AlterConfigsResourceResponse::describe(Fields& f) {
  f("error_code", error_code);
  f("error_message", error_message);
  f("resource_type", resource_type);
  f("resource_name", resource_name);
}

void IncrementalAlterConfigsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("responses", responses);
}

}  // namespace tandem::broker::protocol
