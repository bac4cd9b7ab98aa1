// Loop: one thread's io_context with what its connections share: the receive buffer, a recycled output
// buffer, the list of connections with unsent output, and the sweep that enforces idle and stall deadlines.
// Everything of a Loop runs on the thread inside run(); only post() and stop() may be called from others.
// Headers of net/ do not include Asio; shells that need more take context().
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"

namespace boost::asio {
class io_context;
}

namespace tandem::net {

class Connection;

struct LoopOptions {
  std::size_t receive_buffer_bytes = 256 * 1024;  // of the thread, not of a connection
  base::Duration sweep_period = std::chrono::seconds(1);
  // How long to look for work before sleeping, while short turns come at short intervals: one request at a
  // time is then served without a wake-up. Zero: never.
  base::Duration spin{};
};

class Loop {
 public:
  explicit Loop(const base::Clock& clock, LoopOptions options = {});
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();   // until stop(); the calling thread becomes the loop's
  void stop();  // from any thread
  // Destroys what is pending, without running it, and whatever is posted from then on: what is destroyed may
  // still post, to this loop and to others. Loops that post to each other are discarded one after the other,
  // while all of them are there. After run(), when other threads post no more; the destructor does it too.
  void discard();
  // Runs all that is ready without waiting; for tests and for a thread that has its own wait.
  void poll();

  // Runs the task on the loop's thread, later; from any thread.
  void post(std::function<void()> task);
  // Runs the task on this thread once what is ready now has been handled; only from the loop's thread.
  void defer(std::function<void()> task);
  // Sends what has been written to connections now rather than at the end of the wake-up, in the order in
  // which they were first written to; where frames are being handled, it waits for their end all the same.
  void send_written();

  boost::asio::io_context& context();
  const base::Clock& clock() const { return clock_; }
  std::size_t connections() const { return connections_.size(); }

 private:
  friend class Connection;

  void add(std::shared_ptr<Connection> connection);
  void remove(Connection& connection);
  void service_later(Connection& connection);
  void service_all();
  void arm_sweep();
  void sweep();
  void run_spinning();

  struct Engine;  // the Asio objects

  const base::Clock& clock_;
  LoopOptions options_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<char[]> receive_buffer_;
  std::string spare_output_;                              // lent to the connection that has output
  std::vector<std::shared_ptr<Connection>> connections_;  // each knows its place
  std::vector<std::shared_ptr<Connection>> to_service_;
  std::vector<std::shared_ptr<Connection>> in_service_;
  bool service_posted_ = false;
  bool sweep_armed_ = false;
};

}  // namespace tandem::net
