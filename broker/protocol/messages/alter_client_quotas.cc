#include "broker/protocol/messages/alter_client_quotas.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void AlterClientQuotasRequest::EntityData::describe(Fields& f) {
  f("entity_type", entity_type);
  f("entity_name", entity_name);
}

void AlterClientQuotasRequest::OpData::describe(Fields& f) {
  f("key", key);
  f("value", value);
  f("remove", remove);
}

void AlterClientQuotasRequest::EntryData::describe(Fields& f) {
  f("entity", entity);
  f("ops", ops);
}

void AlterClientQuotasRequest::describe(Fields& f) {
  f("entries", entries);
  f("validate_only", validate_only);
}

void AlterClientQuotasResponse::EntityData::describe(Fields& f) {
  f("entity_type", entity_type);
  f("entity_name", entity_name);
}

void AlterClientQuotasResponse::EntryData::describe(Fields& f) {
  f("error_code", error_code);
  f("error_message", error_message);
  f("entity", entity);
}

void AlterClientQuotasResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("entries", entries);
}

}  // namespace tandem::broker::protocol
