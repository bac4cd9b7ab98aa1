// A learner's connection to its leader: tries the leader's addresses in turn until one answers or the time is
// up, then carries packets, and a snapshot into the reader it is given. Owned by the server, on the loop's
// thread; one for each term.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "coord/shell/quorum_link.h"
#include "net/connector.h"
#include "net/endpoint.h"
#include "net/timer.h"

namespace tandem::coord::shell {

class LeaderLinkEvents {
 public:
  virtual ~LeaderLinkEvents() = default;
  virtual void on_leader_connected() = 0;
  virtual void on_leader_packet(const records::QuorumPacket& packet) = 0;
  virtual void on_leader_packets_end() = 0;
  virtual void on_leader_part() = 0;        // bytes that are no whole packet yet
  virtual bool wants_leader_packets() = 0;  // as QuorumLinkEvents::wants_packets
  // After a SNAP packet, as QuorumLinkEvents::on_body.
  virtual base::Result<bool> on_leader_snapshot(std::string_view& bytes) = 0;
  // Not connected in time, or no longer. Nothing comes after it.
  virtual void on_leader_gone(const base::Error& reason) = 0;
};

struct LeaderLinkOptions {
  std::vector<net::Endpoint> endpoints;     // at least one
  base::Duration connect_max{};             // one attempt
  bool may_open_late = true;                // a refusal is not the last word
  std::size_t packet_bytes_max = 0x1fffff;  // jute.maxbuffer and its extra
  base::Duration stall_max = std::chrono::seconds(10);
};

class LeaderLink final : private QuorumLinkEvents {
 public:
  LeaderLink(net::Loop& loop, LeaderLinkOptions options, LeaderLinkEvents& events);
  ~LeaderLink() override;
  LeaderLink(const LeaderLink&) = delete;
  LeaderLink& operator=(const LeaderLink&) = delete;

  std::string& output() { return link_->output(); }
  void resume() { link_->resume(); }

 private:
  QuorumLinkEvents* as_events() { return this; }  // make_shared does not see the private base
  void attempt();
  void on_attempt(base::Result<net::Socket> socket);

  void on_packet(QuorumLink& link, const records::QuorumPacket& packet) override;
  base::Result<bool> on_body(QuorumLink& link, std::string_view& bytes) override;
  void on_packets_end(QuorumLink& link) override;
  void on_part(QuorumLink&) override { events_.on_leader_part(); }
  bool wants_packets(const QuorumLink&) override { return events_.wants_leader_packets(); }
  void on_body_progress(QuorumLink&, bool) override {}  // a learner sends no snapshot
  void on_link_gone(QuorumLink& link, const base::Error& reason) override;

  net::Loop& loop_;
  LeaderLinkOptions options_;
  LeaderLinkEvents& events_;
  std::shared_ptr<QuorumLink> link_;
  std::shared_ptr<net::Connecting> connecting_;
  net::Timer retry_;
  base::Instant give_up_;
  std::size_t next_endpoint_ = 0;
};

}  // namespace tandem::coord::shell
