#include "net/loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>
#include <utility>

#include "net/connection.h"
#include "net/crowding.h"

namespace tandem::net {

namespace {

constexpr int kShortWait = 2;  // spins: a request that wakes a thread takes longer than one that is found
constexpr double kShortTurn = 0.4;  // of a spin: what keeps a thread busy for longer is no single request

}  // namespace

struct Loop::Engine {
  // Asio destroys what is pending with the context only; here the context outlives it, as it may post.
  struct Context : boost::asio::io_context {
    using boost::asio::io_context::io_context;
    using boost::asio::io_context::shutdown;
  };

  // One thread runs it and only that thread touches its descriptors; post() from others stays safe.
  Engine() : context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO), guard(context.get_executor()), sweep(context) {}

  Context context;
  bool discarded = false;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard;
  boost::asio::steady_timer sweep;
};

Loop::Loop(const base::Clock& clock, LoopOptions options)
    : clock_(clock),
      options_(options),
      engine_(std::make_unique<Engine>()),
      receive_buffer_(new char[options.receive_buffer_bytes]) {}

Loop::~Loop() { discard(); }

void Loop::run() {
  if (options_.spin > base::Duration::zero()) return run_spinning();
  engine_->context.run();
}

// One request at a time shows as short turns with short waits between them: only then is looking for the next
// one cheaper than sleeping until it wakes this thread.
void Loop::run_spinning() {
  auto& context = engine_->context;
  const auto short_turn = std::chrono::duration_cast<base::Duration>(kShortTurn * options_.spin);
  base::Instant idle_since = clock_.now();
  Crowding crowding;
  bool promising = false;
  while (!context.stopped()) {
    base::Instant began = idle_since;
    std::size_t handled = 0;
    while (promising && handled == 0 && !context.stopped()) {
      const base::Instant looked = std::exchange(began, clock_.now());
      crowding.looked(began - looked, began);
      handled = context.poll();
      promising = began - idle_since < options_.spin;
      if (handled == 0) std::this_thread::yield();  // others that can run here go first
    }
    const bool slept = handled == 0;
    if (slept) context.run_one();
    if (slept) context.poll();
    const base::Instant done = clock_.now();
    // What woke this thread counts with the wait for it.
    promising = slept ? done - idle_since < kShortWait * options_.spin : done - began < short_turn;
    promising = promising && crowding.may_look(done);
    idle_since = done;
  }
}

void Loop::stop() { engine_->context.stop(); }

void Loop::discard() {
  engine_->discarded = true;
  to_service_.clear();
  connections_.clear();
  engine_->context.shutdown();
}

void Loop::poll() {
  engine_->context.restart();
  engine_->context.poll();
}

void Loop::post(std::function<void()> task) {
  if (!engine_->discarded) boost::asio::post(engine_->context, std::move(task));
}

void Loop::defer(std::function<void()> task) { post(std::move(task)); }

boost::asio::io_context& Loop::context() { return engine_->context; }

void Loop::add(std::shared_ptr<Connection> connection) {
  connection->place_ = connections_.size();
  connections_.push_back(std::move(connection));
  if (!sweep_armed_) arm_sweep();
}

void Loop::remove(Connection& connection) {
  const std::size_t place = connection.place_;
  ENSURE(place < connections_.size() && connections_[place].get() == &connection);
  connections_[place] = std::move(connections_.back());
  connections_[place]->place_ = place;
  connections_.pop_back();
}

void Loop::service_later(Connection& connection) {
  to_service_.push_back(connection.shared_from_this());
  if (service_posted_) return;
  service_posted_ = true;
  boost::asio::post(engine_->context, [this] { service_all(); });
}

void Loop::send_written() {
  for (const auto& connection : to_service_) connection->send_now();
}

void Loop::service_all() {
  service_posted_ = false;
  in_service_.swap(to_service_);
  for (const auto& connection : in_service_) {
    connection->service_queued_ = false;
    connection->service();
  }
  in_service_.clear();
}

void Loop::arm_sweep() {
  sweep_armed_ = true;
  engine_->sweep.expires_after(options_.sweep_period);
  engine_->sweep.async_wait([this](const boost::system::error_code& error) {
    if (!error) sweep();
  });
}

void Loop::sweep() {
  sweep_armed_ = false;
  const base::Instant now = clock_.now();
  // From the back: a connection that closes is replaced by one that was swept already.
  for (std::size_t i = connections_.size(); i-- > 0;) {
    if (i < connections_.size()) connections_[i]->on_sweep(now);
  }
  if (!connections_.empty()) arm_sweep();
}

}  // namespace tandem::net
