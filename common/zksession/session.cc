#include "zksession/session.h"

#include <algorithm>
#include <utility>

#include "jute/codec.h"

namespace tandem::zksession {

namespace {

constexpr milliseconds kPingIntervalMax{10000};
constexpr milliseconds kBackOffFirst{50};
constexpr milliseconds kBackOffMax{1000};
constexpr std::size_t kSetWatchesBytesMax = 128 * 1024;  // as Apache's clients split them

milliseconds ping_interval(milliseconds timeout) { return std::min(timeout / 3, kPingIntervalMax); }

}  // namespace

const char* to_string(State state) {
  switch (state) {
    case State::connecting:
      return "CONNECTING";
    case State::connected:
      return "CONNECTED";
    case State::connected_read_only:
      return "CONNECTEDREADONLY";
    case State::expired:
    case State::closed:
      return "CLOSED";
    case State::auth_failed:
      return "AUTH_FAILED";
  }
  UNREACHABLE("State {}", static_cast<int>(state));
}

Session::Session(Options options, base::Random random)
    : options_(std::move(options)),
      chroot_(options_.servers.chroot),
      random_(random),
      hosts_(options_.servers.hosts),
      timeout_(options_.session_timeout) {
  ENSURE(!hosts_.empty());
  for (std::size_t i = hosts_.size(); i > 1; --i) std::swap(hosts_[i - 1], hosts_[random_.below(i)]);
}

void Session::start(Instant now) {
  ENSURE(state_ == State::closed || state_ == State::expired, "session is {}", to_string(state_));
  id_ = jute::SessionId();
  password_.assign(jute::kPasswordBytes, '\0');
  timeout_ = options_.session_timeout;
  last_zxid_ = jute::Zxid();
  watches_.clear();
  attempts_ = 0;
  closing_ = false;
  enter(State::connecting);
  next_host(now);
}

void Session::enter(State state) {
  if (state_ == state) return;
  state_ = state;
  effects_.emplace_back(StateChanged{state});
}

// The first round over the hosts is nearly immediate; later rounds wait longer, with as much jitter, so that
// the clients of a server that died do not arrive in step.
void Session::next_host(Instant now) {
  milliseconds wait{0};
  if (attempts_ > 0) {
    const std::size_t round = std::min<std::size_t>(attempts_ / hosts_.size(), 8);
    const milliseconds base = std::min(kBackOffFirst * (1 << round), kBackOffMax);
    wait = milliseconds(random_.between(attempts_ < hosts_.size() ? 0 : base.count() / 2, base.count()));
  }
  link_ = Link::backing_off;
  link_deadline_ = now + wait;
  if (wait.count() == 0) on_deadline(now);
}

// Opening and handshake each have it: what hosts that accept and say nothing may take of the session's time.
milliseconds Session::time_per_host() const {
  return std::max(timeout_ / static_cast<std::int64_t>(hosts_.size()), milliseconds(1));
}

void Session::on_connected(Instant now) {
  if (link_ != Link::opening) return;
  link_ = Link::handshake;
  std::string frame;
  bytes::Writer writer(frame);
  const std::size_t length_at = writer.reserve_i32();
  jute::ConnectRequest request;
  request.last_zxid_seen = last_zxid_;
  request.timeout_ms = static_cast<std::int32_t>(options_.session_timeout.count());
  request.session_id = id_;
  request.passwd = password_;
  request.read_only = options_.read_only;
  jute::encode(frame, request);
  writer.patch_i32(length_at, static_cast<std::int32_t>(frame.size() - length_at - 4));
  out() += frame;
  link_deadline_ = now + std::min(timeout_ * 2 / 3, time_per_host());
}

void Session::on_disconnected(Instant now) {
  if (link_ == Link::idle || link_ == Link::backing_off) return;
  const bool was_up = link_ == Link::up;
  link_ = Link::idle;
  if (closing_) return end(State::closed, ErrorCode::connection_loss);
  fail_requests(ErrorCode::connection_loss, true);
  if (was_up) {
    attempts_ = 0;
    notify_state(jute::KeeperState::disconnected);
    enter(State::connecting);
  }
  ++attempts_;
  host_ = (host_ + 1) % hosts_.size();
  next_host(now);
}

void Session::drop_link(std::string reason, Instant now) {
  effects_.emplace_back(Disconnect{std::move(reason)});
  on_disconnected(now);
}

void Session::end(State state, ErrorCode error) {
  if (link_ != Link::idle) effects_.emplace_back(Disconnect{to_string(state)});
  link_ = Link::idle;
  watches_.clear();
  fail_requests(error, false);
  if (state == State::closed && state_ != state) notify_state(jute::KeeperState::closed);
  enter(state);
}

void Session::fail_requests(ErrorCode error, bool keep_retryable) {
  std::deque<Request> all = std::exchange(sent_, {});
  for (Request& request : waiting_) all.push_back(std::move(request));
  waiting_.clear();
  for (Request& request : all) {
    if (keep_retryable && request.on_loss == OnLoss::retry) {
      waiting_.push_back(std::move(request));
      continue;
    }
    OpResult result;
    result.error = error;
    result.path = request.op.path;
    complete(request, std::move(result));
  }
}

RequestId Session::submit(Op op, OnLoss on_loss, Instant now) {
  Request request{next_id_++, std::move(op), on_loss, 0};
  const RequestId id = request.id;
  ErrorCode refused = ErrorCode::ok;
  if (state_ == State::expired || state_ == State::closed || closing_) refused = ErrorCode::session_expired;
  if (state_ == State::auth_failed) refused = ErrorCode::auth_failed;
  if (refused != ErrorCode::ok) {
    OpResult result;
    result.error = refused;
    result.path = request.op.path;
    complete(request, std::move(result));
    return id;
  }
  waiting_.push_back(std::move(request));
  pump(now);
  return id;
}

void Session::add_auth(std::string scheme, std::string data, Instant now) {
  auth_.push_back(Auth{std::move(scheme), std::move(data)});
  if (link_ == Link::up) send_auth(auth_.back(), now);
}

void Session::close(Instant now) {
  if (closing_ || state_ == State::closed || state_ == State::expired || state_ == State::auth_failed) return;
  if (link_ != Link::up) return end(State::closed, ErrorCode::connection_loss);
  pump(now);
  closing_ = true;
  send_request(next_xid_, OpCode::close_session, {}, now);
  link_deadline_ = now + timeout_ * 2 / 3;
}

void Session::on_frame(std::string_view frame, Instant now) {
  if (link_ == Link::handshake) return on_connect_response(frame, now);
  if (link_ != Link::up) return;
  if (!closing_) link_deadline_ = now + timeout_ * 2 / 3;
  bytes::Reader reader(frame);
  jute::ReplyHeader header;
  jute::decode(reader, header);
  if (!reader.ok()) return drop_link("reply is too short", now);
  if (header.xid == jute::xid::kNotification) return on_event(reader, header.zxid, now);
  if (header.xid == jute::xid::kPing || header.xid == jute::xid::kSetWatches) return;
  if (header.xid == jute::xid::kAuth) {
    if (header.err == ErrorCode::ok) return;
    notify_state(jute::KeeperState::auth_failed);
    return end(State::auth_failed, ErrorCode::auth_failed);
  }
  on_reply(header, reader, now);
}

void Session::on_connect_response(std::string_view frame, Instant now) {
  const auto response = jute::decoded<jute::ConnectResponse>(frame);
  if (!response) return drop_link("connect response is too short", now);
  if (response->timeout_ms <= 0) {
    notify_state(jute::KeeperState::expired);
    return end(State::expired, ErrorCode::session_expired);
  }
  link_ = Link::up;
  timeout_ = milliseconds(response->timeout_ms);
  id_ = response->session_id;
  password_ = response->passwd.value_or(std::string());
  link_deadline_ = now + timeout_ * 2 / 3;
  ping_at_ = now + ping_interval(timeout_);
  const bool read_only = response->read_only;
  notify_state(read_only ? jute::KeeperState::connected_read_only : jute::KeeperState::sync_connected);
  enter(read_only ? State::connected_read_only : State::connected);
  for (const Auth& auth : auth_) send_auth(auth, now);
  send_watches(now);
  pump(now);
}

void Session::on_event(bytes::Reader& reader, jute::Zxid zxid, Instant now) {
  jute::WatcherEvent event;
  jute::decode(reader, event);
  if (!reader.ok()) return drop_link("event is too short", now);
  if (!watches_.fire(event.type, event.path)) return;
  effects_.emplace_back(Notify{Event{event.type, event.state, chroot_.to_client(event.path), zxid}});
}

void Session::on_reply(const jute::ReplyHeader& header, bytes::Reader& reader, Instant now) {
  if (header.zxid.value > 0) last_zxid_ = header.zxid;
  if (closing_ && sent_.empty()) return end(State::closed, ErrorCode::connection_loss);
  if (sent_.empty() || sent_.front().xid != header.xid)
    return drop_link(fmt::format("reply with xid {} out of order", header.xid), now);
  Request request = std::move(sent_.front());
  sent_.pop_front();
  OpResult result;
  if (header.err == ErrorCode::ok) {
    result = decode_reply(request.op, chroot_, reader.rest());
  } else {
    result.error = header.err;
    result.path = request.op.path;
  }
  result.zxid = header.zxid;
  complete(request, std::move(result));
  pump(now);
}

void Session::complete(Request& request, OpResult result) {
  const std::string path = request.op.absolute ? request.op.path : chroot_.to_server(request.op.path);
  watches_.on_result(request.op, path, result.error);
  if (request.op.code == OpCode::remove_watches) finish_remove_watches(request.op, result);
  effects_.emplace_back(Complete{request.id, std::move(result)});
}

void Session::finish_remove_watches(const Op& op, OpResult& result) {
  const std::string path = chroot_.to_server(op.path);
  if (!watches_.contains(path, op.watcher_type)) {
    result.error = ErrorCode::no_watcher;
    return;
  }
  if (!op.local && !result.ok()) return;
  result.error = ErrorCode::ok;
  for (const jute::EventType type : watches_.remove(path, op.watcher_type))
    effects_.emplace_back(Notify{Event{type, jute::KeeperState::sync_connected, op.path}});
}

void Session::send_auth(const Auth& auth, Instant now) {
  send_request(jute::xid::kAuth, OpCode::auth, jute::encoded(jute::AuthPacket{0, auth.scheme, auth.data}),
               now);
}

// The older form is used where it suffices, for servers before 3.6.
void Session::send_watches(Instant now) {
  for (const jute::SetWatches2& all : watches_.batches(last_zxid_, kSetWatchesBytesMax)) {
    if (all.persistent_watches.empty() && all.persistent_recursive_watches.empty()) {
      const jute::SetWatches old{all.relative_zxid, all.data_watches, all.exist_watches, all.child_watches};
      send_request(jute::xid::kSetWatches, OpCode::set_watches, jute::encoded(old), now);
    } else {
      send_request(jute::xid::kSetWatches, OpCode::set_watches2, jute::encoded(all), now);
    }
  }
}

void Session::pump(Instant now) {
  if (link_ != Link::up || closing_) return;
  std::string body;
  while (!waiting_.empty() && (options_.max_in_flight == 0 || sent_.size() < options_.max_in_flight)) {
    Request& request = waiting_.front();
    request.xid = next_xid_;
    next_xid_ = next_xid_ == 0x7fffffff ? 1 : next_xid_ + 1;
    body.clear();
    encode_body(request.op, chroot_, body);
    send_request(request.xid, wire_code(request.op), body, now);
    sent_.push_back(std::move(request));
    waiting_.pop_front();
  }
}

void Session::send_request(std::int32_t xid, OpCode code, std::string_view body, Instant now) {
  bytes::Writer writer(out());
  writer.i32(static_cast<std::int32_t>(body.size() + 8));
  jute::encode(writer.out(), jute::RequestHeader{xid, code});
  writer.bytes(body);
  ping_at_ = now + ping_interval(timeout_);
}

// Frames of one turn leave in one send.
std::string& Session::out() {
  if (effects_.empty() || !std::holds_alternative<Send>(effects_.back())) effects_.emplace_back(Send{});
  return std::get<Send>(effects_.back()).bytes;
}

void Session::notify_state(jute::KeeperState state) {
  effects_.emplace_back(Notify{Event{jute::EventType::none, state, {}, jute::Zxid(-1)}});
}

void Session::on_deadline(Instant now) {
  switch (link_) {
    case Link::idle:
      return;
    case Link::backing_off:
      if (now < link_deadline_) return;
      link_ = Link::opening;
      link_deadline_ = now + time_per_host();
      effects_.emplace_back(Connect{hosts_[host_]});
      return;
    case Link::opening:
    case Link::handshake:
      if (now >= link_deadline_) drop_link("server does not answer", now);
      return;
    case Link::up:
      if (now >= link_deadline_) return drop_link("server fell silent", now);
      if (now >= ping_at_ && !closing_) send_request(jute::xid::kPing, OpCode::ping, {}, now);
      return;
  }
}

std::optional<Instant> Session::next_deadline() const {
  if (link_ == Link::idle) return std::nullopt;
  if (link_ == Link::up && !closing_) return std::min(link_deadline_, ping_at_);
  return link_deadline_;
}

}  // namespace tandem::zksession
