// Listener: a listening socket on a Loop. Each connection accepted is given to the callback, which may hand
// the socket to another thread's Loop. When descriptors run out (EMFILE) one held in reserve is spent to turn
// the peer away, and accepting pauses for a moment instead of spinning.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "net/endpoint.h"
#include "net/socket.h"

namespace tandem::net {

class Loop;

struct ListenerOptions {
  int backlog = 128;
  int send_buffer_bytes = 0;  // 0: the system's
  int receive_buffer_bytes = 0;
};

class Listener {
 public:
  using OnAccept = std::function<void(Socket)>;

  static base::Result<std::unique_ptr<Listener>> open(Loop& loop, const Endpoint& endpoint,
                                                      OnAccept on_accept, ListenerOptions options = {});
  ~Listener();  // on the loop's thread, or after it ended
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  const Endpoint& local() const;  // with the port that port 0 became
  void pause();                   // connections wait in the backlog
  void resume();

 private:
  struct State;
  explicit Listener(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace tandem::net
