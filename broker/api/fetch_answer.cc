#include "broker/api/fetch_answer.h"

#include <algorithm>

#include "broker/api/partition_errors.h"

namespace tandem::broker::api {

using protocol::FetchResponse;

namespace {

constexpr std::int16_t kSinceLeaderHint = 16;

// The limit holds for the response as a whole; owners each kept to it alone.
void trim(std::vector<FetchItem>& items, const FetchRules& rules) {
  std::uint64_t left = rules.bytes_max;
  bool first = rules.version > kHardLimitUntil;
  for (FetchItem& item : items) {
    const std::uint64_t size = item.data.records.size();
    if (size > left && !first) item.data.records = protocol::Records();
    if (size == 0) continue;
    left -= std::min(left, size);
    first = false;
  }
}

void add_partition(FetchResponse& response, const Call& call, const replica::ClusterImage& image,
                   FetchItem& item) {
  if (response.responses.empty() || response.responses.back().topic != item.wanted.topic ||
      response.responses.back().topic_id != item.wanted.topic_id) {
    auto& topic = response.responses.emplace_back();
    topic.topic = item.wanted.topic;
    topic.topic_id = item.wanted.topic_id;
  }
  if (call.version() >= kSinceLeaderHint && moved(item.data.error_code))
    hint_leader(image, call.client->listener, item.wanted.topic, item.data.partition_index, item.data,
                response);
  response.responses.back().partitions.push_back(std::move(item.data));
}

// Partitions that gave data are served last the next time.
void rotate(replica::FetchSession& session, const std::vector<FetchItem>& items) {
  for (const FetchItem& item : items) {
    if (item.gave_data) session.entries.splice(session.entries.end(), session.entries, item.at);
  }
}

}  // namespace

void answer_fetch(Call& call, const replica::ClusterImage& image, const FetchRules& rules,
                  FetchItems& items) {
  trim(items.all(), rules);
  FetchResponse response;
  replica::FetchSession* session = items.session();
  if (session != nullptr) response.session_id = session->id;
  for (FetchItem& item : items.all()) {
    const bool changed = session == nullptr || session->include(*item.at, item.data);
    if (session != nullptr && item.rests) session->rest(item.at);
    if (items.incremental() && session != nullptr && !changed) continue;
    add_partition(response, call, image, item);
  }
  if (session != nullptr) rotate(*session, items.all());
  call.respond.send_linked(response);
}

void refuse_fetch(Call& call, protocol::ErrorCode error) {
  FetchResponse response;
  response.error_code = error;
  call.respond.send(response);
}

}  // namespace tandem::broker::api
