// What a history of one session, or of all, must be like: small judges that are told what happened, in order,
// and say what is wrong with it. They know neither servers nor the simulation; tests/sim/histories_test.cc
// shows each a broken history. Names of the invariants: docs/simulation.md.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"

namespace tandem::sim {

using Finding = std::optional<std::string>;

// S1: a connection's requests are answered in the order they were sent.
class ReplyOrder {
 public:
  void connected() { sent_.clear(); }
  void sent(std::int32_t xid) { sent_.push_back(xid); }
  Finding replied(std::int32_t xid);

 private:
  std::deque<std::int32_t> sent_;
};

// S2, S3: a session sees its own writes, and never an older state than it has seen.
class SessionView {
 public:
  Finding replied(const std::string& what, std::int64_t zxid);
  Finding read(const std::string& path, std::int64_t mzxid);
  void wrote(const std::string& path, std::int64_t mzxid);

 private:
  std::int64_t last_zxid_ = 0;
  std::map<std::string, std::int64_t> seen_;  // by path: newest mzxid
};

// S5: sessions are not expired before their time, which begins again with every word that the leader heard of
// them and with every leader; and what was closed stays closed.
class SessionTimes {
 public:
  void heard(std::int64_t session, base::Instant now) { heard_[session] = now; }
  void leads(base::Instant now) { leads_ = now; }
  Finding expired(std::int64_t session, base::Duration timeout, base::Instant now) const;
  void closed(std::int64_t session, std::int64_t zxid) { closed_.emplace(session, zxid); }
  // A server that knows the history up to `zxid` took the session up.
  Finding resumed(std::int64_t session, std::int64_t zxid) const;

 private:
  std::map<std::int64_t, base::Instant> heard_;
  base::Instant leads_{};
  std::map<std::int64_t, std::int64_t> closed_;
};

// S6: the numbers that a parent gives rise with its transactions.
class SequenceNumbers {
 public:
  Finding created(const std::string& path, std::int64_t czxid);

 private:
  std::map<std::int64_t, std::int64_t> numbers_;  // by czxid
};

// S-sync: what is read behind a sync is as new as all that was acknowledged when the sync began. A leader
// that asks no quorum may be another's predecessor and not know: it answers for its own epoch, and those
// before.
class SyncedReads {
 public:
  struct Began {
    std::int64_t newest = 0;   // zxid acknowledged, of any client's
    std::int64_t of_node = 0;  // newest mzxid acknowledged of the node
  };

  void acknowledged(std::int64_t zxid) { newest_ = std::max(newest_, zxid); }
  void wrote(const std::string& path, std::int64_t mzxid);
  Began begin(const std::string& path) const;
  // Answered with `zxid`; mzxid 0: there was no such node.
  static Finding read(const std::string& path, const Began& began, std::int64_t zxid, std::int64_t mzxid,
                      bool verified);

 private:
  std::int64_t newest_ = 0;
  std::map<std::string, std::int64_t> written_;
};

// S7: a write on the condition of a version makes the next one; any: there was none.
Finding follows_version(const std::string& path, std::int32_t asked, std::int32_t made, std::int32_t any);

// W1, W2: a watch that was left on data fires before the change can be seen, and once.
class DataWatches {
 public:
  void left(const std::string& path, std::int64_t mzxid) { left_.emplace(path, mzxid); }
  Finding fired(const std::string& path);
  Finding read(const std::string& path, std::int64_t mzxid) const;
  void session_over() { left_.clear(); }
  const std::map<std::string, std::int64_t>& waiting() const { return left_; }

 private:
  std::map<std::string, std::int64_t> left_;
};

// W1: on a connection no event comes behind a reply that shows what it tells of, or more.
class EventOrder {
 public:
  void connected() { shown_ = 0; }
  void replied(std::int64_t zxid) { shown_ = std::max(shown_, zxid); }
  Finding event(const std::string& path, std::int64_t zxid) const;  // -1: of what happened before

 private:
  std::int64_t shown_ = 0;
};

// W3: no event tells of a node that the session may not read.
class HiddenNodes {
 public:
  void hide(const std::string& path) { hidden_.insert(path); }
  Finding event(const std::string& path) const;

 private:
  std::set<std::string> hidden_;
};

// M1: what a multi wrote is there in all its nodes, by one transaction, or nowhere. Each multi writes a value
// of its own.
class MultiWrites {
 public:
  void asked(const std::string& value) { asked_.emplace(value, std::nullopt); }
  Finding succeeded(const std::string& value, std::int64_t zxid);
  void failed(const std::string& value) { failed_.insert(value); }
  Finding read(const std::string& value, std::int64_t mzxid);

 private:
  std::map<std::string, std::optional<std::int64_t>> asked_;  // value, and where it was seen
  std::set<std::string> failed_;
};

}  // namespace tandem::sim
