// Connections of a simulated process: net::Connection, connect(), net::Listener and net::Socket over the
// simulated network, in place of those of common/net. A flush is one message of the network; file ranges are
// read when they are sent.
#include <cstring>

#include "fs/disk.h"
#include "net/connection.h"
#include "net/connector.h"
#include "net/listener.h"
#include "net/loop.h"
#include "tests/sim/brokers/mutants.h"
#include "tests/sim/brokers/process.h"

namespace tandem::net {

using sim::brokers::host_name;
using sim::brokers::host_of;
using sim::brokers::Listening;
using sim::brokers::Process;
using sim::brokers::process_of;
using sim::brokers::StreamEnd;
using sim::brokers::StreamEndPtr;

namespace {

sim::End end_of(Process& process, const StreamEndPtr& stream) {
  sim::End end;
  end.host = process.host();
  end.on_item = [stream](sim::Item item) {
    if (stream->on_bytes) return stream->on_bytes(std::move(item.bytes));
    stream->early += item.bytes;
  };
  end.on_gone = [stream](const std::string& reason) {
    stream->gone = true;
    if (stream->on_gone) stream->on_gone(reason);
  };
  return end;
}

}  // namespace

// ---- sockets: numbers of the process ---------------------------------------------------------------------

Socket::~Socket() = default;
Endpoint Socket::peer() const { return {"peer", 0}; }
Endpoint Socket::local() const { return {"local", 0}; }
void Socket::set_no_delay() {}
void Socket::set_buffers(int, int) {}

// ---- connections -----------------------------------------------------------------------------------------

struct Connection::Descriptor {
  Process& process;
  StreamEndPtr stream;
  std::string in = {};
};
struct Connection::Block {};

bytes::Slice Frame::own() const { return bytes::Slice::own(std::string(bytes_)); }

base::Result<std::size_t> length_prefixed(std::string_view head, std::size_t body_bytes_max) {
  if (head.size() < 4) return std::size_t{0};
  std::uint32_t raw = 0;
  std::memcpy(&raw, head.data(), sizeof raw);
  const auto length = static_cast<std::int32_t>(__builtin_bswap32(raw));
  if (length < 0 || static_cast<std::size_t>(length) > body_bytes_max)
    return base::make_error(base::Errc::corrupt, "frame length {} is not in 0..{}", length, body_bytes_max);
  return static_cast<std::size_t>(length) + 4;
}

Connection::Connection(Loop& loop, Socket socket, std::shared_ptr<Handler> handler, ConnectionOptions options)
    : loop_(loop), handler_(std::move(handler)), options_(options) {
  Process& process = process_of(loop.clock());
  descriptor_ = std::make_unique<Descriptor>(Descriptor{process, process.take_socket(socket.release())});
}

Connection::~Connection() = default;

std::shared_ptr<Connection> Connection::start(Loop& loop, Socket socket, std::shared_ptr<Handler> handler,
                                              ConnectionOptions options) {
  std::shared_ptr<Connection> self(new Connection(loop, std::move(socket), std::move(handler), options));
  loop.add(self);
  const StreamEndPtr stream = self->descriptor_->stream;
  Process* const process = &self->descriptor_->process;
  stream->on_gone = [process, weak = std::weak_ptr(self), at = &loop](const std::string& reason) {
    process->after(base::Duration{0}, at, [weak, reason] {
      const auto connection = weak.lock();
      if (!connection || connection->state_ == State::closed) return;
      connection->close_reason_ = {base::Errc::closed, reason};
      connection->state_ = State::closing;
      connection->close_now();
    });
  };
  stream->on_bytes = [process, weak = std::weak_ptr(self), at = &loop](std::string bytes) {
    if (process->dead()) return;
    process->run_on(at, [&] {
      const auto connection = weak.lock();
      if (!connection || connection->state_ != State::open) return;
      connection->descriptor_->in += std::exchange(connection->descriptor_->stream->early, {}) + bytes;
      connection->receive();
    });
  };
  if (!stream->early.empty() || stream->gone)
    loop.post([stream] {
      if (!stream->early.empty() && stream->on_bytes) stream->on_bytes({});
      if (stream->gone && stream->on_gone) stream->on_gone("closed early");
    });
  return self;
}

// As the real one: a pause that ends before the receive does still ends the turn, and what is behind it has
// the next.
void Connection::receive() {
  std::string& in = descriptor_->in;
  in_callback_ = true;
  while (state_ == State::open && !paused_ && !in.empty()) {
    const auto size = handler_->frame_size(in);
    if (!size) {
      close(size.error());
      break;
    }
    if (*size == 0 || in.size() < *size) break;
    const std::string frame = in.substr(0, *size);
    in.erase(0, *size);
    handler_->on_frame(*this, Frame(frame, nullptr));
  }
  const bool stopped = paused_ && !in.empty();
  if (state_ == State::open || state_ == State::closing) handler_->on_frames_end(*this);
  in_callback_ = false;
  flush();
  if (close_is_due()) return close_now();
  if (state_ != State::open || !stopped || paused_ || std::exchange(service_queued_, true)) return;
  loop_.service_later(*this);
}

void Connection::pause_reading() { paused_ = true; }

void Connection::resume_reading() {
  if (!std::exchange(paused_, false)) return;
  if (in_callback_ || state_ != State::open || service_queued_) return;
  service_queued_ = true;
  loop_.service_later(*this);
}

void Connection::service() {
  if (state_ == State::closed) return;
  if (state_ == State::open && !paused_ && !descriptor_->in.empty()) return receive();
  flush();
  if (close_is_due()) close_now();
}

std::string& Connection::output() {
  if (!in_callback_ && !service_queued_ && is_open()) {
    service_queued_ = true;
    loop_.service_later(*this);
    // Who writes from outside any wake-up still has it sent.
    if (descriptor_->process.running() != &loop_) loop_.post([] {});
  }
  return more_ != nullptr ? more_->tail() : out_;
}

void Connection::write(bytes::Chain&& chain) {
  output();
  if (more_ == nullptr) more_ = std::make_unique<bytes::Chain>();
  more_->append(std::move(chain));
}

std::size_t Connection::unsent_bytes() const { return out_.size() + (more_ == nullptr ? 0 : more_->size()); }

void Connection::flush() {
  if (state_ == State::closed || unsent_bytes() == 0) return;
  std::string bytes = std::exchange(out_, {});
  if (const auto chain = std::exchange(more_, nullptr)) {
    for (const auto& piece : chain->pieces()) {
      if (const auto* text = std::get_if<std::string>(&piece)) bytes += *text;
      if (const auto* slice = std::get_if<bytes::Slice>(&piece)) bytes += slice->view();
      const auto* range = std::get_if<bytes::FileRange>(&piece);
      if (range == nullptr) continue;
      std::string stored(range->size, '\0');
      const auto got = static_cast<const fs::File*>(range->keep.get())->pread(range->offset, stored);
      if (!got || *got != range->size) {
        close_reason_ = {base::Errc::io, "a file ended before the bytes promised"};
        state_ = State::closing;
        return;
      }
      bytes += stored;
    }
  }
  if (descriptor_->process.dead()) return;
  const StreamEndPtr& stream = descriptor_->stream;
  auto& around = descriptor_->process.around();
  sim::Item item;
  item.bytes = around.mutation.sent(stream->link->number(), stream->end, stream->to, std::move(bytes));
  around.network.send(stream->link, stream->end, std::move(item));
}

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
  const StreamEndPtr stream = descriptor_->stream;
  stream->on_bytes = nullptr;
  if (!descriptor_->process.dead()) descriptor_->process.around().network.close(stream->link, stream->end);
  loop_.remove(*this);
  handler_->on_closed(*this, close_reason_);
  loop_.defer([handler = std::move(handler_)] {});
}

// ---- connecting and listening ----------------------------------------------------------------------------

namespace {

class SimulatedAttempt final : public Connecting, public std::enable_shared_from_this<SimulatedAttempt> {
 public:
  SimulatedAttempt(Loop& loop, Endpoint endpoint, std::function<void(base::Result<Socket>)> done)
      : loop_(loop),
        process_(process_of(loop.clock())),
        to_(host_of(endpoint.host)),
        done_(std::move(done)) {}

  void start(base::Duration timeout) {
    auto& network = process_.around().network;
    give_up_ = process_.now() + timeout;
    process_.after(network.delay() + network.delay(), &loop_, [self = weak_from_this()] {
      if (const auto attempt = self.lock()) attempt->arrive();
    });
  }
  void cancel() override { done_ = nullptr; }

 private:
  void arrive() {
    auto& around = process_.around();
    if (!around.network.reaches(process_.host(), to_) || !around.network.reaches(to_, process_.host())) {
      // As TCP does: again until the time is over.
      if (process_.now() >= give_up_) return fail(base::Errc::timed_out, "timed out");
      process_.after(base::milliseconds(200), &loop_, [self = weak_from_this()] {
        if (const auto attempt = self.lock()) attempt->arrive();
      });
      return;
    }
    const auto at = around.listening.find(to_);
    if (at == around.listening.end()) return fail(base::Errc::unavailable, "Connection refused");
    const Listening& listening = at->second;
    auto mine = std::make_shared<StreamEnd>();
    auto theirs = std::make_shared<StreamEnd>();
    mine->link = theirs->link =
        around.network.connect(end_of(process_, mine), end_of(*listening.process, theirs));
    theirs->end = 1;
    mine->to = to_;
    theirs->to = process_.host();
    listening.process->after(base::Duration{0}, listening.loop,
                             [accept = listening.on_accept, theirs] { accept(theirs); });
    if (done_) std::exchange(done_, nullptr)(Socket(process_.put_socket(mine)));
  }

  void fail(base::Errc code, const char* why) {
    if (done_)
      std::exchange(done_, nullptr)(base::make_error(code, "cannot connect to {}: {}", host_name(to_), why));
  }

  Loop& loop_;
  Process& process_;
  int to_;
  std::function<void(base::Result<Socket>)> done_;
  base::Instant give_up_{};
};

}  // namespace

std::shared_ptr<Connecting> connect(Loop& loop, const Endpoint& endpoint, base::Duration timeout,
                                    std::function<void(base::Result<Socket>)> done) {
  auto attempt = std::make_shared<SimulatedAttempt>(loop, endpoint, std::move(done));
  attempt->start(timeout);
  return attempt;
}

struct Listener::State {
  Process& process;
  Endpoint local;
};

base::Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Endpoint& endpoint,
                                                       OnAccept on_accept, ListenerOptions) {
  Process& process = process_of(loop.clock());
  process.around().listening[process.host()] = {
      &process, &loop, [&process, on_accept = std::move(on_accept)](StreamEndPtr end) {
        on_accept(Socket(process.put_socket(std::move(end))));
      }};
  return std::unique_ptr<Listener>(new Listener(std::make_shared<State>(State{process, endpoint})));
}

Listener::Listener(std::shared_ptr<State> state) : state_(std::move(state)) {}
Listener::~Listener() { state_->process.around().listening.erase(state_->process.host()); }
const Endpoint& Listener::local() const { return state_->local; }
void Listener::pause() {}
void Listener::resume() {}

}  // namespace tandem::net
