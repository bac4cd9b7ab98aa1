// What must hold in every run, watched from outside all servers: tells the judges (histories.h,
// ensemble_histories.h, node_rules.h) what servers have, say and do. The first violation ends the run.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coord/election/vote.h"
#include "coord/records/txn_batch.h"
#include "jute/ids.h"
#include "tests/sim/ensemble_histories.h"
#include "tests/sim/node_rules.h"

namespace tandem::sim {

class Node;

class Checker {
 public:
  using Zxid = jute::Zxid;

  explicit Checker(int voters) : voters_(voters) {}

  // After every event of a node that is up.
  void look_at(const Node& node);
  // A client was told that its write is done; the server that said so has it.
  void acknowledged(Zxid zxid, const std::string& what);
  // An acknowledgement on its way to a leader.
  void acking(const Node& node, std::string_view packet_bytes);

  // ---- logs of servers
  // ------------------------------------------------------------------------------------------------------
  // What there is when it starts, or after it was cut or replaced.
  void has_log(const Node& node);
  void logs(const Node& node, const std::shared_ptr<const coord::records::TxnBatch>& batch, bool leads);
  // A leader counts its own log.
  void counts(const Node& leader, Zxid durable);
  // A leader has it cut its log, or take a snapshot for it.
  void cuts(const Node& node, Zxid zxid);
  // While it looks for a leader.
  void votes(const Node& node, const coord::election::Vote& vote);

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
  void judge(const Judgement& judgement);
  void check_leader(const Node& node, std::int64_t epoch);
  void check_delivery(const Node& node);
  void check_nodes(const Node& node, Zxid applied);
  void check_ack(const Node& node, Zxid zxid);

  struct Seen {
    Zxid delivered;  // when it was looked at last
    Zxid log_end;    // of what was given to its log
  };

  int voters_;
  std::map<int, Seen> seen_;  // by server
  OneLeader leaders_;
  TransactionOrder order_;
  ServerLogs logs_;
  NodeRules rules_;
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
