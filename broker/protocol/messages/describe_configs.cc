#include "broker/protocol/messages/describe_configs.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DescribeConfigsRequest::DescribeConfigsResource::describe(Fields& f) {
  f("resource_type", resource_type);
  f("resource_name", resource_name);
  f("configuration_keys", configuration_keys);
}

void DescribeConfigsRequest::describe(Fields& f) {
  f("resources", resources);
  f("include_synonyms", include_synonyms, since(1));
  f("include_documentation", include_documentation, since(3));
}

void DescribeConfigsResponse::DescribeConfigsSynonym::describe(Fields& f) {
  f("name", name, since(1));
  f("value", value, since(1));
  f("source", source, since(1));
}

void DescribeConfigsResponse::DescribeConfigsResourceResult::describe(Fields& f) {
  f("name", name);
  f("value", value);
  f("read_only", read_only);
  f("is_default", is_default, until(0));
  f("config_source", config_source, since(1));
  f("is_sensitive", is_sensitive);
  f("synonyms", synonyms, since(1));
  f("config_type", config_type, since(3));
  f("documentation", documentation, since(3));
}

void DescribeConfigsResponse::DescribeConfigsResult::describe(Fields& f) {
  f("error_code", error_code);
  f("error_message", error_message);
  f("resource_type", resource_type);
  f("resource_name", resource_name);
  f("configs", configs);
}

void DescribeConfigsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("results", results);
}

}  // namespace tandem::broker::protocol
