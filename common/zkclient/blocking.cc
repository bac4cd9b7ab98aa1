#include "zkclient/blocking.h"

#include <future>
#include <utility>

namespace tandem::zkclient {

BlockingClient::BlockingClient(Options options, Callbacks callbacks) : loop_(clock_) {
  callbacks.on_state = [this, user = std::move(callbacks.on_state)](State state) {
    changed(state);
    if (user) user(state);
  };
  client_ = std::make_unique<Client>(loop_, std::move(options), std::move(callbacks));
  thread_ = std::thread([this] { loop_.run(); });
  loop_.post([this] { client_->start(); });
}

BlockingClient::~BlockingClient() {
  if (!leave_session_) close();
  loop_.post([this] {
    client_.reset();
    loop_.stop();
  });
  thread_.join();
}

void BlockingClient::changed(State state) {
  const std::lock_guard lock(mutex_);
  state_ = state;
  changed_.notify_all();
}

bool BlockingClient::wait_connected(base::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] { return state_ != State::connecting; });
  return state_ == State::connected || state_ == State::connected_read_only;
}

template <class T>
T BlockingClient::on_loop(std::function<T()> task) {
  // Shared with the loop's thread, which may still be inside set_value() when get() returns.
  auto promise = std::make_shared<std::promise<T>>();
  auto future = promise->get_future();
  loop_.post([promise, &task] { promise->set_value(task()); });
  return future.get();
}

OpResult BlockingClient::call(Op op, OnLoss on_loss) {
  auto promise = std::make_shared<std::promise<OpResult>>();
  auto future = promise->get_future();
  loop_.post([this, promise, &op, on_loss] {
    client_->submit(std::move(op), on_loss,
                    [promise](OpResult result) { promise->set_value(std::move(result)); });
  });
  return future.get();
}

std::vector<OpResult> BlockingClient::call_all(std::vector<Op> ops, OnLoss on_loss) {
  auto promise = std::make_shared<std::promise<std::vector<OpResult>>>();
  auto future = promise->get_future();
  loop_.post([this, promise, &ops, on_loss] {
    client_->submit_all(std::move(ops), on_loss,
                        [promise](std::vector<OpResult> results) { promise->set_value(std::move(results)); });
  });
  return future.get();
}

void BlockingClient::add_auth(std::string scheme, std::string data) {
  loop_.post([this, scheme = std::move(scheme), data = std::move(data)] { client_->add_auth(scheme, data); });
}

void BlockingClient::close() {
  loop_.post([this] { client_->close(); });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] {
    return state_ == State::closed || state_ == State::expired || state_ == State::auth_failed;
  });
}

State BlockingClient::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

jute::SessionId BlockingClient::session_id() {
  return on_loop<jute::SessionId>([this] { return client_->session_id(); });
}

zksession::milliseconds BlockingClient::session_timeout() {
  return on_loop<zksession::milliseconds>([this] { return client_->session_timeout(); });
}

}  // namespace tandem::zkclient
