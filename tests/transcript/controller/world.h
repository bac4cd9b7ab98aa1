// Controllers over one tree in memory, brokers that answer every control request unless they are told not to,
// and a clock. What is printed: writes to the tree as they are performed (reads are not), what is sent to
// brokers, replies, elections. Verbs are in world.cc.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "broker/controller/controller.h"
#include "tests/transcript/transcript.h"
#include "tests/unit/broker/controller/fake_tree.h"

namespace tandem::transcript {

class ControllerWorld final : public World {
 public:
  ControllerWorld();

 private:
  using Controller = broker::controller::Controller;

  // Verbs.
  void start_broker(const Command& command);
  void start_controller(std::int32_t id);
  void lose_session(std::int32_t id);
  void create(const Command& command);
  void grow(const Command& command);
  void alter_isr(const Command& command);
  void add_suspicion();
  void observe(const Command& command, bool refuses);
  void shut_down(const Command& command);
  void prefer(const Command& command);
  void fail_log_dir(const Command& command);
  void show_state(const Command& command);
  void pass(std::chrono::milliseconds time);

  void ask(broker::controller::ControllerRequest request);
  std::int32_t active() const;
  Controller& controller(std::int64_t id);
  std::int64_t epoch_of(std::int32_t broker) const;

  // The shell's part: effects are performed until nothing more comes.
  void settle();
  void perform(std::int32_t id, broker::controller::Effect& effect);
  void perform(std::int32_t id, broker::controller::ZkBatch& batch);
  void perform(std::int32_t id, broker::controller::Send& send);
  void write(std::int32_t id, const broker::zk::ZkOp& op, const broker::zk::ZkResult& result);
  broker::protocol::LeaderAndIsrResponse answer(std::int32_t broker,
                                                const broker::protocol::LeaderAndIsrRequest& request) const;

  broker::test::FakeTree tree_;
  std::map<std::int32_t, std::unique_ptr<Controller>> controllers_;
  std::set<std::int32_t> silent_;       // brokers that answer nothing
  std::set<std::int32_t> failed_dirs_;  // brokers that answer LeaderAndIsr with a storage error
  std::set<std::int32_t> deaf_;         // controllers without a session: watches tell them nothing
  base::Instant now_{std::chrono::seconds(1)};
  broker::controller::RequestToken last_token_ = 0;
};

}  // namespace tandem::transcript
