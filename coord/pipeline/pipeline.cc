// Links, the order of their requests, proposals; connect.cc and local_session.cc have sessions, leader.cc and
// learner.cc what servers tell each other, commit.cc what follows a transaction.
#include "coord/pipeline/pipeline.h"

#include <algorithm>

#include "base/check.h"
#include "bytes/reader.h"
#include "coord/auth/id_set.h"
#include "coord/pipeline/limits.h"
#include "coord/pipeline/owner.h"
#include "coord/pipeline/wire.h"
#include "jute/codec.h"

namespace tandem::coord::pipeline {

using jute::ErrorCode;
using jute::OpCode;

namespace {

RequestView request_of(std::string_view frame, base::Instant received) {
  bytes::Reader reader(frame);
  RequestView request;
  request.xid = reader.i32();
  request.type = static_cast<OpCode>(reader.i32());
  request.body = reader.rest();
  request.received = received;
  return request;
}

PrepareOptions prepare_options(const PipelineOptions& options) {
  PrepareOptions prepare = options.prepare;
  prepare.ensemble = options.role == Role::leader;
  prepare.local_sessions = options.local_sessions;
  return prepare;
}

}  // namespace

const char* to_string(Role role) {
  switch (role) {
    case Role::standalone:
      return "standalone";
    case Role::leader:
      return "leader";
    case Role::follower:
      return "follower";
    case Role::observer:
      return "observer";
    case Role::read_only:
      return "read-only";
  }
  UNREACHABLE("role {}", static_cast<int>(role));
}

Pipeline::Pipeline(PipelineOptions options, tree::DataTree& tree, session::SessionTracker& sessions,
                   const auth::Authorizer& authorizer, Outputs& outputs, Now now)
    : options_(options),
      tree_(tree),
      sessions_(sessions),
      local_(sessions.tick(), jute::SessionId()),
      authorizer_(authorizer),
      outputs_(outputs),
      preparer_(prepare_options(options), tree, sessions, local_, authorizer),
      reader_(tree, watches_, authorizer),
      reaper_(options.reaper, tree, now.at),
      since_(now.at),
      now_(now),
      next_link_(options.first_link) {
  sessions_.begin(leads(), now.at);
}

Pipeline::~Pipeline() = default;

// ---- links
// --------------------------------------------------------------------------------------------------

LinkId Pipeline::open_link(std::string address, std::uint16_t port, Now now) {
  std::uint32_t slot = 0;
  if (free_slots_.empty()) {
    slot = static_cast<std::uint32_t>(links_.size());
    ENSURE(slot < (1U << kSlotBits), "no slot left for a link");
    links_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  auto link = std::make_unique<Link>();
  link->id = LinkId(next_link_++ << kSlotBits | slot);
  link->slot = slot;
  link->ids.push_back({"ip", address});
  link->address = std::move(address);
  link->port = port;
  link->stats.established_ms = now.wall.ms;
  links_[slot] = std::move(link);
  ++open_links_;
  return links_[slot]->id;
}

Link* Pipeline::find(LinkId id) {
  const std::uint32_t slot = slot_of(id);
  if (id.value == 0 || slot >= links_.size() || links_[slot] == nullptr || links_[slot]->id != id)
    return nullptr;
  return links_[slot].get();
}

const Link* Pipeline::find(LinkId id) const { return const_cast<Pipeline*>(this)->find(id); }

jute::SessionId Pipeline::session_of(tree::WatcherId watcher) const {
  return watcher < links_.size() && links_[watcher] != nullptr ? links_[watcher]->session : jute::SessionId();
}

void Pipeline::on_link_closed(LinkId id) {
  Link* link = find(id);
  if (link == nullptr) return;
  release(*link);
  --open_links_;
  free_slots_.push_back(link->slot);
  links_[link->slot].reset();
}

// Nothing more is heard from it nor said to it: watches, queue and session stay behind at once.
void Pipeline::release(Link& link) {
  watches_.remove_watcher(link.slot);
  link.queue.clear();
  link.queued_bytes = 0;
  if (link.choked) --choked_;
  link.choked = false;
  if (link.session.value != 0) {
    const auto it = session_links_.find(link.session.value);
    if (it != session_links_.end() && it->second == link.id) session_links_.erase(it);
  }
}

void Pipeline::close(Link& link) {
  if (link.state == Link::State::closing) return;
  link.state = Link::State::closing;
  release(link);
  effects_.emplace_back(CloseLink{link.id});
}

void Pipeline::end() {
  for (const auto& link : links_) {
    if (link != nullptr) close(*link);
  }
  proposing_.reset();
  confirm_wanted_ = false;
}

void Pipeline::reset_link_stats() {
  for (const auto& link : links_) {
    if (link == nullptr) continue;
    const std::int64_t established_ms = link->stats.established_ms;
    link->stats = LinkStats();
    link->stats.established_ms = established_ms;
  }
}

// ---- order
// --------------------------------------------------------------------------------------------------

void Pipeline::on_frame(LinkId id, std::string_view frame, Now now) {
  now_ = now;
  Link* link = find(id);
  if (link == nullptr || link->state == Link::State::closing) return;
  ++link->stats.packets_received;
  ++stats_.packets_received;
  if (link->state == Link::State::connecting) {
    on_connect(*link, frame);
  } else {
    receive(*link, frame);
  }
  if (!link->choked && link->state != Link::State::closing && should_choke(*link)) {
    link->choked = true;
    ++choked_;
  }
}

// A read waits for the writes before it. A write goes on at once, past waiting reads, unless something that
// has to be answered before it could be overtaken by its transaction.
bool Pipeline::must_wait(const Link& link, OpKind kind, OpCode type) const {
  if (link.state == Link::State::establishing) return true;
  switch (kind) {
    case OpKind::auth:
      return false;
    case OpKind::refused:
      return !link.queue.empty();
    case OpKind::read:
    case OpKind::sync:
      return !link.queue.empty() || link.writes_waiting() > 0;
    case OpKind::write:
      if (link.local && type == OpCode::close_session)
        return !link.queue.empty() || link.writes_waiting() > 0;
      return link.writes_queued > 0 || link.syncs_waiting > 0 || link.awaiting_output;
  }
  UNREACHABLE("kind {}", static_cast<int>(kind));
}

void Pipeline::receive(Link& link, std::string_view frame) {
  bytes::Reader reader(frame);
  reader.i32();
  const auto type = static_cast<OpCode>(reader.i32());
  if (!reader.ok()) return close(link);
  const OpRow* row = find_op(type);
  OpKind kind = row == nullptr ? OpKind::refused : row->kind;
  if (kind == OpKind::sync && (learns() || options_.sync_quorum_verified)) kind = OpKind::write;
  if (link.state == Link::State::open && kind != OpKind::auth && !hear(link)) return;
  if (type == OpCode::close_session) link.ending = true;
  if (must_wait(link, kind, type)) {
    Link::Queued queued{.received = now_.at, .frame = std::string(frame)};
    queued.write = kind == OpKind::write && !(link.local && type == OpCode::close_session);
    return enqueue(link, std::move(queued));
  }
  dispatch(link, frame, now_.at);
}

void Pipeline::enqueue(Link& link, Link::Queued queued) {
  queued.after = link.writes_before();
  if (queued.write) ++link.writes_queued;
  link.queued_bytes += queued.frame.size();
  link.queue.push_back(std::move(queued));
}

void Pipeline::dispatch(Link& link, std::string_view frame, base::Instant received) {
  const RequestView request = request_of(frame, received);
  const OpRow* row = find_op(request.type);
  const OpKind kind = row == nullptr ? OpKind::refused : row->kind;
  switch (kind) {
    case OpKind::auth:
      return on_auth(link, request.xid, request.body);
    case OpKind::refused:
      return refuse_unimplemented(link, request.xid);
    case OpKind::write:
      return write(link, request);
    case OpKind::sync:
      if (options_.role != Role::standalone) return sync(link, request);
      return execute_read(link, request);
    case OpKind::read:
      return execute_read(link, request);
  }
}

void Pipeline::execute_read(Link& link, const RequestView& request) {
  reader_.answer(link, request, outputs_.output(link.id));
  count_reply(link, request.xid, request.type, request.received);
}

// Requests that waited for writes now answered.
void Pipeline::drain(Link& link) {
  if (link.queue.empty() || link.awaiting_output) return;
  const std::size_t limit = outputs_.output(link.id).size() + kDrainBytesMax;
  while (link.state == Link::State::open && link.has_runnable()) {
    if (outputs_.output(link.id).size() > limit) {
      link.awaiting_output = true;
      effects_.emplace_back(AwaitOutput{link.id});
      return;
    }
    const Link::Queued queued = std::move(link.queue.front());
    link.queue.pop_front();
    link.queued_bytes -= queued.frame.size();
    if (queued.ready) {
      outputs_.output(link.id).append(queued.frame);
    } else if (queued.err != ErrorCode::ok) {
      reply_error(link, request_of(queued.frame, queued.received), queued.err);
    } else if (queued.write) {
      drain_write(link, queued);
    } else {
      dispatch(link, queued.frame, queued.received);
    }
  }
}

// Those behind it count it as a write, also when it was refused.
void Pipeline::drain_write(Link& link, const Link::Queued& queued) {
  --link.writes_queued;
  const std::uint64_t before = link.writes_proposed;
  dispatch(link, queued.frame, queued.received);
  if (link.writes_proposed != before) return;
  ++link.writes_proposed;
  ++link.writes_answered;
}

void Pipeline::on_output_drained(LinkId id, Now now) {
  now_ = now;
  Link* link = find(id);
  if (link == nullptr) return;
  link->awaiting_output = false;
  drain(*link);
  resume_if_relieved(*link);
}

void Pipeline::refuse_unimplemented(Link& link, std::int32_t xid) {
  ReplyFrame(outputs_.output(link.id), xid, jute::Zxid(-1)).end(ErrorCode::unimplemented);
  count_reply(link, xid, OpCode::error, now_.at);
  close(link);
}

void Pipeline::on_auth(Link& link, std::int32_t xid, std::string_view body) {
  bytes::Reader reader(body);
  reader.i32();
  const jute::BufferView scheme = take_buffer(reader);
  const jute::BufferView data = take_buffer(reader);
  if (!reader.ok()) return close(link);
  auto ids = authorizer_.authenticate(scheme.value_or(std::string_view()), data, link.address);
  std::vector<jute::Id> known = link.ids;
  if (ids) {
    for (jute::Id& id : *ids) auth::add_id(known, std::move(id));
  }
  const bool accepted = ids && known.size() <= auth::kIdsPerLinkMax;
  ReplyFrame(outputs_.output(link.id), xid, jute::Zxid(0))
      .end(accepted ? ErrorCode::ok : ErrorCode::auth_failed);
  count_reply(link, xid, OpCode::auth, now_.at);
  if (accepted) {
    link.ids = std::move(known);
  } else {
    close(link);
  }
}

// ---- back-pressure
// ------------------------------------------------------------------------------------------

bool Pipeline::is_choked(LinkId id) const {
  const Link* link = find(id);
  return link != nullptr && link->choked;
}

bool Pipeline::should_choke(const Link& link) const {
  const bool waiting = link.writes_waiting() > 0;
  return link.state == Link::State::establishing || link.queue.size() >= kQueuedRequestsMax ||
         link.queued_bytes >= kQueuedBytesMax || link.writes_waiting() >= kLinkWritesMax ||
         (waiting && in_flight_bytes_ >= kInFlightBytesMax) ||
         (waiting && options_.global_outstanding_limit != 0 &&
          clients_waiting_ > options_.global_outstanding_limit);
}

void Pipeline::resume_if_relieved(Link& link) {
  if (!link.choked || should_choke(link)) return;
  link.choked = false;
  --choked_;
  effects_.emplace_back(ResumeLink{link.id});
}

void Pipeline::resume_relieved() {
  if (choked_ == 0) return;
  for (const auto& link : links_) {
    if (link != nullptr) resume_if_relieved(*link);
  }
}

// ---- writes
// -------------------------------------------------------------------------------------------------

void Pipeline::write(Link& link, const RequestView& request) {
  if (link.local && request.type == OpCode::close_session) return end_local_session(link, request);
  if (options_.role == Role::read_only) return refuse(link, request, ErrorCode::not_read_only);
  if (link.local && Preparer::needs_global_session(request.type, request.body)) {
    if (!options_.local_sessions_upgrading)
      return refuse(link, request, ErrorCode::ephemeral_on_local_session);
    upgrade_session(link);
  }
  if (learns()) return forward(link, request);
  propose(&link, request, link.ids);
}

void Pipeline::propose(Link* link, const RequestView& request, const std::vector<jute::Id>& ids) {
  if (log_full_) {
    if (link != nullptr) refuse(*link, request, ErrorCode::system_error);
    return;
  }
  Preparer::Proposal proposal;
  proposal.session = link != nullptr ? link->session : jute::SessionId();
  proposal.owner = kThisServer;
  proposal.ids = &ids;
  proposal.request = request;
  if (link != nullptr) proposal.session_timeout_ms = link->timeout_ms;
  if (!may_propose()) return;
  if (submit(proposal, link != nullptr ? link->id : LinkId())) {
    if (link != nullptr) ++link->writes_proposed;
  } else if (link != nullptr) {
    refuse(*link, request, ErrorCode::marshalling_error);
  }
}

// False when the request does not parse.
bool Pipeline::submit(const Preparer::Proposal& proposal, LinkId link) {
  if (proposing_ == nullptr) proposing_ = std::make_shared<TxnBatch>();
  const std::size_t before = proposing_->bytes.size();
  const auto zxid = preparer_.prepare(proposal, now_.wall, proposing_->bytes);
  if (zxid) count_proposal(proposal, link, *zxid, before);
  return zxid.has_value();
}

void Pipeline::count_proposal(const Preparer::Proposal& proposal, LinkId link, jute::Zxid zxid,
                              std::size_t before) {
  const std::size_t size = proposing_->bytes.size() - before;
  if (proposing_->sizes.empty()) proposing_->first = zxid;
  proposing_->last = zxid;
  proposing_->sizes.push_back(static_cast<std::uint32_t>(size));
  in_flight_bytes_ += size;
  if (link.value != 0) ++clients_waiting_;
  outstanding_.push_back({.link = link,
                          .session = proposal.session,
                          .xid = proposal.request.xid,
                          .type = proposal.request.type,
                          .received = proposal.request.received,
                          .body = {}});
  const auto bytes = static_cast<std::int64_t>(size);
  proposal_sizes_.min = proposal_sizes_.last < 0 ? bytes : std::min(proposal_sizes_.min, bytes);
  proposal_sizes_.max = std::max(proposal_sizes_.max, bytes);
  proposal_sizes_.last = bytes;
}

// In its place behind the writes before it.
void Pipeline::refuse(Link& link, const RequestView& request, ErrorCode err) {
  if (link.writes_waiting() == 0) return reply_error(link, request, err);
  Link::Queued queued{.received = request.received, .err = err};
  bytes::Writer writer(queued.frame);
  writer.i32(request.xid);
  writer.i32(static_cast<std::int32_t>(request.type));
  enqueue(link, std::move(queued));
}

void Pipeline::reply_error(Link& link, const RequestView& request, ErrorCode err) {
  if (request.type == OpCode::close_session) link.ending = false;
  ReplyFrame(outputs_.output(link.id), request.xid, tree_.last_zxid()).end(err);
  count_reply(link, request.xid, request.type, request.received);
}

void Pipeline::count_reply(Link& link, std::int32_t xid, OpCode type, base::Instant received) {
  const auto to_ms = [](base::Duration d) {
    return std::chrono::duration_cast<base::milliseconds>(d).count();
  };
  const std::int64_t latency = to_ms(now_.at - received);
  LinkStats& stats = link.stats;
  ++stats.packets_sent;
  ++stats_.packets_sent;
  const OpRow* row = find_op(type);
  if (xid >= 0) stats.last_cxid = xid;
  stats.last_zxid = tree_.last_zxid();
  stats.last_op = row != nullptr ? row->short_name : "NA";
  stats.last_response_ms = to_ms(now_.at.time_since_epoch());
  stats.last_latency_ms = latency;
  stats.min_latency_ms = stats.replies == 0 ? latency : std::min(stats.min_latency_ms, latency);
  stats.max_latency_ms = std::max(stats.max_latency_ms, latency);
  stats.total_latency_ms += latency;
  ++stats.replies;
  stats_.latency_min_ms = stats_.requests == 0 ? latency : std::min(stats_.latency_min_ms, latency);
  stats_.latency_max_ms = std::max(stats_.latency_max_ms, latency);
  stats_.latency_total_ms += latency;
  ++stats_.requests;
}

void Pipeline::flush_proposals() {
  if (proposing_ != nullptr && !proposing_->sizes.empty()) {
    in_flight_.push_back(proposing_);
    effects_.emplace_back(Persist{std::move(proposing_)});
  }
  proposing_.reset();
}

std::vector<Effect> Pipeline::take_effects() {
  flush_proposals();
  if (confirm_wanted_) effects_.emplace_back(ConfirmLeadership{++asked_round_});
  confirm_wanted_ = false;
  return std::exchange(effects_, {});
}

}  // namespace tandem::coord::pipeline
