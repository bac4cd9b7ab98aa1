// A client for command-line tools and tests: its own thread and Loop, calls that wait for their answer.
// Callbacks run on that thread and must not call back in. Construct, wait_connected(), call(); the destructor
// closes the session and waits for the server's answer, at most a read timeout long.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "net/loop.h"
#include "zkclient/client.h"

namespace tandem::zkclient {

class BlockingClient {
 public:
  BlockingClient(Options options, Callbacks callbacks = {});
  ~BlockingClient();
  BlockingClient(const BlockingClient&) = delete;
  BlockingClient& operator=(const BlockingClient&) = delete;

  // False when no server took the session in this time, or it never will.
  bool wait_connected(base::milliseconds timeout);
  OpResult call(Op op, OnLoss on_loss = OnLoss::fail);
  std::vector<OpResult> call_all(std::vector<Op> ops, OnLoss on_loss = OnLoss::fail);
  void add_auth(std::string scheme, std::string data);
  void close();
  // The destructor will not close the session: it and its ephemeral nodes live on until it times out, as with
  // Apache's shell when it ends after one command.
  void leave_session() { leave_session_ = true; }

  State state() const;
  jute::SessionId session_id();
  zksession::milliseconds session_timeout();

 private:
  template <class T>
  T on_loop(std::function<T()> task);
  void changed(State state);

  base::SystemClock clock_;
  net::Loop loop_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  State state_ = State::connecting;
  bool leave_session_ = false;
  std::unique_ptr<Client> client_;  // on the thread
  std::thread thread_;
};

}  // namespace tandem::zkclient
