#include "tests/sim/brokers/members.h"

#include <fmt/format.h>

#include "broker/protocol/messages/find_coordinator.h"
#include "broker/protocol/messages/heartbeat.h"
#include "broker/protocol/messages/join_group.h"
#include "broker/protocol/messages/leave_group.h"
#include "broker/protocol/messages/offset_commit.h"
#include "broker/protocol/messages/offset_fetch.h"
#include "broker/protocol/messages/sync_group.h"

namespace tandem::sim::brokers {

using protocol::ErrorCode;

namespace {

constexpr std::int16_t kFindVersion = 3;
constexpr std::int16_t kJoinVersion = 5;
constexpr std::int16_t kSyncVersion = 3;
constexpr std::int16_t kBeatVersion = 3;
constexpr std::int16_t kFetchVersion = 5;
constexpr std::int16_t kCommitVersion = 7;
constexpr std::int16_t kLeaveVersion = 2;
constexpr Duration kPatience = milliseconds(50);
constexpr double kBeats = 0.4;  // of its steps
constexpr double kLeaves = 0.005;
constexpr const char* kProtocol = "shares";

// "t0:1,t1:0,"
std::string text_of(const std::vector<TopicPartition>& partitions) {
  std::string out;
  for (const auto& at : partitions) out += fmt::format("{}:{},", at.topic, at.partition);
  return out;
}

std::vector<TopicPartition> partitions_of(std::string_view text) {
  std::vector<TopicPartition> out;
  while (!text.empty()) {
    const auto colon = text.find(':');
    const auto comma = text.find(',');
    if (colon == std::string_view::npos || comma == std::string_view::npos) break;
    out.push_back({std::string(text.substr(0, colon)),
                   static_cast<std::int32_t>(leading_number(text.substr(colon + 1)))});
    text.remove_prefix(comma + 1);
  }
  return out;
}

}  // namespace

GroupMember::GroupMember(Surroundings& around, int host, const BrokerOptions& options, base::Random random,
                         Checker& checker, std::string group)
    : SimClient(around, host, options, random), checker_(checker), group_(std::move(group)) {}

void GroupMember::begin() { find(); }

void GroupMember::step_in(Duration delay, void (GroupMember::*step)()) {
  again_in(delay, [this, step] { (this->*step)(); });
}

std::vector<TopicPartition> GroupMember::all_partitions() const {
  std::vector<TopicPartition> out;
  for (int topic = 0; topic < options_.topics; ++topic)
    for (int partition = 0; partition < options_.partitions; ++partition)
      out.push_back({fmt::format("t{}", topic), partition});
  return out;
}

template <class Request>
void GroupMember::ask_coordinator(std::int16_t version, const Request& request, void (GroupMember::*again)(),
                                  std::function<void(const typename Request::Response&)> done) {
  const Office before = checker_.office(coordinator_, group_);
  const bool asked =
      ask<Request>(coordinator_, version, request,
                   [this, broker = coordinator_, before, sent = process_.now(), done,
                    again](base::Result<typename Request::Response> answer) {
                     if (answer) {
                       if constexpr (requires { answer->error_code; })
                         checker_.groups().on_answer(group_, broker, answer->error_code, before,
                                                     checker_.office(broker, group_), sent);
                       return done(*answer);
                     }
                     settled_ = false;
                     coordinator_ = -1;
                     step_in(kPatience, again);
                   });
  if (!asked) step_in(kPatience, again);
}

// What follows an answer: what was meant, where nothing is wrong, or what mends it.
void GroupMember::after(ErrorCode error, void (GroupMember::*next)()) {
  if (error == ErrorCode::none) return step_in(around_mean(options_.think), next);
  settled_ = false;
  switch (error) {
    case ErrorCode::unknown_member_id:
    case ErrorCode::fenced_instance_id:
      member_.clear();
      [[fallthrough]];
    case ErrorCode::illegal_generation:
    case ErrorCode::rebalance_in_progress:
      assigned_ = false;
      return step_in(milliseconds(5), &GroupMember::join);
    case ErrorCode::not_coordinator:
    case ErrorCode::coordinator_not_available:
      coordinator_ = -1;
      return step_in(kPatience, next);
    default:
      return step_in(kPatience, next);
  }
}

void GroupMember::find() {
  if (coordinator_ >= 0) return work();
  protocol::FindCoordinatorRequest request;
  request.key = group_;
  const int broker = static_cast<int>(random_.between(1, options_.brokers));
  const bool asked = ask<protocol::FindCoordinatorRequest>(
      broker, kFindVersion, request, [this](base::Result<protocol::FindCoordinatorResponse> answer) {
        if (answer && answer->error_code == ErrorCode::none) coordinator_ = answer->node_id;
        step_in(kPatience, &GroupMember::find);
      });
  if (!asked) step_in(kPatience, &GroupMember::find);
}

void GroupMember::join() {
  if (coordinator_ < 0) return find();
  protocol::JoinGroupRequest request;
  request.group_id = group_;
  request.session_timeout_ms = static_cast<std::int32_t>(options_.group_session.count());
  request.rebalance_timeout_ms = static_cast<std::int32_t>(options_.group_rebalance.count());
  request.member_id = member_;
  request.protocol_type = "sim";
  request.protocols.push_back({kProtocol, {}});
  ask_coordinator<protocol::JoinGroupRequest>(kJoinVersion, request, &GroupMember::join,
                                              [this](const protocol::JoinGroupResponse& answer) {
                                                if (answer.error_code == ErrorCode::member_id_required) {
                                                  member_ = answer.member_id;
                                                  return step_in(milliseconds(1), &GroupMember::join);
                                                }
                                                if (answer.error_code != ErrorCode::none)
                                                  return after(answer.error_code, &GroupMember::join);
                                                member_ = answer.member_id;
                                                generation_ = answer.generation_id;
                                                std::vector<std::string> members;
                                                if (answer.leader == member_)
                                                  for (const auto& each : answer.members)
                                                    members.push_back(each.member_id);
                                                sync(std::move(members));
                                              });
}

void GroupMember::sync(std::vector<std::string> members) {
  protocol::SyncGroupRequest request;
  request.group_id = group_;
  request.generation_id = generation_;
  request.member_id = member_;
  std::vector<std::vector<TopicPartition>> shares(members.size());
  const auto all = all_partitions();
  for (std::size_t i = 0; i < all.size() && !members.empty(); ++i)
    shares[i % members.size()].push_back(all[i]);
  for (std::size_t i = 0; i < members.size(); ++i)
    request.assignments.push_back({members[i], {text_of(shares[i])}});
  ask_coordinator<protocol::SyncGroupRequest>(kSyncVersion, request, &GroupMember::join,
                                              [this](const protocol::SyncGroupResponse& answer) {
                                                if (answer.error_code != ErrorCode::none)
                                                  return after(answer.error_code, &GroupMember::join);
                                                take(answer.assignment.data);
                                              });
}

void GroupMember::take(const std::string& assignment) {
  const auto owned = partitions_of(assignment);
  checker_.groups().on_synced(group_, generation_, member_, owned);
  position_.clear();
  for (const auto& at : owned) position_[at] = 0;
  fetch();
}

void GroupMember::fetch() {
  if (coordinator_ < 0) return find();
  if (position_.empty()) {
    assigned_ = true;
    return work();
  }
  protocol::OffsetFetchRequest request;
  request.group_id = group_;
  request.topics.emplace();
  std::map<TopicPartition, std::int64_t> at_least;
  for (const auto& [at, position] : position_) {
    if (request.topics->empty() || request.topics->back().name != at.topic)
      request.topics->push_back({at.topic, {}});
    request.topics->back().partition_indexes.push_back(at.partition);
    at_least[at] = checker_.groups().acknowledged_up_to(group_, at);
  }
  const Office before = checker_.office(coordinator_, group_);
  ask_coordinator<protocol::OffsetFetchRequest>(
      kFetchVersion, request, &GroupMember::fetch,
      [this, at_least, before, broker = coordinator_](const protocol::OffsetFetchResponse& answer) {
        if (answer.error_code != ErrorCode::none) return after(answer.error_code, &GroupMember::fetch);
        // One that does not know yet that it was deposed may tell what was committed then.
        const bool current =
            before.leads && before == checker_.office(broker, group_) && checker_.is_newest(before, group_);
        for (const auto& topic : answer.topics) {
          for (const auto& row : topic.partitions) {
            const TopicPartition at{topic.name, row.partition_index};
            if (current)
              checker_.groups().on_fetched(group_, at, at_least.at(at), row.committed_offset,
                                           row.metadata.value_or(""));
            position_[at] = std::max<std::int64_t>(0, row.committed_offset);
          }
        }
        if (!current) return step_in(kPatience, &GroupMember::join);
        assigned_ = true;
        work();
      });
}

void GroupMember::work() {
  if (coordinator_ < 0) return find();
  if (generation_ < 0 || member_.empty()) return join();
  if (!assigned_) return join();
  if (!stopped_ && random_.chance(kLeaves)) return leave();
  if (position_.empty() || stopped_ || random_.chance(kBeats)) return beat();
  commit();
}

void GroupMember::beat() {
  protocol::HeartbeatRequest request;
  request.group_id = group_;
  request.generation_id = generation_;
  request.member_id = member_;
  ask_coordinator<protocol::HeartbeatRequest>(kBeatVersion, request, &GroupMember::work,
                                              [this](const protocol::HeartbeatResponse& answer) {
                                                settled_ = answer.error_code == ErrorCode::none;
                                                after(answer.error_code, &GroupMember::work);
                                              });
}

void GroupMember::commit() {
  auto chosen = position_.begin();
  std::advance(chosen, random_.below(position_.size()));
  const TopicPartition at = chosen->first;
  // Further on whatever becomes of it, as one that has consumed so far.
  const std::int64_t offset = chosen->second += random_.between(1, 5);
  const std::uint64_t attempt = checker_.groups().on_commit(group_, generation_, at, offset);
  protocol::OffsetCommitRequest request;
  request.group_id = group_;
  request.generation_id_or_member_epoch = generation_;
  request.member_id = member_;
  auto& topic = request.topics.emplace_back();
  topic.name = at.topic;
  auto& row = topic.partitions.emplace_back();
  row.partition_index = at.partition;
  row.committed_offset = offset;
  row.committed_metadata = std::to_string(attempt);
  ask_coordinator<protocol::OffsetCommitRequest>(
      kCommitVersion, request, &GroupMember::work,
      [this, attempt](const protocol::OffsetCommitResponse& answer) {
        const ErrorCode error = answer.topics.empty() || answer.topics[0].partitions.empty()
                                    ? ErrorCode::unknown_server_error
                                    : answer.topics[0].partitions[0].error_code;
        checker_.groups().on_commit_answered(attempt, error);
        after(error, &GroupMember::work);
      });
}

void GroupMember::leave() {
  protocol::LeaveGroupRequest request;
  request.group_id = group_;
  request.member_id = member_;
  assigned_ = settled_ = false;
  member_.clear();
  ask_coordinator<protocol::LeaveGroupRequest>(kLeaveVersion, request, &GroupMember::join,
                                               [this](const protocol::LeaveGroupResponse&) {
                                                 step_in(around_mean(milliseconds(300)), &GroupMember::join);
                                               });
}

}  // namespace tandem::sim::brokers
