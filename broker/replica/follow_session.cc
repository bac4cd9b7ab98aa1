#include "broker/replica/follow_session.h"

#include <algorithm>

namespace tandem::broker::replica {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;
using zk::TopicPartition;

namespace {

constexpr std::int32_t kNewSession = 0;

// The row of the topic, which follows the last one when it is another.
template <class Rows>
auto& row_of(Rows& rows, const WantedPartition& wanted) {
  if (rows.empty() || rows.back().topic != wanted.topic || rows.back().topic_id != wanted.topic_id) {
    auto& row = rows.emplace_back();
    row.topic = wanted.topic;
    row.topic_id = wanted.topic_id;
  }
  return rows.back().partitions;
}

}  // namespace

void FollowSession::build(const std::vector<WantedPartition>& wanted, bool by_topic_id,
                          FetchRequest& request) {
  // A session speaks of topics in one way.
  if (epoch_ != kNewSession && by_topic_id != by_topic_id_) epoch_ = kNewSession;
  by_topic_id_ = by_topic_id;
  asked_in_full_ = epoch_ == kNewSession;
  if (asked_in_full_) told_.clear();
  request.session_id = id_;
  request.session_epoch = epoch_;
  std::map<TopicPartition, WantedPartition> before = std::move(told_);
  told_.clear();
  for (const WantedPartition& partition : wanted) {
    const TopicPartition key{partition.topic, partition.request.partition};
    const auto known = before.find(key);
    const bool same_topic = known != before.end() && known->second.topic_id == partition.topic_id;
    if (!same_topic || known->second.request != partition.request)
      row_of(request.topics, partition).push_back(partition.request);
    if (same_topic) before.erase(known);
    told_.emplace(key, partition);
  }
  // What remains is wanted no more, or is a topic that was made anew under its old name.
  for (const auto& [key, partition] : before)
    row_of(request.forgotten_topics_data, partition).push_back(key.partition);
  names_.clear();
  for (const auto& [key, partition] : told_) names_[partition.topic_id] = key.topic;
}

void FollowSession::begin_anew() {
  id_ = 0;
  epoch_ = kNewSession;
}

void FollowSession::on_lost() { epoch_ = kNewSession; }  // the id goes along, so that the leader can close it

TopicPartition FollowSession::named(const FetchResponse::FetchableTopicResponse& topic,
                                    std::int32_t partition) const {
  TopicPartition key{topic.topic, partition};
  if (by_topic_id_) {
    const auto name = names_.find(topic.topic_id);
    key.topic = name == names_.end() ? "" : name->second;
  }
  if (!told_.contains(key)) key.topic.clear();
  return key;
}

// A full request is answered in full; no response speaks of what is not in the session.
bool FollowSession::answers_what_was_asked(const FetchResponse& response) const {
  std::size_t answered = 0;
  for (const auto& topic : response.responses) {
    for (const auto& data : topic.partitions) {
      if (named(topic, data.partition_index).topic.empty()) return false;
      ++answered;
    }
  }
  return !asked_in_full_ || answered == told_.size();
}

FollowSession::Verdict FollowSession::accept(const FetchResponse& response) {
  switch (response.error_code) {
    case ErrorCode::none:
      break;
    case ErrorCode::fetch_session_id_not_found:
      begin_anew();
      return Verdict::again;
    case ErrorCode::invalid_fetch_session_epoch:
      on_lost();
      return Verdict::again;
    default:
      on_lost();
      return Verdict::not_known;
  }
  if (!answers_what_was_asked(response)) {
    if (asked_in_full_) {
      begin_anew();
    } else {
      on_lost();
    }
    return Verdict::not_known;
  }
  if (response.session_id == 0) {  // the leader keeps no session, or has ended it
    begin_anew();
  } else {
    id_ = response.session_id;
    epoch_ = next_session_epoch(epoch_);
  }
  return Verdict::good;
}

}  // namespace tandem::broker::replica
