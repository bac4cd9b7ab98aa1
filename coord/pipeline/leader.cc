// What only a leader does: requests of learners' clients, their sessions, and syncs, which wait for what was
// proposed before them and, where that is asked for, until a quorum has confirmed that this is still the
// leader. Source: Apache's LearnerHandler, Leader.processSync, LeaderZooKeeperServer.
#include <algorithm>

#include "base/check.h"
#include "bytes/reader.h"
#include "coord/pipeline/limits.h"
#include "coord/pipeline/owner.h"
#include "coord/pipeline/pipeline.h"
#include "coord/pipeline/wire.h"

namespace tandem::coord::pipeline {

using jute::ErrorCode;
using jute::OpCode;
using jute::SessionId;

// The last number of an epoch is not used: the one after it would be in the next.
bool Pipeline::may_propose() {
  if (options_.role != Role::leader || records::counter_of(preparer_.next_zxid()) != UINT32_MAX) return true;
  if (!exhausted_) effects_.emplace_back(EpochExhausted{});
  exhausted_ = true;
  return false;
}

void Pipeline::on_request(LearnerId learner, const records::ForwardedRequest& request,
                          const std::vector<jute::Id>& ids, Now now) {
  ENSURE(options_.role == Role::leader, "a learner's request, as {}", to_string(options_.role));
  now_ = now;
  const auto held = held_.find(learner.value);
  if (held != held_.end() && held->second.syncs > 0)
    return hold(learner, held->second,
                {request.session, request.cxid, request.type, std::string(request.body), ids, {}});
  take_request(learner, request, ids);
  settle_syncs();
}

void Pipeline::hold(LearnerId learner, HeldRequests& held, HeldRequest request) {
  if (held.dropped) return;
  held.bytes += request.body.size();
  if (held.bytes > kHeldBytesMax || held.requests.size() >= kHeldRequestsMax) {
    held.dropped = true;
    held.requests.clear();
    effects_.emplace_back(DropLearner{learner});
    return;
  }
  held.requests.push_back(std::move(request));
}

void Pipeline::take_request(LearnerId learner, const records::ForwardedRequest& request,
                            const std::vector<jute::Id>& ids) {
  if (request.type == OpCode::sync) {
    PendingSync sync;
    sync.learner = learner;
    return begin_sync(std::move(sync));
  }
  if (!may_propose()) return;
  Preparer::Proposal proposal;
  proposal.session = request.session;
  proposal.owner = owner_of(learner);
  proposal.ids = &ids;
  proposal.request = {request.cxid, request.type, request.body, now_.at};
  const OpRow* row = find_op(request.type);
  const bool creates_session = request.type == OpCode::create_session;
  if (!creates_session && (row == nullptr || row->kind != OpKind::write))
    return submit_error(proposal, ErrorCode::unimplemented);
  if (creates_session) {
    bytes::Reader body(request.body);
    proposal.session_timeout_ms = body.i32();
    if (!body.ok()) return submit_error(proposal, ErrorCode::marshalling_error);
    sessions_.track_proposed(request.session, proposal.session_timeout_ms, now_.at).owner = proposal.owner;
  }
  // A transaction all the same: the learner waits for one.
  if (!submit(proposal, LinkId())) submit_error(proposal, ErrorCode::marshalling_error);
}

void Pipeline::submit_error(const Preparer::Proposal& proposal, ErrorCode err) {
  if (proposing_ == nullptr) proposing_ = std::make_shared<TxnBatch>();
  const std::size_t before = proposing_->bytes.size();
  const jute::Zxid zxid = preparer_.prepare_error(proposal, err, now_.wall, proposing_->bytes);
  count_proposal(proposal, LinkId(), zxid, before);
}

// ---- sessions
// -------------------------------------------------------------------------------------------------

void Pipeline::on_touch(SessionId session, std::int32_t timeout_ms, Now now) {
  now_ = now;
  if (session::Session* known = sessions_.find(session)) sessions_.touch(*known, timeout_ms, now.at);
}

// What the session asked for before, at this learner or at another server, is proposed before the answer:
// from that the learner knows what is no answer to what the session asks for from now on.
void Pipeline::on_revalidate(LearnerId learner, SessionId session, std::int32_t timeout_ms, Now now) {
  on_touch(session, timeout_ms, now);
  if (const auto held = held_.find(learner.value); held != held_.end()) {
    const auto& requests = held->second.requests;
    if (std::any_of(requests.begin(), requests.end(),
                    [&](const auto& each) { return each.session == session; }))
      return hold(learner, held->second, {session, 0, OpCode::error, {}, {}, timeout_ms});
  }
  revalidate(learner, session, timeout_ms);
}

void Pipeline::revalidate(LearnerId learner, SessionId session, std::int32_t timeout_ms) {
  session::Session* known = sessions_.find(session);
  const bool valid = known != nullptr && sessions_.touch(*known, timeout_ms, now_.at);
  if (valid) known->owner = owner_of(learner);
  flush_proposals();
  effects_.emplace_back(AnswerRevalidate{learner, session, valid});
}

// ---- sync
// -----------------------------------------------------------------------------------------------------

void Pipeline::sync(Link& link, const RequestView& request) {
  if (options_.role == Role::read_only) return refuse(link, request, ErrorCode::not_read_only);
  bytes::Reader body(request.body);
  take_buffer(body);
  if (!body.ok()) return refuse(link, request, ErrorCode::marshalling_error);
  if (learns()) {
    ++link.writes_proposed;
    return forward_for(link.id, link.session, request, link.ids);
  }
  if (!options_.sync_quorum_verified) return execute_read(link, request);
  ++link.writes_proposed;
  ++link.syncs_waiting;
  ++clients_waiting_;
  PendingSync sync;
  sync.link = link.id;
  sync.xid = request.xid;
  sync.received = request.received;
  sync.body = std::string(request.body);
  begin_sync(std::move(sync));
  settle_syncs();
}

// What its learner sends behind it waits even where no quorum is asked: many are committed at once, and the
// answer goes out behind all of them.
void Pipeline::begin_sync(PendingSync sync) {
  sync.after = jute::Zxid(preparer_.next_zxid().value - 1);
  if (options_.sync_quorum_verified) {
    confirm_wanted_ = true;
    sync.round = asked_round_ + 1;
  }
  if (sync.learner.value != 0) ++held_[sync.learner.value].syncs;
  pending_syncs_.push_back(std::move(sync));
}

void Pipeline::settle_syncs() {
  while (!pending_syncs_.empty() && pending_syncs_.front().after <= tree_.last_zxid() &&
         pending_syncs_.front().round <= confirmed_round_) {
    const PendingSync sync = std::move(pending_syncs_.front());
    pending_syncs_.pop_front();
    if (sync.learner.value != 0) {
      effects_.emplace_back(AnswerSync{sync.learner});
      take_held(sync.learner);
      continue;
    }
    if (sync.link.value == 0) continue;
    --clients_waiting_;
    Link* link = find(sync.link);
    if (link == nullptr || link->state == Link::State::closing) continue;
    --link->syncs_waiting;
    settle({.link = sync.link,
            .session = link->session,
            .xid = sync.xid,
            .type = OpCode::sync,
            .received = sync.received,
            .body = sync.body});
  }
}

// What came behind a sync now answered, up to the next one.
void Pipeline::take_held(LearnerId learner) {
  HeldRequests& held = held_[learner.value];
  --held.syncs;
  while (held.syncs == 0 && !held.requests.empty()) {
    const HeldRequest request = std::move(held.requests.front());
    held.requests.pop_front();
    held.bytes -= request.body.size();
    if (request.revalidated_for_ms) {
      revalidate(learner, request.session, *request.revalidated_for_ms);
    } else {
      take_request(learner, {request.session, request.cxid, request.op, request.body}, request.ids);
    }
  }
}

void Pipeline::on_leadership_confirmed(std::uint64_t round, Now now) {
  now_ = now;
  confirmed_round_ = std::max(confirmed_round_, round);
  settle_syncs();
  resume_relieved();
}

void Pipeline::on_learner_gone(LearnerId learner) {
  held_.erase(learner.value);
  for (PendingSync& sync : pending_syncs_) {
    if (sync.learner == learner) sync.learner = LearnerId();
  }
}

}  // namespace tandem::coord::pipeline
