// Servers with a log in memory, one of which leads and others of which follow or observe: the real cores, and
// packets that go from one to the other as bytes. What is printed: packets by the ids of sender and receiver,
// and what a server does to its disk or tells its owner. A zxid is printed as EPOCH:COUNTER. Verbs are in
// world.cc.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coord/zab/leader.h"
#include "coord/zab/learner.h"
#include "tests/transcript/transcript.h"

namespace tandem::transcript {

class ZabWorld final : public World {
 public:
  ZabWorld();

 private:
  using Zxid = jute::Zxid;

  struct Server {
    std::int64_t accepted_epoch = 0;
    std::int64_t current_epoch = 0;
    Zxid snapshot;
    std::vector<coord::records::TxnRef> log;  // behind the snapshot, durable
    coord::zab::CommitLog recent;
    bool slow = false;                       // its disk works when `sync` says so
    std::deque<std::function<void()>> disk;  // what it will do
    std::unique_ptr<coord::zab::Learner> learner;
    std::unique_ptr<coord::records::QuorumPacketDecoder> heard;
    std::optional<coord::zab::LearnerId> link;  // at the leader

    Zxid last() const { return log.empty() ? snapshot : log.back().zxid; }
  };

  void add_server(const Command& command);
  void lead(const Command& command);
  void connect(const Command& command, bool observer);
  void propose(std::int64_t count);
  void cut_off(std::int64_t id);
  void pass(std::chrono::milliseconds time);
  void show_logs();

  Server& server(std::int64_t id);
  std::int64_t server_of(coord::zab::LearnerId link) const;
  void settle();
  bool settle_leader();
  bool settle_learner(std::int64_t id, Server& server);
  void at_disk(std::int64_t id, std::function<void()> work);
  void append(Server& server, const coord::records::TxnBatch& batch);
  void perform(const coord::zab::LeaderEffect& effect);
  void perform(std::int64_t id, Server& server, const coord::zab::LearnerEffect& effect);
  void hand_over(std::int64_t from, std::int64_t to, std::string_view bytes);
  void read_log(const coord::zab::ReadLog& request);
  std::string printed(const coord::records::QuorumPacket& packet) const;

  std::map<std::int64_t, Server> servers_;
  std::int64_t leading_ = -1;
  std::unique_ptr<coord::zab::Leader> leader_;
  coord::quorum::QuorumConfig config_;
  std::map<std::int64_t, std::unique_ptr<coord::records::QuorumPacketDecoder>> heard_by_leader_;  // by server
  base::Instant now_{std::chrono::seconds(100)};
  std::uint64_t confirmations_ = 0;
};

}  // namespace tandem::transcript
