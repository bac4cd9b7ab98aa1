// What the history of an ensemble must be like: small judges as those of histories.h, of what servers say,
// have on disk and hold as their tree. They know neither servers nor the simulation;
// tests/sim/ensemble_histories_test.cc shows each a broken history. Zxids and epochs are plain numbers,
// servers too. Names of the invariants: docs/simulation.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bytes/slice.h"
#include "tests/sim/histories.h"

namespace tandem::sim {

// Z1: an epoch has one leader.
class OneLeader {
 public:
  Finding leads(std::int64_t epoch, int server);
  bool is_led(std::int64_t epoch) const { return leaders_.contains(epoch); }
  bool leads_it(std::int64_t epoch, int server) const {
    const auto it = leaders_.find(epoch);
    return it != leaders_.end() && it->second == server;
  }
  std::uint64_t epochs() const { return leaders_.size(); }

 private:
  std::map<std::int64_t, int> leaders_;  // by epoch
};

// Z2, Z13: the same zxid is the same tree everywhere.
class EqualTrees {
 public:
  Finding holds(int server, std::int64_t zxid, std::uint64_t digest);

 private:
  std::map<std::int64_t, std::uint64_t> digests_;  // by zxid
};

// Z2, as clients see it: a version of a node has one value, whoever wrote or reads it.
class VersionedValues {
 public:
  Finding wrote(const std::string& path, std::int32_t version, const std::string& value);
  Finding read(const std::string& path, std::int32_t version, const std::string& value) const;

 private:
  std::map<std::pair<std::string, std::int32_t>, std::string> written_;  // by node and version
};

// Z9: who leads has everything that any client was told is done in an epoch before.
class AcknowledgedWrites {
 public:
  using Has = std::function<bool(std::int64_t zxid)>;

  void acknowledged(std::int64_t zxid, const std::string& what) { writes_.emplace(zxid, what); }
  Finding leads(int server, std::int64_t epoch, const Has& has) const;
  std::uint64_t count() const { return writes_.size(); }

 private:
  std::map<std::int64_t, std::string> writes_;  // by zxid
};

// Z10: on disk the accepted epoch is never below the current one, and neither goes back. Z16: who leads an
// epoch has a quorum that took it for its current one, and so promised to follow nobody of an earlier one.
class DiskEpochs {
 public:
  Finding found(int server, std::int64_t accepted, std::int64_t current);
  // Voters have the numbers up to `voters`.
  Finding leads(int server, std::int64_t epoch, int voters) const;

 private:
  std::map<int, std::pair<std::int64_t, std::int64_t>> epochs_;  // by server: accepted and current
};

// For a judge of several invariants.
struct Breach {
  const char* invariant;
  std::string text;
};
using Judgement = std::optional<Breach>;

// There is one order of transactions. Z3: each was proposed by the leader of its epoch, and is logged as it
// was. Z6, Z7: that leader's follow one another without a hole, behind those of earlier epochs. Z4: behind
// the same one everywhere, so that two logs that have a transaction agree on all before it. Z5: of what is
// committed one is behind the other, whoever says so. Z9: who leads has all of that. Z16: nothing is
// committed in an epoch any more when another one has a leader.
class TransactionOrder {
 public:
  // `behind`: what the log of this server ends with; 0: it is empty.
  Judgement proposed(int server, std::int64_t zxid, std::int64_t behind, const bytes::Slice& payload);
  Judgement logged(int server, std::int64_t zxid, std::int64_t behind, std::string_view payload) const;
  bool knows(std::int64_t zxid) const { return proposals_.contains(zxid); }
  // Where its history ends. The quorum that made it a leader has all of that: it is committed.
  Judgement leads(int server, std::int64_t epoch, std::int64_t last);
  // A server that serves has applied it.
  Judgement delivers(int server, std::int64_t zxid);
  std::int64_t begins_behind(std::int64_t epoch) const;  // 0: nothing, or nobody leads it
  bool any_committed() const { return !committed_.empty(); }
  // Since the last time, in order.
  std::vector<bytes::Slice> take_committed() { return std::exchange(committed_, {}); }

 private:
  struct Proposal {
    bytes::Slice payload;
    std::int64_t behind = 0;
    bool committed = false;
  };
  Judgement commit(int server, std::int64_t zxid, Proposal& proposal);

  std::unordered_map<std::int64_t, Proposal> proposals_;  // by zxid
  std::map<std::int64_t, std::int64_t> begins_;           // by epoch: the end of what is before it
  std::int64_t last_ = 0;                                 // committed
  std::vector<bytes::Slice> committed_;
};

// Z12: no leader has a server give up what it has delivered. Z15: no server votes with less than it
// acknowledged, unless a leader had it give that up.
class ServerLogs {
 public:
  void delivers(int server, std::int64_t zxid) { logs_[server].delivered = zxid; }
  void acknowledges(int server, std::int64_t zxid);
  // A leader's history, which takes the place of whatever was acknowledged before.
  void accepts_leader(int server, std::int64_t history_end) { logs_[server].acknowledged = history_end; }
  // A leader says so: by TRUNC, or by a snapshot in place of all. `log_end`: of what there is.
  Finding is_cut(int server, std::int64_t to, std::int64_t log_end);
  Finding votes(int server, std::int64_t log_end);

 private:
  struct Log {
    std::int64_t delivered = 0;
    std::int64_t acknowledged = 0;
  };
  std::map<int, Log> logs_;  // by server
};

// Z11: what is acknowledged is durable. NEWLEADER stands for the whole history and the current epoch.
struct DurableState {
  std::int64_t accepted = 0;
  std::int64_t current = 0;
  bool history = false;  // what it acknowledges, or of NEWLEADER all that is before it
};
Finding accepts_epoch(int server, std::int64_t epoch, const DurableState& durable);
Finding accepts_leader(int server, std::int64_t epoch, const DurableState& durable);
Finding accepts_transaction(int server, std::int64_t zxid, const DurableState& durable);

// At the end, when nobody asks for anything and nothing is broken.
struct Rest {
  int server = 0;
  std::int64_t zxid = 0;
  std::uint64_t digest = 0;
  std::uint64_t ephemerals = 0;
};
// Z5. `unwritten_alike`: where nobody has written in the last epoch, who leads it stands at its zero, a
// follower of Apache's at what was written before.
Finding rests_alike(const Rest& one, const Rest& other, bool unwritten_alike);
// S4: no session is left, and so no node of one.
Finding rests_alone(const Rest& rest);

}  // namespace tandem::sim
