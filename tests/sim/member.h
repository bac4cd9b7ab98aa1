// A member of a simulated ensemble as its node drives it: the real core (coord/peer), or the model of an
// Apache server. The verbs and effects are those of coord/peer, which says what they mean.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coord/peer/peer.h"
#include "tests/sim/apache_learner.h"

namespace tandem::sim {

class Member {
 public:
  using Now = coord::pipeline::Now;
  using ServerId = coord::quorum::ServerId;
  using LearnerId = coord::zab::LearnerId;
  using LinkId = coord::pipeline::LinkId;
  using Packet = coord::records::QuorumPacket;
  using Database = coord::peer::Database;
  using Zxid = jute::Zxid;

  virtual ~Member() = default;

  virtual void start(Now now) = 0;
  virtual void on_notification(ServerId from, const coord::election::Notification& said, Now now) = 0;
  virtual void on_election_link(ServerId peer, coord::election::Link link, Now now) = 0;
  virtual void on_learner_port(Now now) = 0;
  virtual LearnerId on_learner_open(Now now) = 0;
  virtual void on_learner_packet(LearnerId learner, const Packet& packet, Now now) = 0;
  virtual void on_learner_progress(LearnerId learner, Now now) = 0;
  virtual void on_snapshot_sent(LearnerId learner, Now now) = 0;
  virtual void on_learner_gone(LearnerId learner, Now now) = 0;
  virtual void on_log_chunk(LearnerId learner, const coord::zab::LogChunk& chunk, Now now) = 0;
  virtual void on_leader_connected(Now now) = 0;
  virtual bool reads_leader() const = 0;
  virtual void on_leader_packet(const Packet& packet, Now now) = 0;
  virtual void on_leader_progress(Now now) = 0;
  virtual void on_leader_gone(std::string_view reason, Now now) = 0;
  virtual void on_leader_unreachable(Now now) = 0;
  virtual void on_durable(Zxid zxid, Now now) = 0;
  virtual void on_log_drained(Now now) = 0;
  virtual void on_accepted_epoch_durable(std::int64_t epoch, Now now) = 0;
  virtual void on_current_epoch_durable(std::int64_t epoch, Now now) = 0;
  virtual void on_truncated(Zxid zxid, Database database, Now now) = 0;
  virtual void on_snapshot_installed(Zxid zxid, Database database, Now now) = 0;
  virtual LinkId open_link(std::string address, std::uint16_t port, Now now) = 0;
  virtual void on_frame(LinkId link, std::string_view frame, Now now) = 0;
  virtual void on_link_closed(LinkId link, Now now) = 0;
  virtual bool is_choked(LinkId link) const = 0;
  virtual void on_output_drained(LinkId link, Now now) = 0;
  virtual void on_deadline(Now now) = 0;
  virtual std::optional<base::Instant> next_deadline() const = 0;
  virtual bool has_effects() const = 0;
  virtual std::vector<coord::peer::Effect> take_effects() = 0;
  virtual coord::peer::Status status() const = 0;
  virtual coord::pipeline::Pipeline* serving() const = 0;
  virtual coord::tree::DataTree& tree() const = 0;
  virtual const coord::session::SessionTracker& sessions() const = 0;
};

struct MemberStart {
  coord::peer::PeerOptions options;
  coord::peer::PeerStart start;
  const coord::auth::Authorizer& authorizer;
  coord::pipeline::Outputs& outputs;
  Member::Now now;
};

std::unique_ptr<Member> make_tandem(MemberStart start);
std::unique_ptr<Member> make_apache(MemberStart start, ApacheOptions apache);

}  // namespace tandem::sim
