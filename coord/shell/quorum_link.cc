#include "coord/shell/quorum_link.h"

#include "coord/zab/limits.h"
#include "net/loop.h"

namespace tandem::coord::shell {

namespace {

// Unsent bytes up to which a snapshot goes on; then its peer has to read first. That is looked up, not
// signalled, as often as gives some hundreds of megabytes a second.
constexpr std::size_t kBodyUnsentMax = 1024 * 1024;
constexpr base::Duration kBodyLook = std::chrono::milliseconds(1);

}  // namespace

QuorumLink::QuorumLink(net::Loop& loop, QuorumLinkEvents* events, std::uint64_t number,
                       std::size_t packet_bytes_max, std::size_t first_bytes_max)
    : loop_(loop),
      events_(events),
      number_(number),
      decoder_(packet_bytes_max, first_bytes_max),
      body_timer_(loop, [this] { pump_body(); }) {}

void QuorumLink::start(net::Socket socket, base::Duration stall_max) {
  net::ConnectionOptions options;
  // Acknowledgements are read whatever waits to be sent.
  options.output_pause_bytes = zab::kLearnerOutputMax;
  options.output_limit_bytes = zab::kLearnerOutputMax;
  options.stall_max = stall_max;
  connection_ = net::Connection::start(loop_, std::move(socket), shared_from_this(), options);
}

void QuorumLink::close() {
  events_ = nullptr;
  body_.reset();
  body_timer_.set(std::nullopt);
  if (connection_ != nullptr) connection_->close();
}

void QuorumLink::fail(base::Error reason) {
  if (connection_ != nullptr) connection_->close(std::move(reason));
}

std::size_t QuorumLink::unsent_bytes() const {
  return held_.size() + (connection_ == nullptr ? 0 : connection_->unsent_bytes());
}

std::string& QuorumLink::output() {
  if (!is_open()) {
    nowhere_.clear();
    return nowhere_;
  }
  if (body_ == nullptr) return connection_->output();
  return held_;
}

void QuorumLink::send_body(std::unique_ptr<BodySource> source) {
  ENSURE(body_ == nullptr);
  body_ = std::move(source);
  pump_body();
}

void QuorumLink::pump_body() {
  if (body_ == nullptr || !is_open()) return;
  bool more = true;
  const bool room = connection_->unsent_bytes() < kBodyUnsentMax;
  if (room) more = body_->next_slice(connection_->output());
  if (!more) {
    body_.reset();
    connection_->write(held_);
    held_ = std::string();
  } else {
    body_timer_.set(loop_.clock().now() + kBodyLook);
  }
  if (room && events_ != nullptr) events_->on_body_progress(*this, !more);
}

void QuorumLink::on_frame(net::Connection& connection, const net::Frame& frame) {
  const auto self = shared_from_this();
  decoder_.feed(frame.bytes());
  if (const auto status = parse(); !status) return connection.close(status.error());
  if (events_ != nullptr && decoder_.buffered() != 0 && !stopped_) events_->on_part(*this);
}

base::Status QuorumLink::parse() {
  while (events_ != nullptr) {
    if (decoder_.in_snapshot()) {
      const auto whole = parse_body();
      if (!whole) return whole.error();
      if (!*whole) return {};
      continue;
    }
    if (!events_->wants_packets(*this)) {
      stopped_ = true;
      connection_->pause_reading();
      return {};
    }
    const auto packet = decoder_.next();
    if (!packet) return packet.error();
    if (!*packet) {
      if (decoder_.in_snapshot()) continue;
      return {};
    }
    events_->on_packet(*this, **packet);
  }
  return {};
}

base::Result<bool> QuorumLink::parse_body() {
  std::string_view bytes = decoder_.raw();
  if (bytes.empty()) return false;
  const std::size_t before = bytes.size();
  const auto whole = events_->on_body(*this, bytes);
  if (!whole) return whole.error();
  decoder_.consume_raw(before - bytes.size());
  if (*whole) decoder_.end_snapshot();
  return *whole;
}

void QuorumLink::resume() {
  if (!stopped_ || !is_open()) return;
  stopped_ = false;
  loop_.defer([self = shared_from_this()] { self->go_on(); });
}

// Packets that were received before come first.
void QuorumLink::go_on() {
  if (!is_open() || events_ == nullptr) return;
  if (const auto status = parse(); !status) return connection_->close(status.error());
  if (events_ != nullptr) events_->on_packets_end(*this);
  if (!stopped_ && is_open()) connection_->resume_reading();
}

void QuorumLink::on_frames_end(net::Connection&) {
  if (events_ != nullptr) events_->on_packets_end(*this);
}

void QuorumLink::on_closed(net::Connection&, const base::Error& reason) {
  body_.reset();
  body_timer_.set(std::nullopt);
  if (events_ != nullptr) std::exchange(events_, nullptr)->on_link_gone(*this, reason);
}

}  // namespace tandem::coord::shell
