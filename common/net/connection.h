// Connection: one TCP stream cut into frames. It reads into the Loop's shared buffer and hands each whole
// frame to its Handler as a view; it owns memory only while a partial frame or unsent output exists, and
// grows by what has arrived, never by what a length claims. Output of a wake-up is gathered and sent at its
// end by one call; while the peer does not read, nothing more is read from it. Lives on its Loop's thread;
// kept alive by its shared_ptr and, until closed, by itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "bytes/chain.h"
#include "bytes/slice.h"
#include "net/endpoint.h"
#include "net/socket.h"

namespace tandem::net {

class Connection;
class Loop;

// A whole frame, prefix included. The view is valid during the call only; own() keeps the bytes: without a
// copy for a frame that was larger than one receive, else by one copy.
class Frame {
 public:
  Frame(std::string_view bytes, std::shared_ptr<const void> block)
      : bytes_(bytes), block_(std::move(block)) {}
  std::string_view bytes() const { return bytes_; }
  bytes::Slice own() const;

 private:
  std::string_view bytes_;
  std::shared_ptr<const void> block_;
};

class Handler {
 public:
  virtual ~Handler() = default;

  // The size in bytes of the frame that `head` starts with, prefix included; 0 when more bytes are needed to
  // tell; an error closes the connection. Must not depend on more than the first bytes of the frame.
  virtual base::Result<std::size_t> frame_size(std::string_view head) = 0;
  // The next frame. May write output, pause reading (the frames behind stay queued) or close.
  virtual void on_frame(Connection& connection, const Frame& frame) = 0;
  // All frames of this wake-up were handled; called before the output is sent.
  virtual void on_frames_end(Connection& connection) { static_cast<void>(connection); }
  // Unsent output fell to half of Options::output_pause_bytes after having been above it.
  virtual void on_output_drained(Connection& connection) { static_cast<void>(connection); }
  // The last call: closed by either side, once per connection. Reason `closed` means an orderly end.
  virtual void on_closed(Connection& connection, const base::Error& reason) = 0;
};

// For frame_size(): an i32 big-endian length and that many bytes; `corrupt` when negative or above the limit.
base::Result<std::size_t> length_prefixed(std::string_view head, std::size_t body_bytes_max);

struct ConnectionOptions {
  std::size_t output_pause_bytes = 1024 * 1024;         // stop reading above this much unsent output
  std::size_t output_limit_bytes = 256 * 1024 * 1024;   // close above it
  base::Duration idle_max = base::Duration::zero();     // close when nothing was received so long; 0: never
  base::Duration stall_max = std::chrono::seconds(60);  // close when unsent output makes no progress so long
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Starts reading at once. The handler is owned by the connection and destroyed with it.
  static std::shared_ptr<Connection> start(Loop& loop, Socket socket, std::shared_ptr<Handler> handler,
                                           ConnectionOptions options = {});
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Where to encode output; sent at the end of the wake-up. Valid until the next call on this connection.
  std::string& output();
  void write(std::string_view bytes) { output().append(bytes); }
  void write(bytes::Chain&& chain);  // slices are gathered, file ranges go by sendfile

  // Reading stops after the current frame until resumed; frames already received are kept and follow at the
  // end of the wake-up that resumed.
  void pause_reading();
  void resume_reading();
  bool reading_paused() const { return paused_; }

  // Sends what can be sent at once and closes. on_closed is called before this returns, or, from inside
  // on_frame and on_frames_end, when they have returned.
  void close(base::Error reason = {base::Errc::closed, "closed here"});
  // Closes once all output is out (or the stall deadline passed); nothing more is read.
  void close_after_output();

  bool is_open() const { return state_ == State::open || state_ == State::draining; }
  std::size_t unsent_bytes() const;
  void set_idle_max(base::Duration idle_max) { options_.idle_max = idle_max; }

  const Endpoint& peer() const { return peer_; }    // numeric address
  const Endpoint& local() const { return local_; }  // numeric address
  Loop& loop() const { return loop_; }
  std::uint64_t bytes_received() const { return bytes_received_; }
  std::uint64_t bytes_sent() const { return bytes_sent_; }

 private:
  friend class Loop;
  struct Descriptor;  // the Asio object
  struct Block;       // malloc'ed bytes of a partial frame
  enum class State { open, draining, closing, closed };

  Connection(Loop& loop, Socket socket, std::shared_ptr<Handler> handler, ConnectionOptions options);

  // Reading.
  void wait_readable();
  void receive();
  long receive_into(char*& bytes, std::size_t& kept);
  void parse(std::string_view bytes, const std::shared_ptr<Block>& block);
  void keep(std::string_view rest);
  void service();  // outside callbacks: sends, then goes on where reading was stopped
  void go_on_reading();

  // Writing.
  void wait_writable();
  void on_writable();
  void flush();
  void send_now();
  long send_some();
  void consume(std::size_t count);
  void release_output();

  bool close_is_due() const;
  void close_now();
  void on_sweep(base::Instant now);

  Loop& loop_;
  std::unique_ptr<Descriptor> descriptor_;
  std::shared_ptr<Handler> handler_;
  ConnectionOptions options_;
  Endpoint peer_;
  Endpoint local_;
  std::size_t place_ = 0;  // in Loop::connections_

  std::shared_ptr<Block> partial_;  // received bytes not handed out, from partial_begin_ on
  std::size_t partial_begin_ = 0;
  std::size_t frame_size_ = 0;  // of the frame there; 0: not known yet

  std::string out_;  // unsent bytes, from out_sent_ on
  std::size_t out_sent_ = 0;
  std::unique_ptr<bytes::Chain> more_;  // behind out_, when slices or files are queued

  State state_ = State::open;
  base::Error close_reason_;
  bool waiting_readable_ = false;
  bool waiting_writable_ = false;
  bool paused_ = false;          // by the handler
  bool choked_ = false;          // too much unsent output
  bool in_callback_ = false;     // frames are being handled: output waits for their end
  bool service_queued_ = false;  // in Loop::unsent_
  bool stopped_ = false;         // partial_ may start with whole frames
  bool active_ = true;           // received since the last sweep
  bool progress_ = true;         // sent since the last sweep
  base::Instant last_active_{};
  base::Instant last_sent_{};
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
};

}  // namespace tandem::net
