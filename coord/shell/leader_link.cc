#include "coord/shell/leader_link.h"

#include "net/loop.h"

namespace tandem::coord::shell {

namespace {

// A leader may need a moment to open its port after it was elected (Apache's waits 200 ms before it knows).
// Apache's learner tries five times, a tenth of a second apart; we look more often, as a refusal costs
// nothing.
constexpr base::Duration kRetryAfter = std::chrono::milliseconds(20);
constexpr base::Duration kRefusedMax = std::chrono::milliseconds(1000);

}  // namespace

LeaderLink::LeaderLink(net::Loop& loop, LeaderLinkOptions options, LeaderLinkEvents& events)
    : loop_(loop),
      options_(std::move(options)),
      events_(events),
      link_(std::make_shared<QuorumLink>(loop, as_events(), 0, options_.packet_bytes_max,
                                         options_.packet_bytes_max)),
      retry_(loop, [this] { attempt(); }),
      give_up_(loop.clock().now() + kRefusedMax) {
  ENSURE(!options_.endpoints.empty());
  attempt();
}

LeaderLink::~LeaderLink() {
  if (connecting_ != nullptr) connecting_->cancel();
  link_->close();
}

void LeaderLink::attempt() {
  const net::Endpoint& endpoint = options_.endpoints[next_endpoint_++ % options_.endpoints.size()];
  connecting_ = net::connect(loop_, endpoint, options_.connect_max,
                             [this](base::Result<net::Socket> socket) { on_attempt(std::move(socket)); });
}

void LeaderLink::on_attempt(base::Result<net::Socket> socket) {
  connecting_.reset();
  if (socket) {
    link_->start(std::move(*socket), options_.stall_max);
    return events_.on_leader_connected();
  }
  const base::Instant now = loop_.clock().now();
  const bool all_tried = next_endpoint_ >= options_.endpoints.size();
  if ((now >= give_up_ || !options_.may_open_late) && all_tried)
    return events_.on_leader_gone(socket.error());
  retry_.set(now + kRetryAfter);
}

void LeaderLink::on_packet(QuorumLink&, const records::QuorumPacket& packet) {
  events_.on_leader_packet(packet);
}

base::Result<bool> LeaderLink::on_body(QuorumLink&, std::string_view& bytes) {
  return events_.on_leader_snapshot(bytes);
}

void LeaderLink::on_packets_end(QuorumLink&) { events_.on_leader_packets_end(); }

void LeaderLink::on_link_gone(QuorumLink&, const base::Error& reason) { events_.on_leader_gone(reason); }

}  // namespace tandem::coord::shell
