// Runs the pipeline core on a Loop: hands it frames, closures, durable zxids and time, and performs its
// effects once at the end of each wake-up, so that the proposals of all clients heard in it go to the log as
// one batch. Decides nothing. Owned by the server, on the loop's thread; the core is given by start().
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "coord/pipeline/pipeline.h"
#include "net/timer.h"

namespace tandem::net {
class Connection;
class Loop;
}  // namespace tandem::net

namespace tandem::coord::shell {

class Driver final : public pipeline::Outputs {
 public:
  // Logs a batch; answered later by on_durable or on_log_full, never from inside.
  using PersistBatch = std::function<void(const pipeline::TxnBatch&)>;

  Driver(net::Loop& loop, PersistBatch persist);
  ~Driver() override;

  void start(pipeline::Pipeline& core);
  pipeline::Pipeline& core() { return *core_; }
  net::Loop& loop() { return loop_; }

  // ---- from the client port
  // ---------------------------------------------------------------------------------
  pipeline::LinkId open_link(net::Connection& connection);
  void on_frame(pipeline::LinkId link, std::string_view frame, net::Connection& connection);
  void on_frames_end() { now_known_ = false; }
  void on_closed(pipeline::LinkId link);

  // ---- from the log writer
  // ----------------------------------------------------------------------------------
  void on_durable(jute::Zxid zxid);
  void on_log_full();
  void on_log_space();

  std::string& output(pipeline::LinkId link) override;
  pipeline::Now now();

 private:
  void turn_later();
  void end_turn();
  void perform(const pipeline::Effect& effect);
  void on_timer();
  void look_at_output();
  net::Connection* connection(pipeline::LinkId link) const;

  struct Entry {
    pipeline::LinkId link;
    net::Connection* connection = nullptr;
  };

  net::Loop& loop_;
  PersistBatch persist_;
  pipeline::Pipeline* core_ = nullptr;
  net::Timer timer_;
  net::Timer output_timer_;  // runs while links wait for their output to be read
  std::vector<pipeline::LinkId> awaiting_output_;
  std::vector<Entry> links_;  // by slot
  pipeline::Now now_;
  bool now_known_ = false;
  bool turn_scheduled_ = false;
  std::string nowhere_;  // what is said to a link that went in the same wake-up
};

}  // namespace tandem::coord::shell
