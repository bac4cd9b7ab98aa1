// What must hold in every run, watched from outside all servers: tells the judges (histories.h,
// ensemble_histories.h) what servers have, say and do. The first violation ends the run.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "jute/ids.h"
#include "tests/sim/ensemble_histories.h"

namespace tandem::sim {

class Node;

class Checker {
 public:
  using Zxid = jute::Zxid;

  // After every event of a node that is up.
  void look_at(const Node& node);
  // A client was told that its write is done; the server that said so has it.
  void acknowledged(Zxid zxid, const std::string& what);
  // An acknowledgement on its way to a leader.
  void acking(const Node& node, std::string_view packet_bytes);

  // ---- sessions, as their leader hears of them
  // --------------------------------------------------------------
  void bind(std::uint64_t connection, std::int64_t session) { sessions_[connection] = session; }
  // By the leader, or who takes itself for it.
  void heard_on(const Node& leader, std::uint64_t connection);
  void heard(const Node& leader, std::int64_t session);
  // What learners say they heard, as they say it and as it arrives: a PING on that connection.
  void touching(std::uint64_t connection, std::string_view packets);
  void touched(const Node& leader, std::uint64_t connection);
  void proposed(const Node& leader, std::string_view payload);
  Finding resumed(std::int64_t session, const Node& node);

  void violate(const std::string& invariant, const std::string& text);
  const std::optional<std::string>& violation() const { return violation_; }
  std::uint64_t elections() const { return leaders_.epochs(); }
  std::uint64_t acked_writes() const { return acked_.count(); }
  // Fingerprint of all that was seen, for comparing two runs of a seed.
  std::uint64_t hash() const { return hash_; }
  void mix(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3ULL; }

 private:
  void judge(const char* invariant, const Finding& finding);
  void check_leader(const Node& node, std::int64_t epoch);
  void check_ack(const Node& node, Zxid zxid);

  OneLeader leaders_;
  EqualTrees trees_;
  AcknowledgedWrites acked_;
  DiskEpochs epochs_;
  std::map<std::uint64_t, std::int64_t> sessions_;                          // by connection
  std::map<std::uint64_t, std::deque<std::vector<std::int64_t>>> touches_;  // on their way, by connection
  std::map<std::int64_t, std::int32_t> timeouts_;                           // by session
  std::multimap<std::int64_t, std::int64_t> closings_;                      // by session: zxids of proposals
  std::map<int, SessionTimes> times_;                                       // by leader
  SessionTimes closed_;
  std::optional<std::string> violation_;
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

}  // namespace tandem::sim
