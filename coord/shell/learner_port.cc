#include "coord/shell/learner_port.h"

#include "net/loop.h"

namespace tandem::coord::shell {

namespace {

// A learner introduces itself with some dozens of bytes.
constexpr std::size_t kIntroductionBytesMax = 1024;

// So much unsent is not looked at twice.
constexpr std::size_t kUnsentUnwatched = 1U << 20;

}  // namespace

base::Result<std::unique_ptr<LearnerPort>> LearnerPort::open(net::Loop& loop, LearnerPortOptions options,
                                                             LearnerPortEvents& events,
                                                             logging::Logger logger) {
  std::unique_ptr<LearnerPort> port(new LearnerPort(loop, std::move(options), events, logger));
  for (const net::Endpoint& endpoint : port->options_.endpoints) {
    auto listener = net::Listener::open(
        loop, endpoint, [raw = port.get()](net::Socket socket) { raw->accept(std::move(socket)); });
    if (!listener) return listener.error();
    port->listeners_.push_back(std::move(*listener));
  }
  return port;
}

LearnerPort::~LearnerPort() {
  listeners_.clear();
  for (auto& [number, link] : links_) link->close();
}

void LearnerPort::accept(net::Socket socket) {
  const std::string address = net::to_string(socket.peer());
  const std::uint64_t number = events_.on_learner_open(address);
  if (number == 0) return;
  QuorumLinkEvents* const events = this;  // make_shared does not see the private base
  const auto link =
      std::make_shared<QuorumLink>(loop_, events, number, options_.packet_bytes_max, kIntroductionBytesMax);
  links_[number] = link;
  link->start(std::move(socket), options_.stall_max);
}

QuorumLink* LearnerPort::find(std::uint64_t learner) const {
  const auto it = links_.find(learner);
  return it == links_.end() ? nullptr : it->second.get();
}

// The connection itself looks at its limit only when it can send: one that never reads would not meet it.
void LearnerPort::shed(std::uint64_t learner) {
  const QuorumLink* link = find(learner);
  if (link == nullptr || link->unsent_bytes() < kUnsentUnwatched) return;
  std::size_t total = 0;
  std::shared_ptr<QuorumLink> largest;
  for (const auto& [number, each] : links_) {
    total += each->unsent_bytes();
    if (largest == nullptr || each->unsent_bytes() > largest->unsent_bytes()) largest = each;
  }
  if (largest->unsent_bytes() <= options_.unsent_max && total <= options_.unsent_total_max) return;
  largest->fail(base::make_error(base::Errc::limit_exceeded, "{} bytes are unsent, {} to all learners",
                                 largest->unsent_bytes(), total));
}

std::string& LearnerPort::output(std::uint64_t learner) {
  shed(learner);
  if (QuorumLink* link = find(learner)) return link->output();
  nowhere_.clear();
  return nowhere_;
}

void LearnerPort::send_body(std::uint64_t learner, std::unique_ptr<BodySource> body) {
  if (QuorumLink* link = find(learner)) link->send_body(std::move(body));
}

void LearnerPort::close_learner(std::uint64_t learner) {
  const auto it = links_.find(learner);
  if (it == links_.end()) return;
  const auto link = std::move(it->second);
  links_.erase(it);
  link->close();
}

void LearnerPort::on_packet(QuorumLink& link, const records::QuorumPacket& packet) {
  events_.on_learner_packet(link.number(), packet);
}

std::size_t LearnerPort::unsent_bytes(std::uint64_t learner) const {
  const QuorumLink* link = find(learner);
  return link == nullptr ? 0 : link->unsent_bytes();
}

void LearnerPort::on_body_progress(QuorumLink& link, bool all_sent) {
  events_.on_learner_progress(link.number(), all_sent);
}

base::Result<bool> LearnerPort::on_body(QuorumLink&, std::string_view&) {
  UNREACHABLE("a leader reads no snapshot");
}

void LearnerPort::on_packets_end(QuorumLink&) { events_.on_learner_packets_end(); }

void LearnerPort::on_part(QuorumLink& link) { events_.on_learner_progress(link.number(), false); }

void LearnerPort::on_link_gone(QuorumLink& link, const base::Error& reason) {
  const std::uint64_t number = link.number();
  logger_.debug("the connection of learner {} ended: {}", number, reason.context);
  links_.erase(number);
  events_.on_learner_gone(number);
}

}  // namespace tandem::coord::shell
