// The pipeline of a follower or observer: writes of its clients go to the leader, and the transactions that
// come back, in order, are matched to them by session and cxid. Source: Apache's FollowerRequestProcessor,
// CommitProcessor, Learner.
#include "base/check.h"
#include "coord/pipeline/pipeline.h"
#include "coord/pipeline/wire.h"

namespace tandem::coord::pipeline {

using jute::ErrorCode;
using jute::OpCode;
using jute::SessionId;

void Pipeline::forward(Link& link, const RequestView& request) {
  if (!Preparer::parses(request.type, request.body))
    return refuse(link, request, ErrorCode::marshalling_error);
  // Apache's leader would make a transaction of it that no server can apply.
  if (Preparer::is_ttl_without_mode(request.type, request.body))
    return refuse(link, request, ErrorCode::bad_arguments);
  ++link.writes_proposed;
  forward_for(link.id, link.session, request, link.ids);
}

void Pipeline::forward_for(LinkId link, SessionId session, const RequestView& request,
                           const std::vector<jute::Id>& ids) {
  const Link* asker = find(link);
  const jute::Zxid known = asker != nullptr ? asker->known : jute::Zxid();
  effects_.emplace_back(Forward{session, request.xid, request.type, std::string(request.body), ids});
  in_flight_bytes_ += request.body.size();
  if (link.value != 0) ++clients_waiting_;
  outstanding_.push_back({.link = link,
                          .session = session,
                          .xid = request.xid,
                          .type = request.type,
                          .received = request.received,
                          .body = request.type == OpCode::sync ? std::string(request.body) : std::string(),
                          .bytes = request.body.size(),
                          .known = known});
}

void Pipeline::on_transaction(std::string_view payload, Now now) {
  ENSURE(learns(), "a transaction from a leader, as {}", to_string(options_.role));
  now_ = now;
  apply(payload);
  const auto position = position_of(applied_.header);
  settle(position ? take_answered(*position) : Outstanding{.session = applied_.header.client_id});
  resume_relieved();
}

// The leader answers in the order it was asked: the transaction is the first one's or nobody's. Where it is a
// later one's, the leader has let something fall, but never a sync, whose answer comes before what was asked
// for behind it. Some clients number their requests anew on each connection: what the session asked for at
// another server may have the number of what it asks for here, or has asked for here on a connection before.
std::optional<std::size_t> Pipeline::position_of(const records::TxnHeader& header) const {
  const auto answers = [&header](const Outstanding& waiting) {
    if (waiting.type == OpCode::sync || header.zxid <= waiting.known) return false;
    return waiting.session == header.client_id && waiting.xid == header.cxid &&
           (header.type == waiting.type || header.type == OpCode::error);
  };
  if (outstanding_.empty()) return std::nullopt;
  if (answers(outstanding_.front())) return 0;
  const auto link = session_links_.find(header.client_id.value);
  if (link == session_links_.end()) return std::nullopt;
  for (std::size_t i = 0; i < outstanding_.size() && outstanding_[i].type != OpCode::sync; ++i) {
    if (outstanding_[i].link == link->second && answers(outstanding_[i])) return i;
  }
  return std::nullopt;
}

// Who waited before it will wait in vain: their clients have to ask again.
Pipeline::Outstanding Pipeline::take_answered(std::size_t position) {
  for (std::size_t i = 0;; ++i) {
    Outstanding first = std::move(outstanding_.front());
    outstanding_.pop_front();
    in_flight_bytes_ -= first.bytes;
    if (first.link.value != 0) --clients_waiting_;
    if (i == position) return first;
    if (Link* link = find(first.link)) close(*link);
  }
}

void Pipeline::on_sync_done(Now now) {
  now_ = now;
  for (std::size_t i = 0; i < outstanding_.size(); ++i) {
    if (outstanding_[i].type != OpCode::sync) continue;
    settle(take_answered(i));
    break;
  }
  resume_relieved();
}

void Pipeline::on_revalidated(SessionId session, bool valid, jute::Zxid known, Now now) {
  now_ = now;
  const auto it = revalidating_.find(session.value);
  if (it == revalidating_.end()) return;
  if (--it->second.answers > 0) return;
  Link* link = find(it->second.link);
  revalidating_.erase(it);
  if (link == nullptr || link->state != Link::State::establishing) return;
  link->known = known;
  finish_connect(*link, valid);
  resume_if_relieved(*link);
}

std::vector<records::Touch> Pipeline::take_touches() {
  ++touch_round_;
  return std::exchange(touches_, {});
}

}  // namespace tandem::coord::pipeline
