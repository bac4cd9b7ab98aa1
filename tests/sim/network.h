// The simulated network: connections that keep order and lose nothing while they live, with latency, stalls
// while a direction is cut, resets, ends that die silently (power) or not (kill). Hosts are numbers. Owned by
// the World; what is delivered is handed to the callbacks of the end.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "coord/records/txn_batch.h"
#include "tests/sim/scheduler.h"

namespace tandem::sim {

// A snapshot on the wire: the history that it is the result of.
struct Snapshot {
  jute::Zxid zxid;
  std::vector<coord::records::TxnRef> history;
  bool has_body = false;  // the tree itself follows
  // It went on changing while it was sent: this is where it is one state again. Known when all is sent.
  std::shared_ptr<jute::Zxid> mixed_until = std::make_shared<jute::Zxid>();
};

struct Item {
  std::string bytes;
  std::shared_ptr<const Snapshot> snapshot;
  bool end = false;  // the other end closed behind what it sent
};

// What one server said to another, kept to be said again later.
struct Said {
  int from = 0;
  int to = 0;
  std::vector<std::string> items;
};

class Connection;
using ConnectionPtr = std::shared_ptr<Connection>;

struct End {
  int host = 0;
  std::function<void(Item)> on_item;
  std::function<void(std::string)> on_gone;  // once, unless this end closed first
};

class Connection {
 public:
  std::uint64_t number() const { return number_; }
  bool is_open(int end) const { return open[end]; }

 private:
  friend class Network;
  struct Direction {  // from end i to end 1 - i
    std::deque<std::pair<Instant, Item>> queue;
    Instant last{};
    std::optional<Instant> stalled_since;
    bool pumping = false;
  };
  std::uint64_t number_ = 0;
  End ends[2];
  bool open[2] = {true, true};
  Direction directions[2];
  Duration patience{};  // of a stalled direction
};

class Network {
 public:
  Network(Scheduler& scheduler, base::Random random, Duration latency, double spikes)
      : scheduler_(scheduler), random_(random), latency_(latency), spikes_(spikes) {}

  ConnectionPtr connect(End a, End b);
  void send(const ConnectionPtr& connection, int end, Item item);
  // The other end hears of it behind what was sent; this end hears nothing more.
  void close(const ConnectionPtr& connection, int end);
  // All connections of the host, those too that it has not taken up yet. Its system closes them, or, without
  // power, says no word to anybody: who sends to it is told, once it is back or after a while.
  void leave(int host, bool closes);
  void reset(const ConnectionPtr& connection, const std::string& reason);
  // One of the open connections, for faults.
  ConnectionPtr any_connection();

  bool reaches(int from, int to) const {
    return !cut_.contains({from, to}) && !off_.contains(from) && !off_.contains(to);
  }
  void cut(int from, int to) { cut_.insert({from, to}); }
  void heal() { cut_.clear(); }
  void calm() { spikes_ = 0; }
  bool is_whole() const { return cut_.empty(); }
  void set_power(int host, bool on) {
    on ? static_cast<void>(off_.erase(host)) : static_cast<void>(off_.insert(host));
  }
  Duration delay();  // of one message
  // Of what is under way.
  std::uint64_t fingerprint() const;

  // Hosts that do not run right now get nothing before this time.
  std::function<Instant(int host)> asleep_until = [](int) { return Instant{}; };

 private:
  void pump(const ConnectionPtr& connection, int from);
  void deliver(const ConnectionPtr& connection, int to, Item item);
  void gone(const ConnectionPtr& connection, int end, const std::string& reason);
  void vanish(const ConnectionPtr& connection, int end);
  void forget(const ConnectionPtr& connection, int end);

  Scheduler& scheduler_;
  base::Random random_;
  Duration latency_;
  double spikes_;
  std::set<std::pair<int, int>> cut_;
  std::set<int> off_;
  std::uint64_t next_ = 1;
  std::vector<std::weak_ptr<Connection>> connections_;
};

}  // namespace tandem::sim
