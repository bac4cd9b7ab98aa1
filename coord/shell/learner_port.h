// Where learners connect while this server leads: accepts on the quorum port's addresses, gives each learner
// a QuorumLink and the number that its owner says. Decides nothing: what a packet means, and who is sent
// away, is the leader core's. Owned by the server, on the loop's thread; opened for a term, closed after it.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "coord/shell/quorum_link.h"
#include "coord/zab/limits.h"
#include "logging/logger.h"
#include "net/endpoint.h"
#include "net/listener.h"

namespace tandem::coord::shell {

class LearnerPortEvents {
 public:
  virtual ~LearnerPortEvents() = default;
  // Its number, never given twice in a term; 0: turn it away.
  virtual std::uint64_t on_learner_open(const std::string& address) = 0;
  virtual void on_learner_packet(std::uint64_t learner, const records::QuorumPacket& packet) = 0;
  virtual void on_learner_packets_end() = 0;
  virtual void on_learner_progress(std::uint64_t learner, bool snapshot_sent) = 0;
  virtual void on_learner_gone(std::uint64_t learner) = 0;
};

struct LearnerPortOptions {
  std::vector<net::Endpoint> endpoints;
  std::size_t packet_bytes_max = 0x1fffff;  // jute.maxbuffer and its extra
  base::Duration stall_max = std::chrono::seconds(10);
  // Bytes unsent to one learner and to all, beyond which the one with the most is closed.
  std::size_t unsent_max = zab::kLearnerOutputMax;
  std::size_t unsent_total_max = zab::kLearnersOutputMax;
};

class LearnerPort final : private QuorumLinkEvents {
 public:
  static base::Result<std::unique_ptr<LearnerPort>> open(net::Loop& loop, LearnerPortOptions options,
                                                         LearnerPortEvents& events, logging::Logger logger);
  ~LearnerPort() override;
  LearnerPort(const LearnerPort&) = delete;
  LearnerPort& operator=(const LearnerPort&) = delete;

  // Nothing happens for a learner that has gone.
  std::string& output(std::uint64_t learner);
  void send_body(std::uint64_t learner, std::unique_ptr<BodySource> body);
  void close_learner(std::uint64_t learner);  // after what was sent, without on_learner_gone
  std::size_t unsent_bytes(std::uint64_t learner) const;

  std::size_t learners() const { return links_.size(); }

 private:
  LearnerPort(net::Loop& loop, LearnerPortOptions options, LearnerPortEvents& events, logging::Logger logger)
      : loop_(loop), options_(std::move(options)), events_(events), logger_(logger) {}
  void accept(net::Socket socket);
  QuorumLink* find(std::uint64_t learner) const;
  void shed(std::uint64_t learner);

  void on_packet(QuorumLink& link, const records::QuorumPacket& packet) override;
  base::Result<bool> on_body(QuorumLink& link, std::string_view& bytes) override;
  void on_packets_end(QuorumLink& link) override;
  void on_part(QuorumLink& link) override;
  bool wants_packets(const QuorumLink&) override { return true; }
  void on_body_progress(QuorumLink& link, bool all_sent) override;
  void on_link_gone(QuorumLink& link, const base::Error& reason) override;

  net::Loop& loop_;
  LearnerPortOptions options_;
  LearnerPortEvents& events_;
  logging::Logger logger_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::string nowhere_;  // what is said to a learner that has gone
  std::unordered_map<std::uint64_t, std::shared_ptr<QuorumLink>> links_;
};

}  // namespace tandem::coord::shell
