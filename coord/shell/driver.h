// Runs the pipeline core on a Loop: hands it frames, closures, durable zxids and time, and performs its
// effects once at the end of each wake-up, so that the proposals of all clients heard in it go to the log as
// one batch. Decides nothing. Owned by the server, on the loop's thread; the core is given by start().
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "coord/pipeline/pipeline.h"
#include "coord/shell/client_table.h"
#include "net/timer.h"

namespace tandem::coord::shell {

class Driver final : public ClientEvents, public pipeline::Outputs {
 public:
  // Logs a batch; answered later by on_durable or on_log_full, never from inside.
  using PersistBatch = std::function<void(const pipeline::TxnBatch&)>;

  Driver(net::Loop& loop, PersistBatch persist);
  ~Driver() override;

  void start(pipeline::Pipeline& core);
  pipeline::Pipeline& core() { return *core_; }
  net::Loop& loop() override { return loop_; }

  // ---- from the client port
  // ---------------------------------------------------------------------------------
  pipeline::LinkId open_link(net::Connection& connection) override;
  void on_frame(pipeline::LinkId link, std::string_view frame, net::Connection& connection) override;
  void on_frames_end() override { now_known_ = false; }
  void on_closed(pipeline::LinkId link) override;

  // ---- from the log writer
  // ----------------------------------------------------------------------------------
  void on_durable(jute::Zxid zxid);
  void on_log_full();
  void on_log_space();

  std::string& output(pipeline::LinkId link) override { return clients_.output(link); }
  pipeline::Now now();

 private:
  void turn_later();
  void end_turn();
  void perform(const pipeline::Effect& effect);
  void on_timer();

  net::Loop& loop_;
  PersistBatch persist_;
  pipeline::Pipeline* core_ = nullptr;
  net::Timer timer_;
  ClientTable clients_;
  pipeline::Now now_;
  bool now_known_ = false;
  bool turn_scheduled_ = false;
};

}  // namespace tandem::coord::shell
