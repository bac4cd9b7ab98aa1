// What must hold in every run, watched from outside all servers: one leader for each epoch, one history, no
// acknowledged write lost, epochs that never go back. The first violation ends the run.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coord/quorum/server_id.h"
#include "jute/ids.h"
#include "tests/sim/histories.h"

namespace tandem::sim {

class Node;

class Checker {
 public:
  // After every event of a node that is up.
  void look_at(const Node& node);
  // A client was told that its write is done; the server that said so has it.
  void acknowledged(jute::Zxid zxid, const std::string& what);
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
  std::uint64_t elections() const { return leaders_.size(); }
  std::uint64_t acked_writes() const { return acked_.size(); }
  // Fingerprint of all that was seen, for comparing two runs of a seed.
  std::uint64_t hash() const { return hash_; }
  void mix(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3ULL; }

 private:
  void check_new_leader(const Node& node, std::int64_t epoch);

  std::map<std::int64_t, coord::quorum::ServerId> leaders_;      // by epoch: who served in it
  std::map<std::int64_t, std::uint64_t> digests_;                // by zxid: of the tree
  std::map<std::int64_t, std::string> acked_;                    // by zxid
  std::map<int, std::pair<std::int64_t, std::int64_t>> epochs_;  // by node: accepted and current, as on disk
  std::map<std::uint64_t, std::int64_t> sessions_;               // by connection
  std::map<std::uint64_t, std::deque<std::vector<std::int64_t>>> touches_;  // on their way, by connection
  std::map<std::int64_t, std::int32_t> timeouts_;                           // by session
  std::multimap<std::int64_t, std::int64_t> closings_;                      // by session: zxids of proposals
  std::map<int, SessionTimes> times_;                                       // by leader
  SessionTimes closed_;
  std::optional<std::string> violation_;
  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

}  // namespace tandem::sim
