#include "coord/shell/learner_port.h"

#include "net/loop.h"

namespace tandem::coord::shell {

base::Result<std::unique_ptr<LearnerPort>> LearnerPort::open(net::Loop& loop, LearnerPortOptions options,
                                                             std::uint64_t& next_learner,
                                                             LearnerPortEvents& events,
                                                             logging::Logger logger) {
  std::unique_ptr<LearnerPort> port(new LearnerPort(loop, std::move(options), next_learner, events, logger));
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
  if (links_.size() >= options_.learners_max) {
    logger_.warn("{} connections of learners are open, turning {} away", links_.size(),
                 net::to_string(socket.peer()));
    return;
  }
  const std::uint64_t number = next_learner_++;
  const std::string address = net::to_string(socket.peer());
  QuorumLinkEvents* const events = this;  // make_shared does not see the private base
  auto link = std::make_shared<QuorumLink>(loop_, events, number, options_.packet_bytes_max);
  links_[number] = link;
  link->start(std::move(socket), options_.stall_max);
  events_.on_learner_open(number, address);
}

QuorumLink* LearnerPort::find(std::uint64_t learner) const {
  const auto it = links_.find(learner);
  return it == links_.end() ? nullptr : it->second.get();
}

std::string& LearnerPort::output(std::uint64_t learner) {
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

base::Result<bool> LearnerPort::on_body(QuorumLink&, std::string_view&) {
  UNREACHABLE("a leader reads no snapshot");
}

void LearnerPort::on_packets_end(QuorumLink&) { events_.on_learner_packets_end(); }

void LearnerPort::on_link_gone(QuorumLink& link, const base::Error& reason) {
  const std::uint64_t number = link.number();
  logger_.info("the connection of learner {} ended: {}", number, reason.context);
  links_.erase(number);
  events_.on_learner_gone(number);
}

}  // namespace tandem::coord::shell
