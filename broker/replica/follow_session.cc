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

void FollowSession::want(WantedPartition partition) {
  TopicPartition key{partition.topic, partition.request.partition};
  const auto known = rows_.find(key);
  if (known != rows_.end()) {
    const WantedPartition& before = known->second.wanted;
    if (before.topic_id == partition.topic_id) {
      if (before.request == partition.request) return;
      known->second.wanted = std::move(partition);
      changed_.insert(std::move(key));
      return;
    }
    drop(key);  // a topic that was made anew under its old name
  }
  if (partition.topic_id.is_zero()) ++without_id_;
  names_[partition.topic_id] = partition.topic;
  changed_.insert(key);
  rows_[std::move(key)].wanted = std::move(partition);
}

void FollowSession::drop(const TopicPartition& partition) {
  const auto known = rows_.find(partition);
  if (known == rows_.end()) return;
  if (known->second.wanted.topic_id.is_zero()) --without_id_;
  // What was told first is what the leader knows.
  if (known->second.told) forgotten_.emplace(partition, std::move(known->second.wanted));
  rows_.erase(known);
  changed_.erase(partition);
}

void FollowSession::build(bool by_topic_id, FetchRequest& request) {
  // A session speaks of topics in one way.
  if (epoch_ != kNewSession && by_topic_id != by_topic_id_) epoch_ = kNewSession;
  by_topic_id_ = by_topic_id;
  asked_in_full_ = epoch_ == kNewSession;
  request.session_id = id_;
  request.session_epoch = epoch_;
  const auto tell = [&request](Row& row) {
    row_of(request.topics, row.wanted).push_back(row.wanted.request);
    row.told = true;
  };
  if (asked_in_full_) {
    names_.clear();
    for (auto& [key, row] : rows_) {
      names_[row.wanted.topic_id] = key.topic;
      tell(row);
    }
  } else {
    for (const auto& key : changed_) {
      Row& row = rows_.at(key);
      // It came back as it was: the leader never heard that it was to go.
      const auto gone = forgotten_.find(key);
      if (gone != forgotten_.end() && gone->second.topic_id == row.wanted.topic_id) forgotten_.erase(gone);
      tell(row);
    }
    for (const auto& [key, partition] : forgotten_)
      row_of(request.forgotten_topics_data, partition).push_back(key.partition);
  }
  changed_.clear();
  forgotten_.clear();
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
  const auto row = rows_.find(key);
  const bool known = row != rows_.end() && (!by_topic_id_ || row->second.wanted.topic_id == topic.topic_id);
  if (!known) key.topic.clear();
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
  return !asked_in_full_ || answered == rows_.size();
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
