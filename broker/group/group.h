// Group: one consumer group of the classic protocol: its members, generation, state and offsets. Plain state
// with the rules that concern one group only; the coordinator decides when they apply. Names are Kafka's.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/group/offsets.h"
#include "broker/group/types.h"

namespace tandem::broker::group {

enum class State : std::uint8_t { empty, preparing_rebalance, completing_rebalance, stable, dead };
const char* to_string(State state);  // "PreparingRebalance"

using Protocols = std::vector<protocol::JoinGroupRequest::JoinGroupRequestProtocol>;

struct Member {
  std::string id;
  std::optional<std::string> instance_id;  // static membership (KIP-345)
  std::string client_id;
  std::string client_host;
  milliseconds rebalance_timeout{0};
  milliseconds session_timeout{0};
  Protocols protocols;  // in the member's order of preference
  std::string assignment;
  bool is_new = false;
  std::optional<Ticket> awaiting_join;
  std::optional<Ticket> awaiting_sync;

  const std::string& metadata(const std::string& protocol) const;  // empty when it does not have the protocol
};

class Group {
 public:
  explicit Group(std::string id) : id_(std::move(id)) {}

  const std::string& id() const { return id_; }
  State state() const { return state_; }
  bool is(State state) const { return state_ == state; }
  void transition(State to, base::WallTime now);  // must be legal
  bool can_rebalance() const;

  std::int32_t generation() const { return generation_; }
  const std::optional<std::string>& protocol_type() const { return protocol_type_; }
  const std::optional<std::string>& protocol_name() const { return protocol_name_; }
  std::string leader() const { return leader_.value_or(""); }
  bool is_leader(const std::string& member) const { return leader_ == member; }
  std::optional<std::int64_t> state_timestamp() const { return state_timestamp_; }

  std::map<std::string, Member>& members() { return members_; }
  const std::map<std::string, Member>& members() const { return members_; }
  bool has(const std::string& member) const { return members_.contains(member); }
  Member& member(const std::string& id);
  // The first member's protocol type becomes the group's.
  void add(Member member, const std::string& protocol_type);
  void remove(const std::string& member);
  // The member under a new id, keeping its place; the old one is gone.
  Member& replace_static(const std::string& instance_id, const std::string& old_id,
                         const std::string& new_id);
  std::optional<std::string> static_member(const std::string& instance_id) const;

  // Ids given out that have not joined yet (KIP-394).
  std::set<std::string>& pending() { return pending_; }
  const std::set<std::string>& pending() const { return pending_; }
  // Joined this generation, not synced yet.
  std::set<std::string>& pending_sync() { return pending_sync_; }
  bool new_member_added = false;

  std::size_t awaiting_join() const;
  bool all_joined() const { return awaiting_join() == members_.size() && pending_.empty(); }
  milliseconds rebalance_timeout() const;  // the longest of the members'
  bool supports(const std::string& protocol_type, const Protocols& protocols) const;
  std::string select_protocol() const;  // one that all members know, by vote

  // The leader has joined, or another that has becomes leader; false when nobody has.
  bool elect_joined_leader();
  void next_generation(base::WallTime now);
  std::vector<protocol::JoinGroupResponse::JoinGroupResponseMember> member_metadata() const;

  // Topics that the members of a stable consumer group subscribe to; nullopt when that cannot be told.
  const std::optional<std::set<std::string>>& subscribed_topics() const { return subscribed_topics_; }
  bool subscribes(const std::string& topic) const;
  bool is_consumer_group() const;

  OffsetTable offsets;

  // What the log says; for loading.
  struct Stored {
    std::optional<std::string> protocol_type, protocol_name, leader;
    std::int32_t generation = 0;
    std::optional<std::int64_t> state_timestamp;
    std::vector<Member> members;
  };
  void restore(Stored stored);

 private:
  void insert(Member member);
  void compute_subscribed_topics();

  std::string id_;
  State state_ = State::empty;
  std::optional<std::int64_t> state_timestamp_;
  std::int32_t generation_ = 0;
  std::optional<std::string> protocol_type_, protocol_name_, leader_;
  std::map<std::string, Member> members_;
  std::map<std::string, std::string> static_members_;  // instance id -> member id
  std::set<std::string> pending_, pending_sync_;
  std::optional<std::set<std::string>> subscribed_topics_;
};

}  // namespace tandem::broker::group
