// A process's session with the tree: zkclient::Client over the simulated network, in place of that of
// common/zkclient. Requests arrive one after another, and answers and events come back in order; what a lost
// connection leaves without an answer is asked again on the next one, although it may have been done. The
// tree forgets a session that it has not heard of for its timeout, and the client learns it when it is back.
#include <deque>
#include <optional>

#include "tests/sim/brokers/mutants.h"
#include "tests/sim/brokers/process.h"
#include "tests/sim/brokers/tree.h"
#include "zkclient/client.h"

namespace tandem::zkclient {

using sim::brokers::kTreeHost;
using sim::brokers::Process;
using sim::brokers::process_of;
using sim::brokers::Tree;

struct Client::Core : std::enable_shared_from_this<Client::Core> {
  struct Batch {
    std::vector<OpResult> results;
    std::size_t left = 0;
    AllDone done;
  };
  struct Request {
    Op op;
    std::shared_ptr<Batch> batch;
    std::size_t place = 0;
    bool closes = false;
  };
  using RequestPtr = std::shared_ptr<Request>;

  Core(net::Loop& where, Options settings, Callbacks calls)
      : loop(where),
        process(process_of(where.clock())),
        timeout(settings.session.session_timeout),
        callbacks(std::move(calls)) {}

  Tree& tree() { return process.around().tree; }
  bool reachable() const {
    const auto& network = process.around().network;
    return network.reaches(process.host(), kTreeHost) && network.reaches(kTreeHost, process.host());
  }
  void later(base::Duration delay, std::function<void(Core&)> task) {
    process.after(delay, &loop, [weak = weak_from_this(), task = std::move(task)] {
      if (const auto self = weak.lock()) task(*self);
    });
  }

  void enter(State next) {
    if (state == next) return;
    state = next;
    callbacks.on_state(next);
  }

  // ---- the connection ----
  void start() {
    session = 0;
    enter(State::connecting);
    connect_later(base::milliseconds(1));
    if (!std::exchange(ticking, true)) tick();
  }
  void connect_later(base::Duration delay) {
    later(delay, [](Core& self) { self.connect(); });
  }
  void connect() {
    if (connected || state == State::closed) return;
    if (!reachable()) return connect_later(base::milliseconds(process.random().between(20, 200)));
    if (session != 0 && !tree().alive(session)) return expired();
    if (session == 0) {
      session = tree().open(timeout, [weak = weak_from_this()](Event event) {
        if (const auto self = weak.lock()) self->on_event(std::move(event));
      });
    }
    tree().heard(session);
    connected = true;
    silent_since.reset();
    ++connection;
    for (const auto& request : waiting) send(request);
    for (Event& event : std::exchange(missed, {})) callbacks.on_event(event);
    enter(State::connected);
  }
  void lose() {
    if (!std::exchange(connected, false)) return;
    ++connection;
    enter(State::connecting);
    connect_later(base::milliseconds(process.random().between(5, 100)));
  }
  void expired() {
    connected = false;
    ++connection;
    session = 0;
    missed.clear();
    const auto lost = std::exchange(waiting, {});
    for (const auto& request : lost) {
      if (!request->batch) continue;
      OpResult result;
      result.error = zksession::ErrorCode::session_expired;
      answer(*request, std::move(result));
    }
    enter(closing ? State::closed : State::expired);
  }
  void tick() {
    later(timeout / 6, [](Core& self) {
      if (self.state == State::closed) return;
      self.tick();
      if (!self.connected) return;
      if (self.reachable()) {
        self.silent_since.reset();
        if (!self.tree().alive(self.session)) return self.lose();
        return self.tree().heard(self.session);
      }
      if (!self.silent_since) self.silent_since = self.process.now();
      if (self.process.now() - *self.silent_since > self.timeout / 2) self.lose();
    });
  }

  // ---- requests ----
  void submit(RequestPtr request) {
    waiting.push_back(request);
    if (connected) send(request);
  }
  void send(const RequestPtr& request) {
    last_out = std::max(last_out, process.now() + process.around().network.delay());
    // The tree does not sleep with the process: what was sent arrives.
    process.around().scheduler.at(last_out, [weak = weak_from_this(), request, on = connection] {
      if (const auto self = weak.lock()) self->arrive(request, on);
    });
  }
  void arrive(const RequestPtr& request, std::uint64_t on) {
    if (on != connection) return;
    if (!reachable() || !tree().alive(session))
      return later(base::milliseconds(1), [on](Core& self) {
        if (on == self.connection) self.lose();
      });
    OpResult result;
    if (request->closes) {
      tree().close(session);
    } else {
      Op op = request->op;
      process.around().mutation.written(op);
      result = tree().perform(session, op);
    }
    back([request, on, result = std::move(result)](Core& self) mutable {
      if (on != self.connection) return;
      if (!self.reachable()) return self.lose();
      std::erase(self.waiting, request);
      if (request->closes) return self.enter(State::closed);
      self.answer(*request, std::move(result));
    });
  }
  void on_event(Event event) {
    if (!process.around().mutation.heard(event.path)) return;
    back([event = std::move(event), on = connection, of = session](Core& self) {
      if (of != self.session) return;
      // Of an earlier connection too: the next one has the watches of the session again.
      if (self.connected && self.reachable()) return self.callbacks.on_event(event);
      self.missed.push_back(event);
      if (on == self.connection) self.lose();
    });
  }
  void back(std::function<void(Core&)> task) {
    last_in = std::max(last_in, process.now() + process.around().network.delay());
    later(last_in - process.now(), std::move(task));
  }
  static void answer(Request& request, OpResult result) {
    Batch& batch = *request.batch;
    batch.results[request.place] = std::move(result);
    if (--batch.left == 0) std::exchange(batch.done, nullptr)(std::move(batch.results));
  }

  net::Loop& loop;
  Process& process;
  zksession::milliseconds timeout;
  Callbacks callbacks;
  State state = State::closed;
  std::int64_t session = 0;
  bool connected = false;
  bool closing = false;
  bool ticking = false;
  std::uint64_t connection = 0;  // its number
  std::optional<base::Instant> silent_since;
  std::deque<RequestPtr> waiting;  // for their answers, sent or not
  std::vector<Event> missed;       // fired while the client was not there
  base::Instant last_out{};
  base::Instant last_in{};
};

Client::Client(net::Loop& loop, Options options, Callbacks callbacks)
    : core_(std::make_shared<Core>(loop, std::move(options), std::move(callbacks))) {}

Client::~Client() = default;

void Client::start() { core_->start(); }

void Client::submit(Op op, OnLoss on_loss, Done done) {
  std::vector<Op> ops;
  ops.push_back(std::move(op));
  submit_all(std::move(ops), on_loss,
             [done = std::move(done)](std::vector<OpResult> results) { done(std::move(results.front())); });
}

void Client::submit_all(std::vector<Op> ops, OnLoss, AllDone done) {
  const auto batch = std::make_shared<Core::Batch>();
  batch->results.resize(ops.size());
  batch->left = ops.size();
  batch->done = std::move(done);
  if (ops.empty()) return std::exchange(batch->done, nullptr)({});
  for (std::size_t i = 0; i < ops.size(); ++i)
    core_->submit(std::make_shared<Core::Request>(Core::Request{std::move(ops[i]), batch, i}));
}

void Client::close() {
  core_->closing = true;
  if (core_->session == 0) return core_->later({}, [](Core& self) { self.enter(State::closed); });
  auto request = std::make_shared<Core::Request>();
  request->closes = true;
  core_->submit(std::move(request));
}

State Client::state() const { return core_->state; }
jute::SessionId Client::session_id() const { return jute::SessionId(core_->session); }
zksession::milliseconds Client::session_timeout() const { return core_->timeout; }
std::size_t Client::pending() const { return core_->waiting.size(); }
std::string Client::server() const { return core_->connected ? "tree" : ""; }
void Client::add_auth(std::string, std::string) {}

}  // namespace tandem::zkclient
