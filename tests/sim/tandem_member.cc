#include "tests/sim/member.h"

namespace tandem::sim {

namespace {

class TandemMember final : public Member {
 public:
  explicit TandemMember(MemberStart start)
      : peer_(std::move(start.options), std::move(start.start), start.authorizer, start.outputs, start.now) {}

  void start(Now now) override { peer_.start(now); }
  void on_notification(ServerId from, const coord::election::Notification& said, Now now) override {
    peer_.on_notification(from, said, now);
  }
  void on_election_link(ServerId peer, coord::election::Link link, Now now) override {
    peer_.on_election_link(peer, link, now);
  }
  void on_learner_port(Now now) override { peer_.on_learner_port({}, now); }
  LearnerId on_learner_open(Now now) override { return peer_.on_learner_open(now); }
  void on_learner_packet(LearnerId learner, const Packet& packet, Now now) override {
    peer_.on_learner_packet(learner, packet, now);
  }
  void on_learner_progress(LearnerId learner, Now now) override { peer_.on_learner_progress(learner, now); }
  void on_snapshot_sent(LearnerId learner, Now now) override { peer_.on_snapshot_sent(learner, now); }
  void on_learner_gone(LearnerId learner, Now now) override { peer_.on_learner_gone(learner, now); }
  void on_log_chunk(LearnerId learner, const coord::zab::LogChunk& chunk, Now now) override {
    peer_.on_log_chunk(learner, chunk, now);
  }
  void on_leader_connected(Now now) override { peer_.on_leader_connected(now); }
  bool reads_leader() const override { return peer_.reads_leader(); }
  void on_leader_packet(const Packet& packet, Now now) override { peer_.on_leader_packet(packet, now); }
  void on_leader_progress(Now now) override { peer_.on_leader_progress(now); }
  void on_leader_gone(std::string_view reason, Now now) override { peer_.on_leader_gone(reason, now); }
  void on_leader_unreachable(Now now) override { peer_.on_leader_unreachable("not reached in time", now); }
  void on_durable(Zxid zxid, Now now) override { peer_.on_durable(zxid, now); }
  void on_log_drained(Now now) override { peer_.on_log_drained(now); }
  void on_accepted_epoch_durable(std::int64_t epoch, Now now) override {
    peer_.on_accepted_epoch_durable(epoch, now);
  }
  void on_current_epoch_durable(std::int64_t epoch, Now now) override {
    peer_.on_current_epoch_durable(epoch, now);
  }
  void on_truncated(Zxid zxid, Database database, Now now) override {
    peer_.on_truncated(zxid, std::move(database), now);
  }
  void on_snapshot_installed(Zxid zxid, Database database, Now now) override {
    peer_.on_snapshot_installed(zxid, std::move(database), now);
  }
  LinkId open_link(std::string address, std::uint16_t port, Now now) override {
    return peer_.open_link(std::move(address), port, now);
  }
  void on_frame(LinkId link, std::string_view frame, Now now) override { peer_.on_frame(link, frame, now); }
  void on_link_closed(LinkId link, Now now) override { peer_.on_link_closed(link, now); }
  bool is_choked(LinkId link) const override { return peer_.is_choked(link); }
  void on_output_drained(LinkId link, Now now) override { peer_.on_output_drained(link, now); }
  void on_deadline(Now now) override { peer_.on_deadline(now); }
  std::optional<base::Instant> next_deadline() const override { return peer_.next_deadline(); }
  bool has_effects() const override { return peer_.has_effects(); }
  std::vector<coord::peer::Effect> take_effects() override { return peer_.take_effects(); }
  coord::peer::Status status() const override { return peer_.status(); }
  coord::pipeline::Pipeline* serving() const override { return peer_.serving(); }
  coord::tree::DataTree& tree() const override { return peer_.tree(); }
  const coord::session::SessionTracker& sessions() const override { return peer_.sessions(); }

 private:
  mutable coord::peer::Peer peer_;
};

}  // namespace

std::unique_ptr<Member> make_tandem(MemberStart start) {
  return std::make_unique<TandemMember>(std::move(start));
}

}  // namespace tandem::sim
