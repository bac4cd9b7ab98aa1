#include "broker/api/fetch_items.h"

namespace tandem::broker::api {

using protocol::ErrorCode;
using protocol::FetchRequest;

FetchItems::FetchItems(Services& services, const replica::ClusterImage& image)
    : services_(services), image_(image), home_(services.shards.current()), set_(services.shards.size()) {}

ErrorCode FetchItems::begin(const FetchRequest& request, const FetchRules& rules) {
  auto& sessions = services_.replicas->sessions(home_);
  context_ = sessions.begin(request, rules.version, wanted(request, rules.version), services_.clock.now());
  if (context_.error != ErrorCode::none) return context_.error;
  if (context_.incremental || context_.session != nullptr) items_.clear();  // the session has them all
  if (context_.session == nullptr) {
    for (FetchItem& item : items_) place(item);
    return ErrorCode::none;
  }
  session_epoch_ = context_.session->epoch;
  // Partitions of followers rest; a consumer's sessions are small, and waits for as many bytes as it says.
  if (rules.replica_id >= 0 && request.min_bytes <= 1 && !rules.rack_aware) begin_rest(*context_.session);
  auto& entries = context_.session->entries;
  for (auto at = entries.begin(); at != entries.end(); ++at) add(at);
  return ErrorCode::none;
}

replica::FetchSession* FetchItems::session() {
  if (context_.session == nullptr) return nullptr;
  auto* found = services_.replicas->sessions(home_).find(context_.session_id);
  return found != nullptr && found->epoch == session_epoch_ ? found : nullptr;
}

// What the request names: a session keeps it, without one it is all there is.
std::vector<replica::WantedPartition> FetchItems::wanted(const FetchRequest& request, std::int16_t version) {
  std::vector<replica::WantedPartition> out;
  for (const auto& topic : request.topics) {
    std::string name = topic.topic;
    if (version >= kSinceTopicIds) {
      const auto known = image_.topic(topic.topic_id);
      name = known ? known->name : std::string();
    }
    for (const auto& partition : topic.partitions) {
      out.push_back({name, topic.topic_id, partition});
      items_.emplace_back().wanted = out.back();
    }
  }
  return out;
}

// A session may have begun before this broker heard of the topic.
void FetchItems::resolve(replica::WantedPartition& wanted) const {
  if (!wanted.topic.empty()) return;
  if (const auto known = image_.topic(wanted.topic_id)) wanted.topic = known->name;
}

void FetchItems::place(FetchItem& item) {
  item.shard = services_.shards.owner(item.wanted.topic, item.wanted.request.partition);
  set_.add(item.shard);
}

void FetchItems::add(replica::FetchSession::Entries::iterator at) {
  resolve(at->wanted);
  FetchItem& item = items_.emplace_back();
  item.wanted = at->wanted;
  item.at = at;
  if (at->told_once) item.told = at->told;
  place(item);
  if (rest_ == nullptr) return;
  rest_->use(item.shard);
  if (at->server == nullptr) at->server = Resting::make(rest_, at);
  item.resting = Resting::of(at->server);
  item.resting->rise();
}

// ---- what rests ----------------------------------------------------------------------------------------

void FetchItems::begin_rest(replica::FetchSession& session) {
  if (session.server == nullptr) session.server = std::make_shared<SessionRest>(set_.size());
  rest_ = std::static_pointer_cast<SessionRest>(session.server);
  for (const auto& changed : rest_->take()) {
    if (const auto at = changed->at()) session.wake(*at);
  }
  // What rests is fetched as well: its pulse beats.
  for (std::size_t shard = 0; shard < set_.size(); ++shard) {
    if (rest_->uses(shard)) set_.add(shard);
  }
}

const std::shared_ptr<replica::FetchPulse>& FetchItems::pulse(std::size_t shard) const {
  static const std::shared_ptr<replica::FetchPulse> kNone;
  return rest_ == nullptr ? kNone : rest_->pulse(shard);
}

void FetchItems::take_changed() {
  auto* open = rest_ == nullptr ? nullptr : session();
  if (open == nullptr) return;
  for (const auto& changed : rest_->take()) {
    const auto at = changed->at();
    if (!at || !(*at)->rests) continue;
    open->wake(*at);
    add(*at);
  }
}

}  // namespace tandem::broker::api
