#include "broker/protocol/messages/delete_topics.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DeleteTopicsRequest::DeleteTopicState::describe(Fields& f) {
  f("name", name, since(6));
  f("topic_id", topic_id, since(6));
}

void DeleteTopicsRequest::describe(Fields& f) {
  f("topics", topics, since(6));
  f("topic_names", topic_names, until(5));
  f("timeout_ms", timeout_ms);
}

void DeleteTopicsResponse::DeletableTopicResult::describe(Fields& f) {
  f("name", name, kAlways.nullable_since(6));
  f("topic_id", topic_id, since(6));
  f("error_code", error_code);
  f("error_message", error_message, since(5));
}

void DeleteTopicsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(1));
  f("responses", responses);
}

}  // namespace tandem::broker::protocol
