#include "broker/protocol/messages/describe_client_quotas.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DescribeClientQuotasRequest::ComponentData::describe(Fields& f) {
  f("entity_type", entity_type);
  f("match_type", match_type);
  f("match", match);
}

void DescribeClientQuotasRequest::describe(Fields& f) {
  f("components", components);
  f("strict", strict);
}

void DescribeClientQuotasResponse::EntityData::describe(Fields& f) {
  f("entity_type", entity_type);
  f("entity_name", entity_name);
}

void DescribeClientQuotasResponse::ValueData::describe(Fields& f) {
  f("key", key);
  f("value", value);
}

void DescribeClientQuotasResponse::EntryData::describe(Fields& f) {
  f("entity", entity);
  f("values", values);
}

void DescribeClientQuotasResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code);
  f("error_message", error_message);
  f("entries", entries);
}

}  // namespace tandem::broker::protocol
