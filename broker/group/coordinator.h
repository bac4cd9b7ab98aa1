// CORE: the group coordinator of one broker, for the partitions of __consumer_offsets that it leads. Requests
// come in with the time; responses that must wait go out as Reply effects, records as Append effects whose
// outcome comes back by on_appended(). Loading a partition is begin_load(), replay() of its records,
// end_load(). Single-threaded; the shell drains take() after each call and sets its timer to next_deadline().
// Rules of Kafka 3.9's GroupCoordinator, KIP-211, KIP-345, KIP-394, KIP-814.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/deadline_set.h"
#include "base/random.h"
#include "broker/group/group.h"
#include "broker/group/group_records.h"
#include "broker/group/types.h"
#include "broker/protocol/messages/delete_groups.h"
#include "broker/protocol/messages/describe_groups.h"
#include "broker/protocol/messages/heartbeat.h"
#include "broker/protocol/messages/leave_group.h"
#include "broker/protocol/messages/list_groups.h"
#include "broker/protocol/messages/offset_delete.h"
#include "broker/protocol/messages/offset_fetch.h"

namespace tandem::broker::group {

class GroupCoordinator {
 public:
  GroupCoordinator(GroupOptions options, base::Random random) : options_(options), random_(random) {}

  // Partitions of __consumer_offsets. While one loads, its groups answer COORDINATOR_LOAD_IN_PROGRESS.
  void begin_load(std::int32_t partition);
  base::Status replay(std::int32_t partition, std::string_view key, std::optional<std::string_view> value);
  void end_load(std::int32_t partition, Now now);
  void unload(std::int32_t partition, Now now);  // waiting requests are answered NOT_COORDINATOR
  void start(Now now);                           // begins the rounds of offset expiry

  // Answered by a Reply with this ticket, perhaps at once. `version` is the request's.
  void join(Ticket ticket, const Caller& caller, const protocol::JoinGroupRequest& request,
            std::int16_t version, Now now);
  void sync(Ticket ticket, const protocol::SyncGroupRequest& request, Now now);
  void commit(Ticket ticket, const protocol::OffsetCommitRequest& request, std::int16_t version, Now now);

  ErrorCode heartbeat(const protocol::HeartbeatRequest& request, Now now);
  protocol::LeaveGroupResponse leave(const protocol::LeaveGroupRequest& request, std::int16_t version,
                                     Now now);
  // One group; `topics` null asks for all.
  protocol::OffsetFetchResponse::OffsetFetchResponseGroup fetch(
      const protocol::OffsetFetchRequest::OffsetFetchRequestGroup& request) const;
  protocol::DescribeGroupsResponse::DescribedGroup describe(const std::string& group) const;
  protocol::ListGroupsResponse list(const protocol::ListGroupsRequest& request) const;
  ErrorCode delete_group(const std::string& group, Now now);
  protocol::OffsetDeleteResponse delete_offsets(const protocol::OffsetDeleteRequest& request);
  void on_topic_deleted(const std::string& topic);  // its offsets go with it

  void on_appended(std::uint64_t append_id, ErrorCode error, Now now);
  void on_deadline(Now now);
  std::optional<base::Instant> next_deadline() const { return deadlines_.next(); }
  std::vector<Effect> take() { return std::exchange(effects_, {}); }

  std::size_t group_count() const { return groups_.size(); }

 private:
  enum class Timer : std::uint8_t { session, pending_member, join, sync, expiry };
  using TimerKey = std::tuple<Timer, std::string, std::string>;  // kind, group, member
  using OnAppended = std::function<void(ErrorCode, Now)>;

  enum class Api { needs_name, allows_empty_name };
  ErrorCode check(const std::string& group, Api api) const;
  Group* find(const std::string& group);
  const Group* find(const std::string& group) const;
  Group& make(const std::string& group);
  void append(const std::string& group, std::vector<Record> records, OnAppended on_appended);

  // Members.
  std::optional<ErrorCode> fault_of(const Group& group, const std::string& member,
                                    const std::optional<std::string>& instance_id) const;
  std::string make_member_id(const std::string& stem);
  void watch_session(const Group& group, const Member& member, milliseconds timeout, Now now);
  void unwatch(const Group& group, const std::string& member);
  void remove_member(Group& group, const std::string& member, Now now);
  void remove_pending(Group& group, const std::string& member, Now now);
  ErrorCode leave_one(Group& group, const protocol::LeaveGroupRequest::MemberIdentity& leaving, Now now);

  // Joining.
  struct Joining;
  bool accepts(const Group& group, const std::string& member) const;
  void join_new(Group& group, const Joining& joining, Now now);
  void join_new_static(Group& group, const Joining& joining, const std::string& new_id, Now now);
  void join_current(Group& group, const Joining& joining, Now now);
  void add_and_rebalance(Group& group, const Joining& joining, const std::string& id, Now now);
  void update_and_rebalance(Group& group, Member& member, const Joining& joining, Now now);
  void replace_static(Group& group, const Joining& joining, const std::string& old_id,
                      const std::string& new_id, Now now);
  void store_replaced(Group& group, const Joining& joining, const std::string& old_leader,
                      const Member& before, const std::string& new_id, Now now);
  void reply_join(Ticket ticket, ErrorCode error, const std::string& member);
  void reply_joined(Group& group, Member& member, bool with_members, bool skip_assignment,
                    const std::string& leader);

  // Rebalancing.
  void prepare_rebalance(Group& group, Now now);
  void try_complete_join(Group& group, Now now);
  void complete_join(Group& group, Now now);
  void on_join_timer(Group& group, Now now);
  void on_sync_timer(Group& group, Now now);
  void store_assignment(Group& group, const protocol::SyncGroupRequest& request);
  void propagate(Group& group, ErrorCode error, Now now);
  void reply_sync(Ticket ticket, ErrorCode error, const Group* group, const std::string& assignment);

  // Offsets.
  ErrorCode commit_fault(const Group& group, const protocol::OffsetCommitRequest& request) const;
  void store_commit(Ticket ticket, Group& group, const protocol::OffsetCommitRequest& request,
                    std::int16_t version, Now now);
  void expire_offsets(Now now);
  void expire_in(Group& group, Now now);

  GroupOptions options_;
  base::Random random_;
  std::map<std::string, std::unique_ptr<Group>> groups_;
  std::set<std::int32_t> owned_, loading_;
  // Of groups in their first rebalance: how much longer newcomers may prolong it.
  std::map<std::string, milliseconds> initial_delay_left_;
  base::DeadlineSet<TimerKey> deadlines_;
  std::map<std::uint64_t, OnAppended> appends_;
  std::uint64_t last_append_ = 0;
  std::vector<Effect> effects_;
};

}  // namespace tandem::broker::group
