#include "net/connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "net/loop.h"
#include "net/output.h"

namespace tandem::net {

namespace {

// A partial frame below this is copied in front of what is received next; above it, the rest of the frame is
// received straight into its block.
constexpr std::size_t kLargeFrame = 32 * 1024;
constexpr std::size_t kFirstBlock = 64 * 1024;
// Frames handed out before the other connections have their turn: whoever sends without end delays them no
// more.
constexpr std::size_t kTurnFrames = 128;
// An output buffer above this is freed after use rather than lent again.
constexpr std::size_t kSpareOutputMax = 1024 * 1024;

base::Error errno_error(const char* call, int error) {
  const bool reset = error == ECONNRESET || error == EPIPE;
  return base::make_error(reset ? base::Errc::closed : base::Errc::io, "{} failed: {}", call,
                          std::strerror(error));
}

}  // namespace

struct Connection::Descriptor {
  using Executor = boost::asio::io_context::executor_type;
  Descriptor(boost::asio::io_context& context, int fd) : stream(context.get_executor(), fd) {}
  boost::asio::posix::basic_stream_descriptor<Executor> stream;
  int fd = stream.native_handle();
};

// Bytes that grow in place and are never cleared: pages that nothing arrived for are never touched.
struct Connection::Block {
  explicit Block(std::size_t room) : bytes(static_cast<char*>(std::malloc(room))), capacity(room) {
    ENSURE(bytes != nullptr, "no memory for a frame of {} bytes", room);
  }
  ~Block() { std::free(bytes); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void grow(std::size_t room) {
    auto* grown = static_cast<char*>(std::realloc(bytes, room));
    ENSURE(grown != nullptr, "no memory for a frame of {} bytes", room);
    bytes = grown;
    capacity = room;
  }

  char* bytes;
  std::size_t size = 0;
  std::size_t capacity;
};

bytes::Slice Frame::own() const {
  if (block_ == nullptr) return bytes::Slice::own(std::string(bytes_));
  return bytes::Slice(block_, bytes_);
}

base::Result<std::size_t> length_prefixed(std::string_view head, std::size_t body_bytes_max) {
  if (head.size() < 4) return std::size_t{0};
  std::uint32_t raw = 0;
  std::memcpy(&raw, head.data(), sizeof raw);
  const auto length = static_cast<std::int32_t>(__builtin_bswap32(raw));
  if (length < 0 || static_cast<std::size_t>(length) > body_bytes_max) {
    return base::make_error(base::Errc::corrupt, "frame length {} is not in 0..{}", length, body_bytes_max);
  }
  return static_cast<std::size_t>(length) + 4;
}

Connection::Connection(Loop& loop, Socket socket, std::shared_ptr<Handler> handler, ConnectionOptions options)
    : loop_(loop),
      handler_(std::move(handler)),
      options_(options),
      peer_(socket.peer()),
      local_(socket.local()) {
  descriptor_ = std::make_unique<Descriptor>(loop.context(), socket.release());
  last_active_ = last_sent_ = loop.clock().now();
}

Connection::~Connection() = default;

std::shared_ptr<Connection> Connection::start(Loop& loop, Socket socket, std::shared_ptr<Handler> handler,
                                              ConnectionOptions options) {
  socket.set_no_delay();
  std::shared_ptr<Connection> connection(
      new Connection(loop, std::move(socket), std::move(handler), options));
  loop.add(connection);
  connection->wait_readable();
  return connection;
}

// ---- reading

void Connection::wait_readable() {
  if (waiting_readable_) return;
  waiting_readable_ = true;
  descriptor_->stream.async_wait(boost::asio::posix::descriptor_base::wait_read,
                                 [self = shared_from_this()](const boost::system::error_code& error) {
                                   self->waiting_readable_ = false;
                                   if (error || self->state_ != State::open || self->paused_ || self->choked_)
                                     return;
                                   self->receive();
                                 });
}

// One receive: behind the bytes of a small partial frame in the shared buffer, or into the block of a large
// one with what follows it in the shared buffer. Gives the bytes to parse, `kept` of which were there before.
long Connection::receive_into(char*& bytes, std::size_t& kept) {
  char* const shared = loop_.receive_buffer_.get();
  const std::size_t room = loop_.options_.receive_buffer_bytes;
  const std::size_t have = partial_ == nullptr ? 0 : partial_->size - partial_begin_;
  bytes = shared;
  kept = have;
  if (have == 0 || frame_size_ < kLargeFrame) {
    if (have > 0) std::memcpy(shared, partial_->bytes + partial_begin_, have);
    return ::recv(descriptor_->fd, shared + have, room - have, MSG_DONTWAIT);
  }
  ENSURE(partial_begin_ == 0 && have < frame_size_);
  if (partial_->capacity == partial_->size) partial_->grow(std::min(frame_size_, 2 * partial_->capacity));
  std::array<iovec, 2> vectors{iovec{partial_->bytes + have, partial_->capacity - have}, iovec{shared, room}};
  msghdr message{};
  message.msg_iov = vectors.data();
  // What follows the frame is only received when this one can be completed.
  message.msg_iovlen = partial_->capacity == frame_size_ ? 2 : 1;
  return ::recvmsg(descriptor_->fd, &message, MSG_DONTWAIT);
}

void Connection::receive() {
  char* bytes = nullptr;
  std::size_t kept = 0;
  const long count = receive_into(bytes, kept);
  if (count < 0) {
    if (errno == EAGAIN || errno == EINTR) return wait_readable();
    state_ = State::closing;
    close_reason_ = errno_error("receive", errno);
    return close_now();
  }
  if (count == 0) {
    close_reason_ = {base::Errc::closed, "closed by the peer"};
    return close_after_output();
  }
  active_ = true;
  bytes_received_ += static_cast<std::uint64_t>(count);
  auto fresh = static_cast<std::size_t>(count);
  in_callback_ = true;
  if (kept == 0 || frame_size_ < kLargeFrame) {
    partial_.reset();
    partial_begin_ = 0;
    parse({bytes, kept + fresh}, nullptr);
  } else {
    const std::size_t into_block = std::min(fresh, partial_->capacity - partial_->size);
    partial_->size += into_block;
    fresh -= into_block;
    if (partial_->size == frame_size_) {
      const auto block = std::move(partial_);
      parse({block->bytes, block->size}, block);
      // The handler may have paused: what follows is kept all the same.
      if (fresh > 0) parse({bytes, fresh}, nullptr);
    }
  }
  in_callback_ = false;
  go_on_reading();
}

// Hands out whole frames until there is none, reading is stopped or the turn is over; keeps the rest.
void Connection::parse(std::string_view bytes, const std::shared_ptr<Block>& block) {
  stopped_ = false;
  for (std::size_t frames = 0; state_ == State::open && !bytes.empty(); ++frames) {
    if (paused_ || frames == kTurnFrames || unsent_bytes() > options_.output_pause_bytes) {
      stopped_ = true;
      break;
    }
    if (frame_size_ == 0) {
      const auto size = handler_->frame_size(bytes);
      if (!size) {
        close(size.error());
        return;
      }
      frame_size_ = *size;
    }
    if (frame_size_ == 0 || bytes.size() < frame_size_) break;
    const Frame frame(bytes.substr(0, frame_size_), block);
    bytes.remove_prefix(frame_size_);
    frame_size_ = 0;
    handler_->on_frame(*this, frame);
  }
  if (bytes.empty() || state_ != State::open) return;
  if (!stopped_ || block == nullptr) return keep(bytes);
  partial_ = block;
  partial_begin_ = static_cast<std::size_t>(bytes.data() - block->bytes);
}

void Connection::keep(std::string_view rest) {
  std::size_t room = rest.size();
  if (frame_size_ >= kLargeFrame) {
    room = std::max(room, std::min(frame_size_, std::max(2 * rest.size(), kFirstBlock)));
  }
  auto block = std::make_shared<Block>(room);
  std::memcpy(block->bytes, rest.data(), rest.size());
  block->size = rest.size();
  partial_ = std::move(block);
  partial_begin_ = 0;
}

// After frames were handled, and whenever what stopped reading may be over: sends, then waits for more, or
// for the next turn when whole frames are here already.
void Connection::go_on_reading() {
  if (state_ == State::open || state_ == State::closing) {
    in_callback_ = true;
    handler_->on_frames_end(*this);
    in_callback_ = false;
  }
  flush();
  if (close_is_due()) return close_now();
  if (state_ != State::open) return;
  choked_ = unsent_bytes() > options_.output_pause_bytes;
  if (paused_ || choked_) return;
  if (!stopped_) return wait_readable();
  if (std::exchange(service_queued_, true)) return;
  loop_.service_later(*this);
}

void Connection::pause_reading() { paused_ = true; }

void Connection::resume_reading() {
  if (!paused_) return;
  paused_ = false;
  if (in_callback_ || state_ != State::open || service_queued_) return;
  service_queued_ = true;
  loop_.service_later(*this);
}

void Connection::service() {
  if (state_ == State::closed) return;
  if (state_ != State::open || paused_ || choked_ || waiting_readable_) {
    flush();
    if (close_is_due()) close_now();
    return;
  }
  if (stopped_) {
    // Frames behind a stop are handed out in place, their block shared with those that own() it.
    const std::size_t have = partial_->size - partial_begin_;
    const auto block = std::move(partial_);
    const std::size_t begin = std::exchange(partial_begin_, 0);
    in_callback_ = true;
    parse({block->bytes + begin, have}, block);
    in_callback_ = false;
  }
  go_on_reading();
}

// ---- writing

std::string& Connection::output() {
  if (!in_callback_ && !service_queued_ && is_open()) {
    service_queued_ = true;
    loop_.service_later(*this);
  }
  if (more_ != nullptr) return more_->tail();
  if (out_.capacity() < loop_.spare_output_.capacity() && out_.empty()) out_.swap(loop_.spare_output_);
  return out_;
}

void Connection::write(bytes::Chain&& chain) {
  output();  // queues the sending
  if (more_ == nullptr) more_ = std::make_unique<bytes::Chain>();
  more_->append(std::move(chain));
}

std::size_t Connection::unsent_bytes() const {
  return out_.size() - out_sent_ + (more_ == nullptr ? 0 : more_->size());
}

void Connection::flush() {
  if (waiting_writable_ || state_ == State::closed) return;
  while (out_.size() > out_sent_ || (more_ != nullptr && !more_->empty())) {
    const long count = send_some();
    if (count > 0) {
      progress_ = true;
      bytes_sent_ += static_cast<std::uint64_t>(count);
      consume(static_cast<std::size_t>(count));
      continue;
    }
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      if (unsent_bytes() > options_.output_limit_bytes) {
        close_reason_ =
            base::make_error(base::Errc::limit_exceeded, "{} bytes of output unsent", unsent_bytes());
        state_ = State::closing;
        return;
      }
      return wait_writable();
    }
    close_reason_ = count == 0 ? base::Error{base::Errc::io, "a file ended before the bytes promised"}
                               : errno_error("send", errno);
    state_ = State::closing;
    return;
  }
  release_output();
}

// What becomes of it, a failure too, is looked at when the connection is serviced.
void Connection::send_now() {
  if (!in_callback_ && is_open()) flush();
}

long Connection::send_some() {
  if (more_ != nullptr) return send_chain(descriptor_->fd, std::string_view(out_).substr(out_sent_), *more_);
  return ::send(descriptor_->fd, out_.data() + out_sent_, out_.size() - out_sent_,
                MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Connection::consume(std::size_t count) {
  const std::size_t from_out = std::min(count, out_.size() - out_sent_);
  out_sent_ += from_out;
  if (more_ != nullptr) drop_front(*more_, count - from_out);
}

void Connection::release_output() {
  more_.reset();
  out_.clear();
  out_sent_ = 0;
  if (out_.capacity() > kSpareOutputMax) {
    out_ = std::string();
  } else if (out_.capacity() > loop_.spare_output_.capacity()) {
    out_.swap(loop_.spare_output_);
  } else if (out_.capacity() > std::string().capacity()) {
    out_ = std::string();
  }
}

void Connection::wait_writable() {
  if (waiting_writable_) return;
  waiting_writable_ = true;
  descriptor_->stream.async_wait(boost::asio::posix::descriptor_base::wait_write,
                                 [self = shared_from_this()](const boost::system::error_code& error) {
                                   self->waiting_writable_ = false;
                                   if (!error && self->state_ != State::closed) self->on_writable();
                                 });
}

void Connection::on_writable() {
  flush();
  if (close_is_due()) return close_now();
  if (state_ != State::open || !choked_ || unsent_bytes() > options_.output_pause_bytes / 2) return;
  choked_ = false;
  in_callback_ = true;
  handler_->on_output_drained(*this);
  in_callback_ = false;
  go_on_reading();
}

// ---- closing

void Connection::close(base::Error reason) {
  if (!is_open()) return;
  close_reason_ = std::move(reason);
  state_ = State::closing;
  if (in_callback_) return;
  flush();
  close_now();
}

void Connection::close_after_output() {
  if (state_ != State::open) return;
  if (close_reason_.context.empty()) close_reason_ = {base::Errc::closed, "closed here"};
  state_ = State::draining;
  if (!in_callback_) flush();
  if (!in_callback_ && close_is_due()) close_now();
}

bool Connection::close_is_due() const {
  return state_ == State::closing || (state_ == State::draining && unsent_bytes() == 0);
}

void Connection::close_now() {
  if (state_ == State::closed) return;
  const auto self = shared_from_this();
  state_ = State::closed;
  boost::system::error_code ignored;
  descriptor_->stream.close(ignored);
  partial_.reset();
  more_.reset();
  out_ = std::string();
  out_sent_ = 0;
  loop_.remove(*this);
  handler_->on_closed(*this, close_reason_);
  // One that holds its connection would else keep both for ever. Later: it may be what closes.
  loop_.defer([handler = std::move(handler_)] {});
}

void Connection::on_sweep(base::Instant now) {
  if (std::exchange(active_, false) || paused_) last_active_ = now;
  if (std::exchange(progress_, false) || unsent_bytes() == 0) last_sent_ = now;
  if (unsent_bytes() > 0 && now - last_sent_ > options_.stall_max) {
    state_ = State::closing;
    close_reason_ = {base::Errc::timed_out, "the peer does not read"};
    return close_now();
  }
  if (options_.idle_max > base::Duration::zero() && now - last_active_ > options_.idle_max) {
    close({base::Errc::timed_out, "idle"});
  }
}

}  // namespace tandem::net
