// SHELL of a client session: one zksession::Session with its connection and timer on a Loop. The only way by
// which the broker and the tools reach an ensemble. Everything happens on the Loop's thread, callbacks too; a
// callback may submit, close and start again, but not destroy the client. Requests are pipelined in order.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "zksession/session.h"

namespace tandem::net {
class Loop;
}

namespace tandem::zkclient {

using zksession::Event;
using zksession::OnLoss;
using zksession::Op;
using zksession::OpResult;
using zksession::State;

struct Options {
  zksession::Options session;
  std::uint64_t seed = 1;                         // of host order and jitter
  std::size_t frame_bytes_max = 4 * 1024 * 1024;  // of a reply; Kafka's client allows as much
};

struct Callbacks {
  std::function<void(const Event&)>
      on_event;  // watches, and changes of the session as Apache's clients tell them
  std::function<void(State)> on_state;
};

class Client {
 public:
  using Done = std::function<void(OpResult)>;
  using AllDone = std::function<void(std::vector<OpResult>)>;

  Client(net::Loop& loop, Options options, Callbacks callbacks);
  ~Client();  // does not wait for the server: close() before, or the session lives until it times out
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // A new session: at first, and again once it expired. Watches of the old one are gone.
  void start();
  void submit(Op op, OnLoss on_loss, Done done);
  // A batch, all in flight at once; results in the order of the ops. With OnLoss::retry this is Kafka's
  // retryRequestsUntilConnected: only expiry (or refused credentials) leaves requests without an answer.
  void submit_all(std::vector<Op> ops, OnLoss on_loss, AllDone done);
  void add_auth(std::string scheme, std::string data);
  void close();  // on_state(closed) follows

  State state() const;
  bool connected() const { return state() == State::connected || state() == State::connected_read_only; }
  jute::SessionId session_id() const;
  zksession::milliseconds session_timeout() const;  // as granted
  std::size_t pending() const;
  std::string server() const;  // host:port of the connection, "" without one

 private:
  struct Core;
  std::shared_ptr<Core> core_;
};

}  // namespace tandem::zkclient
