#include "broker/replica/fetch_session.h"

#include <algorithm>
#include <utility>

namespace tandem::broker::replica {

using protocol::ErrorCode;

namespace {

constexpr std::int32_t kInitialEpoch = 0;
constexpr std::int32_t kFinalEpoch = -1;
constexpr base::Duration kEvictAfter =
    std::chrono::minutes(2);  // a session unused that long gives its slot away

}  // namespace

bool FetchSession::include(Entry& entry, const protocol::FetchResponse::PartitionData& data) {
  const bool error = data.error_code != ErrorCode::none;
  const bool changed = !entry.told_once || data.records.size() > 0 || error || entry.told.error ||
                       entry.told.high_watermark != data.high_watermark ||
                       entry.told.log_start_offset != data.log_start_offset ||
                       data.diverging_epoch.epoch >= 0 || data.preferred_read_replica >= 0;
  // An error is said again each time; what a client was told of a partition in error does not count.
  // Who has to truncate first takes nothing else from the answer: the watermark is said again.
  const bool parts = data.diverging_epoch.epoch >= 0;
  entry.told = {parts ? -1 : data.high_watermark, data.log_start_offset, error};
  entry.told_once = !error;
  return changed;
}

FetchSession* FetchSessions::find(std::int32_t id) {
  const auto it = sessions_.find(id);
  return it == sessions_.end() ? nullptr : &it->second;
}

bool FetchSessions::make_room(base::Instant now) {
  if (sessions_.size() < slots_max_) return true;
  const auto oldest = std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
    return a.second.last_used < b.second.last_used;
  });
  if (oldest == sessions_.end() || now - oldest->second.last_used < kEvictAfter) return false;
  sessions_.erase(oldest);
  return true;
}

FetchContext FetchSessions::create(std::vector<WantedPartition> wanted, bool by_topic_id, base::Instant now) {
  FetchContext context;
  if (wanted.empty() || !make_room(now)) return context;
  std::int32_t id = 0;
  while (id == 0 || sessions_.contains(id)) id = static_cast<std::int32_t>(random_.next() & 0x7fffffff);
  FetchSession& session = sessions_[id];
  session.id = id;
  session.by_topic_id = by_topic_id;
  session.last_used = now;
  for (auto& partition : wanted) session.put(std::move(partition));
  context.session_id = id;
  context.session = &session;
  return context;
}

void FetchSession::rest(Entries::iterator entry) {
  if (std::exchange(entry->rests, true)) return;
  resting.splice(resting.end(), entries, entry);
}

void FetchSession::wake(Entries::iterator entry) {
  if (std::exchange(entry->rests, false)) entries.splice(entries.end(), resting, entry);
}

void FetchSession::put(WantedPartition partition) {
  Key key = key_of(partition.topic, partition.topic_id, partition.request.partition);
  const auto known = index_.find(key);
  if (known != index_.end()) {
    // Who follows in another epoch has dropped an answer that came meanwhile: the watermark is said again.
    const auto& before = known->second->wanted.request;
    if (partition.request.current_leader_epoch != before.current_leader_epoch)
      known->second->told.high_watermark = -1;
    known->second->wanted = std::move(partition);
    return wake(known->second);
  }
  entries.push_back({.wanted = std::move(partition), .told = {}});
  index_.emplace(std::move(key), std::prev(entries.end()));
}

void FetchSession::forget(const Key& key) {
  const auto known = index_.find(key);
  if (known == index_.end()) return;
  (known->second->rests ? resting : entries).erase(known->second);
  index_.erase(known);
}

void FetchSessions::update(FetchSession& session, std::vector<WantedPartition> wanted,
                           const std::vector<protocol::FetchRequest::ForgottenTopic>& forgotten) {
  for (auto& partition : wanted) session.put(std::move(partition));
  for (const auto& topic : forgotten) {
    for (const std::int32_t partition : topic.partitions)
      session.forget(FetchSession::key_of(topic.topic, topic.topic_id, partition));
  }
}

FetchContext FetchSessions::begin(const protocol::FetchRequest& request, std::int16_t version,
                                  std::vector<WantedPartition> wanted, base::Instant now) {
  const bool by_topic_id = version >= 13;
  if (request.session_epoch == kFinalEpoch || request.session_epoch == kInitialEpoch) {
    if (request.session_id != 0) sessions_.erase(request.session_id);
    if (request.session_epoch == kFinalEpoch || version < 7) return {};
    return create(std::move(wanted), by_topic_id, now);
  }
  FetchContext context;
  FetchSession* session = find(request.session_id);
  if (session == nullptr) {
    context.error = ErrorCode::fetch_session_id_not_found;
    return context;
  }
  if (session->epoch != request.session_epoch) {
    context.error = ErrorCode::invalid_fetch_session_epoch;
    return context;
  }
  if (session->by_topic_id != by_topic_id) {
    context.error = ErrorCode::fetch_session_topic_id_error;
    return context;
  }
  update(*session, std::move(wanted), request.forgotten_topics_data);
  session->last_used = now;
  if (session->empty()) {  // everything forgotten: the session ends with this response
    sessions_.erase(request.session_id);
    return context;
  }
  session->epoch = next_session_epoch(session->epoch);
  context.session_id = session->id;
  context.session = session;
  context.incremental = true;
  return context;
}

}  // namespace tandem::broker::replica
