#include "broker/group/group_records.h"

#include "broker/protocol/messages/group_records.h"
#include "broker/protocol/versioned.h"

namespace tandem::broker::group {

namespace {

constexpr std::int16_t kCommitKey = 1;
constexpr std::int16_t kCommitValue = 3;
constexpr std::int16_t kCommitValueWithExpiry = 1;
constexpr std::int16_t kGroupKey = 2;
constexpr std::int16_t kGroupValue = 3;

std::optional<std::string> none_if_empty(std::optional<std::string> text) {
  if (text && text->empty()) return std::nullopt;
  return text;
}

base::Result<Stored> read_commit(bytes::Slice key, std::optional<std::string_view> value) {
  const auto read = protocol::decode_versioned<protocol::OffsetCommitKey>(std::move(key));
  if (!read) return read.error();
  StoredCommit commit{read->group, {read->topic, read->partition}, std::nullopt};
  if (!value) return Stored(std::move(commit));
  const auto body = protocol::decode_versioned<protocol::OffsetCommitValue>(bytes::Slice(nullptr, *value));
  if (!body) return body.error();
  commit.value =
      Committed{body->offset, body->leader_epoch, body->metadata, body->commit_timestamp, std::nullopt};
  if (body->expire_timestamp != -1) commit.value->expire_timestamp = body->expire_timestamp;
  return Stored(std::move(commit));
}

Member restored_member(const protocol::GroupMetadataValue& group,
                       const protocol::GroupMetadataValue::MemberMetadata& stored) {
  Member member;
  member.id = stored.member_id;
  member.instance_id = stored.group_instance_id;
  member.client_id = stored.client_id;
  member.client_host = stored.client_host;
  member.session_timeout = milliseconds(stored.session_timeout);
  member.rebalance_timeout =
      milliseconds(stored.rebalance_timeout == -1 ? stored.session_timeout : stored.rebalance_timeout);
  member.protocols.push_back({group.protocol.value_or(""), stored.subscription});
  member.assignment = stored.assignment.data;
  return member;
}

base::Result<Stored> read_group(bytes::Slice key, std::optional<std::string_view> value) {
  const auto read = protocol::decode_versioned<protocol::GroupMetadataKey>(std::move(key));
  if (!read) return read.error();
  StoredGroup stored{read->group, std::nullopt};
  if (!value) return Stored(std::move(stored));
  const auto body = protocol::decode_versioned<protocol::GroupMetadataValue>(bytes::Slice(nullptr, *value));
  if (!body) return body.error();
  Group::Stored group;
  group.protocol_type = none_if_empty(body->protocol_type);
  group.protocol_name = body->protocol;
  group.leader = body->leader;
  group.generation = body->generation;
  if (body->current_state_timestamp != -1) group.state_timestamp = body->current_state_timestamp;
  for (const auto& member : body->members) group.members.push_back(restored_member(*body, member));
  stored.value = std::move(group);
  return Stored(std::move(stored));
}

}  // namespace

Record commit_record(const std::string& group, const TopicPartition& at, const Committed& value) {
  protocol::OffsetCommitValue body;
  body.offset = value.offset;
  body.leader_epoch = value.leader_epoch;
  body.metadata = value.metadata;
  body.commit_timestamp = value.commit_timestamp;
  body.expire_timestamp = value.expire_timestamp.value_or(-1);
  const std::int16_t version = value.expire_timestamp ? kCommitValueWithExpiry : kCommitValue;
  Record record = commit_tombstone(group, at);
  record.value = protocol::encode_versioned(body, version);
  return record;
}

Record commit_tombstone(const std::string& group, const TopicPartition& at) {
  protocol::OffsetCommitKey key;
  key.group = group;
  key.topic = at.topic;
  key.partition = at.partition;
  return {protocol::encode_versioned(key, kCommitKey), std::nullopt};
}

Record group_record(const Group& group, const std::map<std::string, std::string>& assignments) {
  protocol::GroupMetadataValue body;
  body.protocol_type = group.protocol_type().value_or("");
  body.generation = group.generation();
  body.protocol = group.protocol_name();
  if (!group.leader().empty()) body.leader = group.leader();
  body.current_state_timestamp = group.state_timestamp().value_or(-1);
  for (const auto& [id, member] : group.members()) {
    const auto assigned = assignments.find(id);
    protocol::GroupMetadataValue::MemberMetadata stored;
    stored.member_id = id;
    stored.group_instance_id = member.instance_id;
    stored.client_id = member.client_id;
    stored.client_host = member.client_host;
    stored.rebalance_timeout = static_cast<std::int32_t>(member.rebalance_timeout.count());
    stored.session_timeout = static_cast<std::int32_t>(member.session_timeout.count());
    stored.subscription.data = member.metadata(group.protocol_name().value_or(""));
    stored.assignment.data = assigned == assignments.end() ? "" : assigned->second;
    body.members.push_back(std::move(stored));
  }
  Record record = group_tombstone(group.id());
  record.value = protocol::encode_versioned(body, kGroupValue);
  return record;
}

Record group_tombstone(const std::string& group) {
  protocol::GroupMetadataKey key;
  key.group = group;
  return {protocol::encode_versioned(key, kGroupKey), std::nullopt};
}

base::Result<Stored> read_record(std::string_view key, std::optional<std::string_view> value) {
  const std::int16_t version = protocol::version_in_front(key);
  if (version < 0)
    return base::make_error(base::Errc::corrupt, "a group record's key of {} bytes", key.size());
  const bytes::Slice slice(nullptr, key);
  if (version <= kCommitKey) return read_commit(slice, value);
  if (version == kGroupKey) return read_group(slice, value);
  return Stored(Skipped{});
}

}  // namespace tandem::broker::group
