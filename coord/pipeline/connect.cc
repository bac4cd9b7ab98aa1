// Sessions in the pipeline: the connect handshake, re-attachment, expiry; and the other thing that happens by
// itself, the reaper.
#include <algorithm>

#include "bytes/reader.h"
#include "coord/pipeline/owner.h"
#include "coord/pipeline/pipeline.h"
#include "coord/pipeline/wire.h"
#include "coord/session/password.h"
#include "jute/codec.h"
#include "jute/proto.h"

namespace tandem::coord::pipeline {

using jute::OpCode;
using jute::SessionId;

void Pipeline::on_connect(Link& link, std::string_view frame) {
  bytes::Reader reader(frame);
  jute::ConnectRequest request;
  jute::decode(reader, request);
  if (!reader.ok()) return close(link);
  if (options_.role == Role::read_only && !request.read_only) return close(link);
  // A client that has seen more than this server knows must try another one.
  if (request.last_zxid_seen > tree_.last_zxid()) return close(link);
  link.sends_read_only = request.has_read_only;
  link.timeout_ms =
      std::clamp(request.timeout_ms, options_.min_session_timeout_ms, options_.max_session_timeout_ms);
  if (request.session_id.value != 0) {
    const std::string password = request.passwd.value_or(std::string());
    return reopen_session(link, request.session_id, password);
  }
  create_session(link);
}

void Pipeline::create_session(Link& link) {
  // Without a leader a session can only be of this server.
  if (options_.local_sessions || options_.role == Role::read_only) return create_local_session(link);
  if (log_full_) return close(link);  // without a transaction there is no session
  link.state = Link::State::establishing;
  do {
    link.session = sessions_.new_id();
  } while (local_.find(link.session) != nullptr);
  RequestView create;
  create.type = OpCode::create_session;
  create.received = now_.at;
  if (learns()) {
    std::string body;
    bytes::Writer(body).i32(link.timeout_ms);
    create.body = body;
    ++link.writes_proposed;
    return forward_for(link.id, link.session, create, link.ids);
  }
  sessions_.track_proposed(link.session, link.timeout_ms, now_.at).owner = kThisServer;
  propose(&link, create, link.ids);
}

void Pipeline::reopen_session(Link& link, SessionId id, std::string_view password) {
  session::Session* session = sessions_.find(id);
  session::Session* local = local_.find(id);
  if (options_.role == Role::read_only && session != nullptr) return close(link);  // a leader would know
  bool valid = session::is_password_of(id, password);
  if (valid && local != nullptr) {
    valid = local_.touch(*local, link.timeout_ms, now_.at);
    link.local = true;
  } else if (valid && leads()) {
    valid = session != nullptr && sessions_.touch(*session, link.timeout_ms, now_.at);
    if (valid) session->owner = kThisServer;
  } else {
    valid = valid && learns();
  }
  if (!valid) return finish_connect(link, false);
  if (const auto it = session_links_.find(id.value); it != session_links_.end()) {
    if (Link* before = find(it->second)) close(*before);
  }
  link.session = id;
  if (link.local || leads()) return finish_connect(link, true);
  link.state = Link::State::establishing;
  Revalidation& asked = revalidating_[id.value];
  asked.link = link.id;
  ++asked.answers;
  effects_.emplace_back(Revalidate{id, link.timeout_ms});
}

void Pipeline::finish_connect(Link& link, bool valid) {
  if (!valid) {
    link.session = SessionId();
    link.local = false;
  }
  jute::ConnectResponse response;
  response.read_only = options_.role == Role::read_only;
  response.passwd = std::string(jute::kPasswordBytes, '\0');
  if (valid) {
    const session::Password password = session::password_of(link.session);
    response.timeout_ms = link.timeout_ms;
    response.session_id = link.session;
    response.passwd = std::string(password.data(), password.size());
  }
  response.has_read_only = link.sends_read_only;
  std::string& out = outputs_.output(link.id);
  bytes::Writer writer(out);
  const std::size_t size_at = writer.reserve_i32();
  jute::encode(out, response);
  writer.patch_i32(size_at, static_cast<std::int32_t>(out.size() - size_at - 4));
  ++link.stats.packets_sent;
  ++stats_.packets_sent;
  if (!valid) return close(link);
  link.state = Link::State::open;
  session_links_[link.session.value] = link.id;
  drain(link);
}

// Something came from the client: its session lives on. False behind the session's end.
bool Pipeline::hear(Link& link) {
  if (link.ending) return false;
  if (link.local) {
    session::Session* session = local_.find(link.session);
    return session != nullptr && local_.touch(*session, link.timeout_ms, now_.at);
  }
  if (leads()) {
    session::Session* session = sessions_.find(link.session);
    return session != nullptr && sessions_.touch(*session, link.timeout_ms, now_.at);
  }
  if (link.touch_round != touch_round_) {
    link.touch_round = touch_round_;
    touches_.push_back({link.session, link.timeout_ms});
  }
  return true;
}

// Without space for transactions nothing can end a session: none expires until there is some.
void Pipeline::expire_sessions() {
  if (!leads() || log_full_) return;
  const std::vector<jute::Id> nobody;
  for (const SessionId id : sessions_.expire(now_.at)) {
    Preparer::Proposal proposal;
    proposal.session = id;
    proposal.ids = &nobody;
    proposal.request.type = OpCode::close_session;
    proposal.request.received = now_.at;
    if (may_propose()) submit(proposal, LinkId());
  }
}

void Pipeline::reap() {
  if (!leads() || log_full_) return;
  const std::vector<jute::Id> nobody;
  while (const auto path = reaper_.next(now_.at, now_.wall)) {
    std::string body;
    put_string(body, *path);
    RequestView request;
    request.type = OpCode::delete_container;
    request.body = body;
    request.received = now_.at;
    propose(nullptr, request, nobody);
  }
}

void Pipeline::on_deadline(Now now) {
  now_ = now;
  expire_sessions();
  expire_local_sessions();
  reap();
}

std::optional<base::Instant> Pipeline::next_deadline() const {
  std::optional<base::Instant> deadline = local_.next_deadline();
  const auto take = [&deadline](base::Instant at) { deadline = deadline ? std::min(*deadline, at) : at; };
  if (!leads() || log_full_) return deadline;
  if (const auto expiry = sessions_.next_deadline()) take(*expiry);
  take(reaper_.next_deadline());
  return deadline;
}

}  // namespace tandem::coord::pipeline
