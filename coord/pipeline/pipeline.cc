// Links and the order of their requests; connect.cc has sessions, commit.cc what follows a transaction.
#include "coord/pipeline/pipeline.h"

#include <algorithm>

#include "base/check.h"
#include "bytes/reader.h"
#include "coord/auth/id_set.h"
#include "coord/pipeline/limits.h"
#include "coord/pipeline/wire.h"
#include "jute/codec.h"

namespace tandem::coord::pipeline {

using jute::ErrorCode;
using jute::OpCode;

namespace {

constexpr session::OwnerId kThisServer = 1;

RequestView request_of(std::string_view frame, base::Instant received) {
  bytes::Reader reader(frame);
  RequestView request;
  request.xid = reader.i32();
  request.type = static_cast<OpCode>(reader.i32());
  request.body = reader.rest();
  request.received = received;
  return request;
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
      authorizer_(authorizer),
      outputs_(outputs),
      preparer_(options.prepare, tree, sessions, authorizer),
      reader_(tree, watches_, authorizer),
      reaper_(options.reaper, tree, now.at),
      now_(now),
      next_link_(options.first_link) {}

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
  effects_.push_back(CloseLink{link.id});
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

// What arrives behind requests that wait, waits as well; a write only for those, not for other writes.
void Pipeline::receive(Link& link, std::string_view frame) {
  bytes::Reader reader(frame);
  reader.i32();
  const auto type = static_cast<OpCode>(reader.i32());
  if (!reader.ok()) return close(link);
  const OpRow* row = find_op(type);
  if (link.state == Link::State::open && (row == nullptr || row->kind != OpKind::auth)) {
    session::Session* session = sessions_.find(link.session);
    // What comes behind the session's end is not answered.
    if (session == nullptr || !sessions_.touch(*session, link.timeout_ms, now_.at)) return;
  }
  const bool waits = link.state == Link::State::establishing || !link.queue.empty() ||
                     (link.writes_waiting() > 0 && row != nullptr && row->kind == OpKind::read);
  const bool overtakes = row != nullptr && (row->kind == OpKind::write || row->kind == OpKind::auth) &&
                         link.state == Link::State::open;
  if (waits && !overtakes) {
    link.queue.push_back({link.writes_proposed, now_.at, std::string(frame)});
    link.queued_bytes += frame.size();
    return;
  }
  dispatch(link, frame, now_.at);
}

void Pipeline::dispatch(Link& link, std::string_view frame, base::Instant received) {
  const RequestView request = request_of(frame, received);
  const OpRow* row = find_op(request.type);
  if (row != nullptr && row->kind == OpKind::auth) return on_auth(link, request.xid, request.body);
  if (row == nullptr || row->kind == OpKind::refused) return refuse_unimplemented(link, request.xid);
  if (row->kind == OpKind::write) return propose(&link, request, link.ids);
  execute_read(link, request);
}

void Pipeline::execute_read(Link& link, const RequestView& request) {
  reader_.answer(link, request, outputs_.output(link.id));
  count_reply(link, request.xid, request.type, request.received);
}

// Requests that waited for writes now answered.
void Pipeline::drain(Link& link) {
  if (link.queue.empty()) return;
  const std::size_t limit = outputs_.output(link.id).size() + kDrainBytesMax;
  while (link.state == Link::State::open && !link.queue.empty() &&
         link.queue.front().after <= link.writes_answered) {
    if (outputs_.output(link.id).size() > limit) {
      effects_.push_back(AwaitOutput{link.id});
      return;
    }
    const Link::Queued queued = std::move(link.queue.front());
    link.queue.pop_front();
    link.queued_bytes -= queued.frame.size();
    if (queued.unparsable) {
      reply_error(link, request_of(queued.frame, queued.received), ErrorCode::marshalling_error);
    } else {
      dispatch(link, queued.frame, queued.received);
    }
  }
}

void Pipeline::on_output_drained(LinkId id, Now now) {
  now_ = now;
  Link* link = find(id);
  if (link == nullptr) return;
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
          outstanding_.size() > options_.global_outstanding_limit);
}

void Pipeline::resume_if_relieved(Link& link) {
  if (!link.choked || should_choke(link)) return;
  link.choked = false;
  --choked_;
  effects_.push_back(ResumeLink{link.id});
}

void Pipeline::resume_relieved() {
  if (choked_ == 0) return;
  for (const auto& link : links_) {
    if (link != nullptr) resume_if_relieved(*link);
  }
}

// ---- proposals
// ----------------------------------------------------------------------------------------------

void Pipeline::propose(Link* link, const RequestView& request, const std::vector<jute::Id>& ids) {
  if (log_full_) {
    if (link != nullptr) reply_error(*link, request, ErrorCode::system_error);
    return;
  }
  Preparer::Proposal proposal;
  proposal.session = link != nullptr ? link->session : jute::SessionId();
  proposal.owner = kThisServer;
  proposal.ids = &ids;
  proposal.request = request;
  if (link != nullptr) proposal.session_timeout_ms = link->timeout_ms;
  submit(link, proposal);
}

void Pipeline::submit(Link* link, const Preparer::Proposal& proposal) {
  if (proposing_ == nullptr) proposing_ = std::make_shared<TxnBatch>();
  const std::size_t before = proposing_->bytes.size();
  const auto zxid = preparer_.prepare(proposal, now_.wall, proposing_->bytes);
  if (!zxid) {
    if (link != nullptr) {
      // In its place behind the writes before it.
      if (link->writes_waiting() == 0) {
        reply_error(*link, proposal.request, ErrorCode::marshalling_error);
      } else {
        defer_error(*link, proposal.request);
      }
    }
    return;
  }
  const std::size_t size = proposing_->bytes.size() - before;
  if (proposing_->sizes.empty()) proposing_->first = *zxid;
  proposing_->last = *zxid;
  proposing_->sizes.push_back(static_cast<std::uint32_t>(size));
  in_flight_bytes_ += size;
  if (link != nullptr) ++link->writes_proposed;
  outstanding_.push_back({link != nullptr ? link->id : LinkId(), proposal.session, proposal.request.xid,
                          proposal.request.type, proposal.request.received});
}

void Pipeline::defer_error(Link& link, const RequestView& request) {
  std::string frame;
  bytes::Writer writer(frame);
  writer.i32(request.xid);
  writer.i32(static_cast<std::int32_t>(request.type));
  link.queued_bytes += frame.size();
  link.queue.push_back({link.writes_proposed, request.received, std::move(frame), true});
}

void Pipeline::reply_error(Link& link, const RequestView& request, ErrorCode err) {
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

std::vector<Effect> Pipeline::take_effects() {
  if (proposing_ != nullptr && !proposing_->sizes.empty()) {
    in_flight_.push_back(proposing_);
    effects_.push_back(Persist{std::move(proposing_)});
  }
  proposing_.reset();
  return std::exchange(effects_, {});
}

}  // namespace tandem::coord::pipeline
