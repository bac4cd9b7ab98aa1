#include "broker/protocol/messages/heartbeat.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void HeartbeatRequest::describe(Fields& f) {
  f("group_id", group_id);
  f("generation_id", generation_id);
  f("member_id", member_id);
  f("group_instance_id", group_instance_id, since(3));
}

void HeartbeatResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms, since(1));
  f("error_code", error_code);
}

}  // namespace tandem::broker::protocol
