// Tree: the ensemble as the brokers see it, as a model: one tree whose changes have one order, sessions with
// their ephemeral nodes and one-shot watches, versions, sequences, multis as a whole. It never fails; that
// sessions reach it late or not at all is a matter of session.cc. Owned by the World, which lets sessions
// expire.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "jute/data.h"
#include "tests/sim/scheduler.h"
#include "zksession/session.h"

namespace tandem::sim::brokers {

// A change of one node, as the checker is told of it.
struct TreeChange {
  std::int64_t session = 0;
  std::string path;
  bool gone = false;
  bool made = false;
  std::string data;
  std::int32_t version = 0;
};

class Tree {
 public:
  explicit Tree(Scheduler& scheduler) : scheduler_(scheduler) { nodes_[""] = {}; }

  using OnEvent = std::function<void(zksession::Event)>;
  std::int64_t open(milliseconds timeout, OnEvent on_event);
  bool alive(std::int64_t session) const { return sessions_.contains(session); }
  void heard(std::int64_t session);
  void close(std::int64_t session);  // its ephemeral nodes go
  // Those that were not heard of for their timeout; gives their number.
  int expire();

  // In the session, which is alive.
  zksession::OpResult perform(std::int64_t session, const zksession::Op& op);

  bool has(const std::string& path) const { return nodes_.contains(path); }
  std::string data(const std::string& path) const;
  std::int32_t version(const std::string& path) const;
  std::int64_t owner(const std::string& path) const;
  std::vector<std::string> children(const std::string& path) const;
  std::uint64_t changes() const { return changes_; }
  Instant now() const { return scheduler_.now(); }

  std::function<void(const TreeChange&)> on_change = [](const TreeChange&) {};

 private:
  struct Node {
    std::string data;
    bool has_data = false;
    jute::Stat stat;
    std::int32_t next_sequence = 0;
  };
  struct Session {
    milliseconds timeout{0};
    Instant heard{};
    OnEvent on_event;
    std::set<std::string> data_watches;
    std::set<std::string> child_watches;
  };

  zksession::ErrorCode verdict(const zksession::Op& op) const;
  zksession::OpResult multi(std::int64_t session, const zksession::Op& op);
  zksession::OpResult single(std::int64_t session, const zksession::Op& op);
  void create(std::int64_t session, const zksession::Op& op, zksession::OpResult& out);
  void remove(std::int64_t session, const std::string& path);
  void fire(std::set<std::string> Session::*watches, const std::string& path, jute::EventType type);
  void tell(std::int64_t session, const std::string& path);

  Scheduler& scheduler_;
  std::map<std::string, Node> nodes_;
  std::map<std::int64_t, Session> sessions_;
  std::int64_t last_session_ = 0x1000;
  std::int64_t zxid_ = 1;
  std::uint64_t changes_ = 0;
};

}  // namespace tandem::sim::brokers
