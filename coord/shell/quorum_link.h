// One stream between a learner and its leader, on either side: cuts the unframed QuorumPackets, sends those
// of a wake-up gathered, and carries a snapshot in line: outgoing in slices as the peer reads them, with
// packets that follow held behind it; incoming handed on until its reader says that it is whole.
// Owned by its port or leader_link, on the loop's thread. Source of the stream's form: coordination.md 2.3.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "coord/records/quorum_packet.h"
#include "net/connection.h"
#include "net/timer.h"

namespace tandem::coord::shell {

class QuorumLink;

class QuorumLinkEvents {
 public:
  virtual ~QuorumLinkEvents() = default;
  // Views into the link's buffer, valid during the call.
  virtual void on_packet(QuorumLink& link, const records::QuorumPacket& packet) = 0;
  // Bytes of the snapshot that followed a SNAP. Takes what belongs to it off the front of `bytes`; true when
  // it is whole. An error closes the link.
  virtual base::Result<bool> on_body(QuorumLink& link, std::string_view& bytes) = 0;
  virtual void on_packets_end(QuorumLink& link) = 0;  // all that this wake-up brought
  virtual void on_part(QuorumLink& link) = 0;         // bytes that are no whole packet yet
  // No: packets wait, and soon nothing more is received, until resume(). Asked before each packet.
  virtual bool wants_packets(const QuorumLink& link) = 0;
  virtual void on_body_progress(QuorumLink& link, bool all_sent) = 0;  // of a snapshot that is being sent
  virtual void on_link_gone(QuorumLink& link, const base::Error& reason) = 0;
};

// What an outgoing snapshot is made of.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // Appends a slice that takes the loop's thread no longer than a fraction of a millisecond; false when that
  // was the last one.
  virtual bool next_slice(std::string& out) = 0;
};

class QuorumLink final : public net::Handler, public std::enable_shared_from_this<QuorumLink> {
 public:
  // `events` is called until close() or on_link_gone().
  // `first_bytes_max`: of data in the first packet, which a stranger sends.
  QuorumLink(net::Loop& loop, QuorumLinkEvents* events, std::uint64_t number, std::size_t packet_bytes_max,
             std::size_t first_bytes_max);

  // Takes the socket; reads at once.
  void start(net::Socket socket, base::Duration stall_max);
  void close();                   // events stop at once
  void fail(base::Error reason);  // with on_link_gone
  bool is_open() const { return connection_ != nullptr && connection_->is_open(); }
  std::uint64_t number() const { return number_; }
  const net::Endpoint& peer() const { return connection_->peer(); }

  // Where to encode packets; valid until the next call on this link.
  std::string& output();
  // A snapshot, behind what was sent so far; what is sent later follows it.
  void send_body(std::unique_ptr<BodySource> source);
  // wants_packets() says yes again.
  void resume();
  std::size_t unsent_bytes() const;

 private:
  base::Result<std::size_t> frame_size(std::string_view head) override { return head.size(); }
  void on_frame(net::Connection& connection, const net::Frame& frame) override;
  void on_frames_end(net::Connection& connection) override;
  void on_closed(net::Connection& connection, const base::Error& reason) override;

  base::Status parse();
  base::Result<bool> parse_body();
  void go_on();
  void pump_body();

  net::Loop& loop_;
  QuorumLinkEvents* events_;  // null once closed here
  std::uint64_t number_;
  records::QuorumPacketDecoder decoder_;
  std::shared_ptr<net::Connection> connection_;
  bool stopped_ = false;  // packets are not wanted

  std::unique_ptr<BodySource> body_;
  std::string held_;     // packets behind the body
  std::string nowhere_;  // what is said to a link that is closed
  net::Timer body_timer_;
};

}  // namespace tandem::coord::shell
