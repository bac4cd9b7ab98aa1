// Servers that elect a leader: the real cores, with notifications that go from one to the other as bytes, at
// once and in order. There is no leader's work behind an election: who dies, who looks again because of it,
// and which epoch a leader established is said by the script. What is printed: notifications by the ids of
// sender and receiver, and what a server makes of them. A zxid is printed as EPOCH:COUNTER. Verbs are in
// world.cc.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "coord/election/election.h"
#include "tests/transcript/transcript.h"

namespace tandem::transcript {

class ElectionWorld final : public World {
 public:
  ElectionWorld();

 private:
  struct Server {
    jute::Zxid zxid;
    std::int64_t epoch = 0;
    std::unique_ptr<coord::election::Election> core;  // null: it does not run
  };
  struct Message {
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::string bytes;
  };

  void ensemble(const Command& command);
  void set(const Command& command);
  void start(std::int64_t id);
  void kill(std::int64_t id);
  void look(std::int64_t id);
  void cut(const Command& command);
  void pass(std::chrono::milliseconds time);
  void settle();
  void drain(std::int64_t id);
  bool connected(std::int64_t a, std::int64_t b) const;
  Server& running(std::int64_t id);

  base::Instant now_{std::chrono::hours(1)};
  coord::quorum::QuorumConfig config_;
  std::map<std::int64_t, Server> servers_;
  std::set<std::pair<std::int64_t, std::int64_t>> cut_;
  std::deque<Message> messages_;
};

}  // namespace tandem::transcript
