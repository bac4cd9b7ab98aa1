// What the history of an ensemble must be like: small judges as those of histories.h, of what servers say,
// have on disk and hold as their tree. They know neither servers nor the simulation;
// tests/sim/ensemble_histories_test.cc shows each a broken history. Zxids and epochs are plain numbers,
// servers too. Names of the invariants: docs/simulation.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "tests/sim/histories.h"

namespace tandem::sim {

// Z1: an epoch has one leader.
class OneLeader {
 public:
  Finding leads(std::int64_t epoch, int server);
  bool is_led(std::int64_t epoch) const { return leaders_.contains(epoch); }
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

// Z10: on disk the accepted epoch is never below the current one, and neither goes back.
class DiskEpochs {
 public:
  Finding found(int server, std::int64_t accepted, std::int64_t current);

 private:
  std::map<int, std::pair<std::int64_t, std::int64_t>> epochs_;  // by server: accepted and current
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
