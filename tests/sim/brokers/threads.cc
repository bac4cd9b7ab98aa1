// The threads of a simulated process: net::Loop, net::Timer and net::ThreadPool on simulated time, and a
// broker's shards, in place of those of common/net and broker/api. Headers and all that use them are the real
// ones. What is posted runs a moment later, in the order posted to that loop.
#include <fmt/core.h>

#include "base/check.h"
#include "base/checksum.h"
#include "broker/api/shards.h"
#include "net/connection.h"
#include "net/executors.h"
#include "net/timer.h"
#include "tests/sim/brokers/process.h"

namespace tandem::net {

using sim::brokers::Process;
using sim::brokers::process_of;

struct Loop::Engine {
  explicit Engine(Process& owner) : process(owner) {}
  Process& process;
  base::Instant last{};  // of what was posted
  std::shared_ptr<int> life = std::make_shared<int>(0);
};

Loop::Loop(const base::Clock& clock, LoopOptions options)
    : clock_(clock), options_(options), engine_(std::make_unique<Engine>(process_of(clock))) {}

Loop::~Loop() {
  engine_->life.reset();
  to_service_.clear();
  connections_.clear();
}

// The one real thread that a service starts for its loop has nothing to do.
void Loop::run() {}
// Before a process ends: nobody is left who would write to a connection.
void Loop::stop() {
  while (!connections_.empty()) connections_.back()->close();
}

// At the end of a wake-up: what connections have to send.
void Loop::poll() {
  while (!to_service_.empty()) service_all();
}

void Loop::post(std::function<void()> task) {
  Process& process = engine_->process;
  engine_->last = std::max(engine_->last, process.now() + process.hop());
  process.at(engine_->last, this, [life = std::weak_ptr(engine_->life), task = std::move(task)] {
    if (!life.expired()) task();
  });
}

void Loop::defer(std::function<void()> task) { post(std::move(task)); }

void Loop::add(std::shared_ptr<Connection> connection) {
  connection->place_ = connections_.size();
  connections_.push_back(std::move(connection));
}

void Loop::remove(Connection& connection) {
  const std::size_t place = connection.place_;
  ENSURE(place < connections_.size() && connections_[place].get() == &connection);
  connections_[place] = std::move(connections_.back());
  connections_[place]->place_ = place;
  connections_.pop_back();
}

void Loop::service_later(Connection& connection) { to_service_.push_back(connection.shared_from_this()); }

void Loop::service_all() {
  in_service_.swap(to_service_);
  for (const auto& connection : in_service_) {
    connection->service_queued_ = false;
    connection->service();
  }
  in_service_.clear();
}

// ---- timers ----------------------------------------------------------------------------------------------

struct Timer::State : std::enable_shared_from_this<Timer::State> {
  State(Loop& owner, std::function<void()> callback) : loop(owner), on_due(std::move(callback)) {}

  void arm(base::Instant at) {
    armed_for = at;
    process_of(loop.clock()).at(at, &loop, [self = weak_from_this(), at] {
      const auto state = self.lock();
      if (state && state->armed_for == at) state->wake();
    });
  }
  void wake() {
    armed_for.reset();
    if (!wanted) return;
    if (*wanted > loop.clock().now()) return arm(*wanted);  // was moved later meanwhile
    wanted.reset();
    on_due();
  }

  Loop& loop;
  std::function<void()> on_due;
  std::optional<base::Instant> wanted;
  std::optional<base::Instant> armed_for;
};

Timer::Timer(Loop& loop, std::function<void()> on_due)
    : state_(std::make_shared<State>(loop, std::move(on_due))) {}

Timer::~Timer() = default;

void Timer::set(std::optional<base::Instant> at) {
  state_->wanted = at;
  if (at && (!state_->armed_for || *at < *state_->armed_for)) state_->arm(*at);
}

// ---- disk threads ----------------------------------------------------------------------------------------

void name_this_thread(const std::string&) {}

ThreadPool::ThreadPool(std::string, int) {}

ThreadPool::~ThreadPool() = default;

// Nobody hears of its end: done where it was asked for.
void ThreadPool::run(std::function<void()> task) { task(); }

void ThreadPool::run(Loop& loop, std::function<void()> work, std::function<void()> done) {
  Process& process = process_of(loop.clock());
  tasks_.push_back([&loop, work = std::move(work), done = std::move(done)] {
    work();
    loop.post(done);
  });
  process.after(process.disk_work(), nullptr, [this] { this->work(); });
}

void ThreadPool::work() {
  if (tasks_.empty()) return;
  const auto task = std::move(tasks_.front());
  tasks_.pop_front();
  task();
}

void ThreadPool::wait_idle() {
  while (!tasks_.empty()) work();
}

}  // namespace tandem::net

// ---- shards ----------------------------------------------------------------------------------------------

namespace tandem::broker::api {

Shards::Shards(const base::Clock& clock, std::size_t count, net::LoopOptions options) {
  for (std::size_t i = 0; i < count; ++i) shards_.push_back(std::make_unique<Shard>(clock, options));
}

Shards::~Shards() = default;
void Shards::start() {}
void Shards::stop() {
  for (auto& shard : shards_) shard->loop.stop();
}

std::size_t Shards::current() const {
  for (std::size_t i = 0; i < shards_.size(); ++i)
    if (sim::brokers::process_of(shards_[i]->loop.clock()).running() == &shards_[i]->loop) return i;
  return shards_.size();
}

std::size_t Shards::owner(std::string_view topic, std::int32_t partition) const {
  return (base::crc32c(topic) + static_cast<std::uint32_t>(partition)) % shards_.size();
}

}  // namespace tandem::broker::api
