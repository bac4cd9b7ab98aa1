// ClientLink: one client connection of the broker. Frames become calls in the order of arrival; answers may
// come in any order from any thread and leave in the order of the requests. At most kClientRequestsMax are
// under way; then reading pauses. Lives on its shard's thread; answers from other threads are posted to it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "broker/api/handler.h"
#include "broker/shell/limits.h"
#include "net/connection.h"

namespace tandem::broker::shell {

class ClientLink final : public net::Handler,
                         public api::ResponseSink,
                         public std::enable_shared_from_this<ClientLink> {
 public:
  struct Options {
    std::string listener;
    std::uint64_t number = 0;                   // api::Client::number
    std::size_t request_bytes_max = 104857600;  // socket.request.max.bytes
    std::function<void()> on_closed;            // on the shard's thread
  };

  ClientLink(api::Services& services, Options options) : services_(services), options_(std::move(options)) {}

  // Serves the socket from now on; on the shard's thread.
  static void start(net::Loop& loop, net::Socket socket, api::Services& services, Options options,
                    net::ConnectionOptions connection_options);

 private:
  // One request under way: answered when its response is there or known to be none.
  struct Slot {
    bool answered = false;
    bool direct = false;  // written to the output already
    bytes::Chain response;
  };

  base::Result<std::size_t> frame_size(std::string_view head) override;
  void on_frame(net::Connection& connection, const net::Frame& frame) override;
  void on_frames_end(net::Connection& connection) override;
  void on_closed(net::Connection& connection, const base::Error& reason) override;

  void deliver(std::uint64_t slot, bytes::Chain response) override;
  void deliver_nothing(std::uint64_t slot) override;
  void close(std::uint64_t slot) override;
  std::string* begin_direct(std::uint64_t slot) override;
  void end_direct(std::uint64_t slot) override;

  void finish_appends();
  bool on_own_thread() const { return std::this_thread::get_id() == thread_; }
  void run_here(std::function<void()> task);
  void answered(std::uint64_t slot, bytes::Chain response);
  void send_ready();

  api::Services& services_;
  Options options_;
  std::shared_ptr<api::Client> client_;
  std::thread::id thread_;
  std::size_t shard_ = 0;
  net::Loop* loop_ = nullptr;
  net::Connection* connection_ = nullptr;  // null once closed
  std::deque<Slot> slots_;                 // of requests first_slot_, first_slot_ + 1, …
  std::uint64_t first_slot_ = 0;
};

}  // namespace tandem::broker::shell
