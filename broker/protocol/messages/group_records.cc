#include "broker/protocol/messages/group_records.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void OffsetCommitKey::describe(Fields& f) {
  f("group", group);
  f("topic", topic);
  f("partition", partition);
}

void OffsetCommitValue::describe(Fields& f) {
  f("offset", offset);
  f("leader_epoch", leader_epoch, since(3));
  f("metadata", metadata);
  f("commit_timestamp", commit_timestamp);
  f("expire_timestamp", expire_timestamp, between(1, 1));
}

void GroupMetadataKey::describe(Fields& f) { f("group", group, since(2)); }

void GroupMetadataValue::MemberMetadata::describe(Fields& f) {
  f("member_id", member_id);
  f("group_instance_id", group_instance_id, since(3));
  f("client_id", client_id);
  f("client_host", client_host);
  f("rebalance_timeout", rebalance_timeout, since(1));
  f("session_timeout", session_timeout);
  f("subscription", subscription);
  f("assignment", assignment);
}

void GroupMetadataValue::describe(Fields& f) {
  f("protocol_type", protocol_type);
  f("generation", generation);
  f("protocol", protocol);
  f("leader", leader);
  f("current_state_timestamp", current_state_timestamp, since(2));
  f("members", members);
}

}  // namespace tandem::broker::protocol
