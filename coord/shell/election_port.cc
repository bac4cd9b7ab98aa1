#include "coord/shell/election_port.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>

#include "bytes/writer.h"
#include "net/connection.h"
#include "net/loop.h"

namespace tandem::coord::shell {

using base::Errc;
using base::Result;
using election::Handshake;
using election::HandshakeVersion;
using quorum::ServerId;

namespace {

constexpr std::size_t kNotificationBytesMax = 512 * 1024;  // Apache's PACKETMAXSIZE
constexpr std::size_t kLengthBytes = 4;
// Notifications are some hundred bytes and are answers: a peer with so much unread of them does not read.
constexpr std::size_t kUnsentBytesMax = 1024 * 1024;
constexpr std::size_t kStrangersMax = 64;  // connections that have not said who they are
constexpr std::size_t kUnknownMax = 64;    // and those whose number is not in the configuration
// Who leads is what these want to know; asking faster than this is not heard, lest it costs the loop its
// time.
constexpr base::Duration kUnknownEvery = std::chrono::milliseconds(10);
constexpr auto kStallMax = std::chrono::seconds(10);
constexpr base::Duration kWarnEvery = std::chrono::seconds(1);
constexpr base::Duration kPauseMin = std::chrono::milliseconds(100);
constexpr base::Duration kPauseMax = std::chrono::seconds(1);

}  // namespace

class ElectionPort::Link final : public net::Handler, public std::enable_shared_from_this<Link> {
 public:
  Link(ElectionPort* port, std::optional<ServerId> peer) : port_(port), peer_(peer) {}

  Result<std::size_t> frame_size(std::string_view head) override {
    if (!peer_) return election::handshake_size(head);
    const auto size = net::length_prefixed(head, kNotificationBytesMax);
    if (size && *size == kLengthBytes) return base::make_error(Errc::corrupt, "an empty notification");
    return size;
  }
  void on_frame(net::Connection& connection, const net::Frame& frame) override {
    if (port_ == nullptr) return connection.close();
    if (peer_) return port_->on_payload(*this, frame.bytes().substr(kLengthBytes));
    const auto handshake = election::decode_handshake(frame.bytes());
    if (!handshake) return connection.close(handshake.error());
    port_->on_handshake(shared_from_this(), *handshake);
  }
  void on_closed(net::Connection&, const base::Error& reason) override {
    connection_.reset();
    if (port_ != nullptr) std::exchange(port_, nullptr)->on_closed(*this, reason);
  }

  void start(net::Loop& loop, net::Socket socket, base::Duration idle_max) {
    const int on = port_ != nullptr && port_->options_.keep_alive ? 1 : 0;
    ::setsockopt(socket.fd(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    net::ConnectionOptions options;
    options.idle_max = idle_max;
    options.stall_max = kStallMax;
    connection_ = net::Connection::start(loop, std::move(socket), shared_from_this(), options);
  }
  // It goes on without us; the port hears nothing of it any more.
  void close() {
    port_ = nullptr;
    if (connection_) connection_->close();
  }
  void introduce(ServerId peer) {
    peer_ = peer;
    if (connection_) connection_->set_idle_max(base::Duration::zero());
  }

  bool is_heard(base::Instant now) const { return now >= deaf_until_; }
  void be_deaf_until(base::Instant until) { deaf_until_ = until; }

  const std::optional<ServerId>& peer() const { return peer_; }
  const std::shared_ptr<net::Connection>& connection() const { return connection_; }

 private:
  ElectionPort* port_;
  std::optional<ServerId> peer_;
  base::Instant deaf_until_{};  // of one that is not in the configuration
  std::shared_ptr<net::Connection> connection_;
};

Result<std::unique_ptr<ElectionPort>> ElectionPort::open(net::Loop& loop, ElectionPortOptions options,
                                                         ElectionEvents& events, logging::Logger logger) {
  std::unique_ptr<ElectionPort> port(new ElectionPort(loop, std::move(options), events, logger));
  for (const net::Endpoint& endpoint : port->options_.listen) {
    auto listener = net::Listener::open(
        loop, endpoint, [raw = port.get()](net::Socket socket) { raw->accept(std::move(socket)); });
    if (!listener) return listener.error();
    port->listeners_.push_back(std::move(*listener));
  }
  return port;
}

ElectionPort::ElectionPort(net::Loop& loop, ElectionPortOptions options, ElectionEvents& events,
                           logging::Logger logger)
    : loop_(loop), options_(std::move(options)), events_(events), logger_(logger), timer_(loop, [this] {
        connect_due();
      }) {}

ElectionPort::~ElectionPort() {
  for (auto& [peer, dial] : dials_)
    if (dial.connecting) dial.connecting->cancel();
  for (const auto& link : std::exchange(strangers_, {})) link->close();
  for (const auto& [peer, link] : std::exchange(links_, {})) link->close();
}

std::vector<net::Endpoint> ElectionPort::local() const {
  std::vector<net::Endpoint> endpoints;
  for (const auto& listener : listeners_) endpoints.push_back(listener->local());
  return endpoints;
}

void ElectionPort::send(ServerId to, const election::Notification& notification) {
  const auto it = links_.find(to);
  if (it == links_.end()) {
    if (const auto peer = options_.peers.find(to); peer != options_.peers.end()) dial(to, peer->second);
    return;
  }
  net::Connection& connection = *it->second->connection();
  if (connection.unsent_bytes() > kUnsentBytesMax) return drop(to);
  const std::string payload = election::encode(notification);
  bytes::Writer writer(connection.output());
  writer.i32(static_cast<std::int32_t>(payload.size()));
  writer.bytes(payload);
}

void ElectionPort::want(std::set<ServerId> peers) {
  wanted_ = std::move(peers);
  for (const ServerId peer : wanted_)
    if (const auto it = options_.peers.find(peer); it != options_.peers.end() && !links_.contains(peer))
      dial(peer, it->second);
}

// A line a second: there may be very many strangers.
bool ElectionPort::may_warn() {
  const base::Instant now = loop_.clock().now();
  if (warned_ && now - *warned_ < kWarnEvery) return false;
  warned_ = now;
  return true;
}

void ElectionPort::accept(net::Socket socket) {
  // A server says at once who it is, so the one that has been silent for the longest goes.
  if (strangers_.size() >= kStrangersMax) {
    if (may_warn())
      logger_.warn("election: {} connections have not said who they are, closing the oldest", kStrangersMax);
    const auto oldest = strangers_.front();
    strangers_.erase(strangers_.begin());
    oldest->close();
  }
  auto link = std::make_shared<Link>(this, std::nullopt);
  strangers_.push_back(link);
  link->start(loop_, std::move(socket), options_.connect_timeout);
}

void ElectionPort::on_handshake(const std::shared_ptr<Link>& link, const Handshake& handshake) {
  ServerId peer = handshake.from;
  if (peer == election::kObserverWithoutId) peer = ServerId(next_anonymous_--);
  std::erase(strangers_, link);
  if (peer == options_.self) {
    if (may_warn())
      logger_.warn("election: a server at {} has our number {}: myid is wrong on one of the two",
                   net::to_string(link->connection()->peer()), peer);
    return link->close();
  }
  const bool known = options_.peers.contains(peer);
  const auto unknown = std::count_if(
      links_.begin(), links_.end(), [&](const auto& entry) { return !options_.peers.contains(entry.first); });
  if (!known && static_cast<std::size_t>(unknown) + dials_.size() >= kUnknownMax) {
    if (may_warn())
      logger_.warn("election: too many servers that server.N does not name, turning {} away", peer);
    return link->close();
  }
  if (handshake.from > options_.self) return adopt(peer, link);
  // The smaller number only knocks: its link, if there was one, is dead for it.
  link->close();
  drop(peer);
  std::vector<net::Endpoint> endpoints;
  if (known) {
    endpoints = options_.peers.at(peer);
  } else {
    for (const auto& address : handshake.addresses) endpoints.push_back({address.host, address.port});
  }
  dial(peer, std::move(endpoints));
}

void ElectionPort::adopt(ServerId peer, const std::shared_ptr<Link>& link) {
  if (const auto old = links_.find(peer); old != links_.end()) old->second->close();
  link->introduce(peer);
  links_[peer] = link;
  if (const auto dial = dials_.find(peer); dial != dials_.end()) {
    if (dial->second.connecting) dial->second.connecting->cancel();
    dials_.erase(dial);
  }
  logger_.info("election: connected with server {} at {}", peer, net::to_string(link->connection()->peer()));
  report(peer, election::Link::up);
}

// Without a word to the core: a new link follows, or the failure to open it is reported.
void ElectionPort::drop(ServerId peer) {
  const auto it = links_.find(peer);
  if (it == links_.end()) return;
  const auto link = it->second;
  links_.erase(it);
  link->close();
}

void ElectionPort::on_payload(Link& link, std::string_view payload) {
  const ServerId peer = *link.peer();
  const base::Instant now = loop_.clock().now();
  if (!link.is_heard(now)) return;
  const auto notification = election::decode_notification(payload);
  if (!notification) return logger_.warn("election: server {} sent {}", peer, notification.error().context);
  if (!options_.peers.contains(peer)) link.be_deaf_until(now + kUnknownEvery);
  events_.on_notification(peer, *notification);
}

void ElectionPort::on_closed(const Link& link, const base::Error& reason) {
  if (!link.peer()) {
    if (reason.code == Errc::corrupt && may_warn())
      logger_.warn("election: closing a connection: {}", reason.context);
    std::erase_if(strangers_, [&](const auto& stranger) { return stranger.get() == &link; });
    return;
  }
  const ServerId peer = *link.peer();
  if (const auto it = links_.find(peer); it == links_.end() || it->second.get() != &link) return;
  links_.erase(peer);
  logger_.info("election: connection with server {} ended: {}", peer, reason.context);
  report(peer, election::Link::down);
  if (!wanted_.contains(peer) || !options_.peers.contains(peer)) return;
  dials_[peer].endpoints = options_.peers.at(peer);
  try_later(peer, kPauseMin);
}

void ElectionPort::dial(ServerId peer, std::vector<net::Endpoint> endpoints) {
  if (endpoints.empty()) return;
  Dial& dial = dials_[peer];
  if (dial.connecting) return;
  dial.endpoints = std::move(endpoints);
  connect(peer, dial);
}

void ElectionPort::connect(ServerId peer, Dial& dial) {
  const net::Endpoint& endpoint = dial.endpoints[dial.next++ % dial.endpoints.size()];
  dial.connecting =
      net::connect(loop_, endpoint, options_.connect_timeout,
                   [this, peer](Result<net::Socket> socket) { on_dialled(peer, std::move(socket)); });
}

void ElectionPort::on_dialled(ServerId peer, Result<net::Socket> socket) {
  Dial& dial = dials_[peer];
  dial.connecting.reset();
  if (!socket) {
    // Who only knocked is forgotten with the next failure: each of its addresses has its turn before.
    if (dial.next % dial.endpoints.size() != 0) return connect(peer, dial);
    const bool first = dial.pause == base::Duration::zero();
    if (first) logger_.warn("election: cannot reach server {}: {}", peer, socket.error().context);
    const base::Duration pause = first ? kPauseMin : std::min(dial.pause * 2, kPauseMax);
    report(peer, election::Link::down);
    return try_later(peer, pause);
  }
  const bool we_open = peer < options_.self;
  auto link = std::make_shared<Link>(we_open ? this : nullptr, peer);
  link->start(loop_, std::move(*socket), base::Duration::zero());
  if (!link->connection()) return try_later(peer, kPauseMin);
  link->connection()->write(own_handshake());
  if (we_open) return adopt(peer, link);
  link->connection()->close_after_output();
  try_later(peer, kPauseMax);  // it calls back before that
}

void ElectionPort::try_later(ServerId peer, base::Duration pause) {
  const auto it = dials_.find(peer);
  if (it == dials_.end()) return;
  if (!wanted_.contains(peer)) {
    dials_.erase(it);
    return;
  }
  it->second.pause = pause;
  it->second.again_at = loop_.clock().now() + pause;
  schedule();
}

void ElectionPort::connect_due() {
  const base::Instant now = loop_.clock().now();
  for (auto it = dials_.begin(); it != dials_.end();) {
    auto& [peer, dial] = *it;
    if (!dial.connecting && !wanted_.contains(peer)) {
      it = dials_.erase(it);
      continue;
    }
    if (!dial.connecting && dial.again_at <= now) connect(peer, dial);
    ++it;
  }
  schedule();
}

void ElectionPort::schedule() {
  std::optional<base::Instant> next;
  for (const auto& [peer, dial] : dials_)
    if (!dial.connecting && (!next || dial.again_at < *next)) next = dial.again_at;
  timer_.set(next);
}

void ElectionPort::report(ServerId peer, election::Link link) {
  if (options_.peers.contains(peer)) events_.on_election_link(peer, link);
}

std::string ElectionPort::own_handshake() const {
  Handshake handshake{options_.self, HandshakeVersion::v1, options_.own_addresses};
  if (options_.several_addresses)
    handshake.version = HandshakeVersion::v2;
  else
    handshake.addresses.resize(std::min<std::size_t>(1, handshake.addresses.size()));
  return election::encode(handshake);
}

}  // namespace tandem::coord::shell
