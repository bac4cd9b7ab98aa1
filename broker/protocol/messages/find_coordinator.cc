#include "broker/protocol/messages/find_coordinator.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void FindCoordinatorRequest::describe(Fields& f) {
  f("key", key, until(3));
  f("key_type", key_type, since(1));
  f("coordinator_keys", coordinator_keys, since(4));
}

void FindCoordinatorResponse::Coordinator::describe(Fields& f) {
  f("key", key, since(4));
  f("node_id", node_id, since(4));
  f("host", host, since(4));
  f("port", port, since(4));
  f("error_code", error_code, since(4));
  f("error_message", error_message, since(4));
}

void FindCoordinatorResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(1));
  f("error_code", error_code, until(3));
  f("error_message", error_message, between(1, 3));
  f("node_id", node_id, until(3));
  f("host", host, until(3));
  f("port", port, until(3));
  f("coordinators", coordinators, since(4));
}

}  // namespace tandem::broker::protocol
