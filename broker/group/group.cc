#include "broker/group/group.h"

#include <algorithm>

#include "base/check.h"
#include "broker/protocol/messages/consumer_protocol.h"
#include "broker/protocol/versioned.h"

namespace tandem::broker::group {

namespace {

constexpr std::string_view kConsumer = "consumer";

bool is_legal(State from, State to) {
  switch (to) {
    case State::empty:
      return from == State::preparing_rebalance;
    case State::preparing_rebalance:
      return from == State::stable || from == State::completing_rebalance || from == State::empty;
    case State::completing_rebalance:
      return from == State::preparing_rebalance;
    case State::stable:
      return from == State::completing_rebalance;
    case State::dead:
      return true;
  }
  UNREACHABLE();
}

bool has_protocol(const Protocols& protocols, const std::string& name) {
  return std::any_of(protocols.begin(), protocols.end(), [&](const auto& p) { return p.name == name; });
}

}  // namespace

const char* to_string(State state) {
  switch (state) {
    case State::empty:
      return "Empty";
    case State::preparing_rebalance:
      return "PreparingRebalance";
    case State::completing_rebalance:
      return "CompletingRebalance";
    case State::stable:
      return "Stable";
    case State::dead:
      return "Dead";
  }
  UNREACHABLE();
}

const std::string& Member::metadata(const std::string& protocol) const {
  static const std::string none;
  for (const auto& known : protocols) {
    if (known.name == protocol) return known.metadata.data;
  }
  return none;
}

void Group::transition(State to, base::WallTime now) {
  ENSURE(is_legal(state_, to), "group {}: {} to {}", id_, to_string(state_), to_string(to));
  state_ = to;
  state_timestamp_ = now.ms;
}

bool Group::can_rebalance() const { return is_legal(state_, State::preparing_rebalance); }

Member& Group::member(const std::string& id) {
  const auto at = members_.find(id);
  ENSURE(at != members_.end(), "group {} has no member {}", id_, id);
  return at->second;
}

void Group::add(Member member, const std::string& protocol_type) {
  if (members_.empty()) protocol_type_ = protocol_type;
  insert(std::move(member));
}

void Group::insert(Member member) {
  if (!leader_) leader_ = member.id;
  if (member.instance_id) static_members_[*member.instance_id] = member.id;
  pending_.erase(member.id);
  const std::string id = member.id;
  members_.insert_or_assign(id, std::move(member));
}

void Group::remove(const std::string& member) {
  pending_.erase(member);
  pending_sync_.erase(member);
  const auto at = members_.find(member);
  if (at == members_.end()) return;
  if (at->second.instance_id) {
    const auto mapped = static_members_.find(*at->second.instance_id);
    if (mapped != static_members_.end() && mapped->second == member) static_members_.erase(mapped);
  }
  members_.erase(at);
  if (leader_ != member) return;
  leader_.reset();
  if (!members_.empty()) leader_ = members_.begin()->first;
}

Member& Group::replace_static(const std::string& instance_id, const std::string& old_id,
                              const std::string& new_id) {
  auto node = members_.extract(old_id);
  ENSURE(!node.empty(), "group {} has no member {}", id_, old_id);
  node.key() = new_id;
  node.mapped().id = new_id;
  node.mapped().awaiting_join.reset();
  node.mapped().awaiting_sync.reset();
  const bool was_pending = pending_sync_.erase(old_id) > 0;
  if (was_pending) pending_sync_.insert(new_id);
  if (leader_ == old_id) leader_ = new_id;
  static_members_[instance_id] = new_id;
  return members_.insert(std::move(node)).position->second;
}

std::optional<std::string> Group::static_member(const std::string& instance_id) const {
  const auto at = static_members_.find(instance_id);
  if (at == static_members_.end()) return std::nullopt;
  return at->second;
}

std::size_t Group::awaiting_join() const {
  return static_cast<std::size_t>(std::count_if(members_.begin(), members_.end(), [](const auto& entry) {
    return entry.second.awaiting_join.has_value();
  }));
}

milliseconds Group::rebalance_timeout() const {
  milliseconds longest{0};
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout);
  return longest;
}

bool Group::supports(const std::string& protocol_type, const Protocols& protocols) const {
  if (members_.empty()) return !protocol_type.empty() && !protocols.empty();
  if (protocol_type_ != protocol_type) return false;
  return std::any_of(protocols.begin(), protocols.end(), [&](const auto& offered) {
    return std::all_of(members_.begin(), members_.end(),
                       [&](const auto& entry) { return has_protocol(entry.second.protocols, offered.name); });
  });
}

std::string Group::select_protocol() const {
  ENSURE(!members_.empty(), "group {}: no member to choose a protocol", id_);
  std::map<std::string, std::size_t> votes;
  for (const auto& [id, member] : members_) {
    const auto choice =
        std::find_if(member.protocols.begin(), member.protocols.end(), [&](const auto& candidate) {
          return std::all_of(members_.begin(), members_.end(), [&](const auto& entry) {
            return has_protocol(entry.second.protocols, candidate.name);
          });
        });
    ENSURE(choice != member.protocols.end(), "group {}: member {} shares no protocol", id_, id);
    ++votes[choice->name];
  }
  return std::max_element(votes.begin(), votes.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

bool Group::elect_joined_leader() {
  if (!leader_) return false;
  if (member(*leader_).awaiting_join) return true;
  for (const auto& [id, member] : members_) {
    if (!member.awaiting_join) continue;
    leader_ = id;
    return true;
  }
  return false;
}

void Group::next_generation(base::WallTime now) {
  ++generation_;
  pending_sync_.clear();
  if (members_.empty()) {
    protocol_name_.reset();
    compute_subscribed_topics();
    transition(State::empty, now);
  } else {
    protocol_name_ = select_protocol();
    compute_subscribed_topics();
    transition(State::completing_rebalance, now);
  }
}

std::vector<protocol::JoinGroupResponse::JoinGroupResponseMember> Group::member_metadata() const {
  std::vector<protocol::JoinGroupResponse::JoinGroupResponseMember> all;
  for (const auto& [id, member] : members_) {
    all.push_back({id, member.instance_id, {member.metadata(protocol_name_.value_or(""))}});
  }
  return all;
}

bool Group::is_consumer_group() const { return protocol_type_ == kConsumer; }

bool Group::subscribes(const std::string& topic) const {
  return subscribed_topics_ && subscribed_topics_->contains(topic);
}

void Group::compute_subscribed_topics() {
  subscribed_topics_.reset();
  if (!is_consumer_group()) return;
  if (members_.empty()) {
    subscribed_topics_.emplace();
    return;
  }
  if (!protocol_name_) return;
  std::set<std::string> topics;
  for (const auto& [id, member] : members_) {
    auto subscription = protocol::decode_versioned<protocol::ConsumerProtocolSubscription>(
        bytes::Slice::own(member.metadata(*protocol_name_)), protocol::NewerVersions::read_as_newest_known);
    if (!subscription) return;  // not a consumer's after all
    topics.insert(subscription->topics.begin(), subscription->topics.end());
  }
  subscribed_topics_ = std::move(topics);
}

void Group::restore(Stored stored) {
  protocol_type_ = std::move(stored.protocol_type);
  protocol_name_ = std::move(stored.protocol_name);
  generation_ = stored.generation;
  state_timestamp_ = stored.state_timestamp;
  for (auto& member : stored.members) insert(std::move(member));
  leader_ = std::move(stored.leader);
  if (leader_ && !has(*leader_))
    leader_ = members_.empty() ? std::nullopt : std::optional(members_.begin()->first);
  state_ = members_.empty() ? State::empty : State::stable;
  compute_subscribed_topics();
}

}  // namespace tandem::broker::group
