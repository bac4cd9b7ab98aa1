// Scripts: a core's dealings with the tree written as straight text. A Task is a coroutine that a core owns;
// it stops at `co_await port.run(ops)`, the shell performs the operations, and port.answer() resumes it. No
// threads, no clock, nothing hidden: what a script wants is a printable batch of ZkOps, and a script that
// must not go on (session lost, controllership lost) is dropped with its Task, which destroys every frame
// below it. Each coroutine is a named function with parameters by value.
#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "broker/zk/zk_op.h"

namespace tandem::broker::controller {

template <class T>
class Task;

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct Final {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> handle) noexcept {
      return handle.promise().continuation;
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  [[noreturn]] void unhandled_exception() { std::terminate(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  void return_value(T result) { value.emplace(std::move(result)); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
};

}  // namespace detail

template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    reset();
    handle_ = std::exchange(other.handle_, {});
    return *this;
  }
  ~Task() { reset(); }

  void reset() {
    if (handle_) std::exchange(handle_, {}).destroy();
  }
  void start() { handle_.resume(); }
  bool running() const { return handle_ && !handle_.done(); }
  bool done() const { return handle_ && handle_.done(); }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    handle_.promise().continuation = caller;
    return handle_;
  }
  T await_resume() {
    if constexpr (!std::is_void_v<T>) return std::move(*handle_.promise().value);
  }

 private:
  Handle handle_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> detail::Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

struct ZkBatch {
  std::uint64_t id = 0;
  std::vector<zk::ZkOp> ops;
};

// Where scripts and shell meet. take() hands out what is to be performed; answer() resumes the script.
class ZkPort {
 public:
  struct Run {
    ZkPort& port;
    std::vector<zk::ZkOp> ops;
    std::vector<zk::ZkResult> results;

    bool await_ready() const noexcept { return ops.empty(); }
    void await_suspend(std::coroutine_handle<> script) {
      const std::uint64_t id = ++port.last_id_;
      port.waiting_.emplace(id, Waiter{script, &results});
      port.ready_.push_back({id, std::move(ops)});
    }
    std::vector<zk::ZkResult> await_resume() { return std::move(results); }
  };

  // co_await port.run(ops): one result for each, in order. No operation: no stop.
  Run run(std::vector<zk::ZkOp> ops) { return Run{*this, std::move(ops), {}}; }
  Run run(zk::ZkOp op) {
    std::vector<zk::ZkOp> ops;
    ops.push_back(std::move(op));
    return run(std::move(ops));
  }

  std::vector<ZkBatch> take() { return std::exchange(ready_, {}); }
  bool awaits(std::uint64_t id) const { return waiting_.contains(id); }

  void answer(std::uint64_t id, std::vector<zk::ZkResult> results) {
    const auto at = waiting_.find(id);
    if (at == waiting_.end()) return;  // its script was dropped
    const Waiter waiter = at->second;
    waiting_.erase(at);
    *waiter.results = std::move(results);
    waiter.script.resume();
  }

  // Before the Task is dropped: its answers will not come, or are of no interest.
  void forget() {
    waiting_.clear();
    ready_.clear();
  }

 private:
  struct Waiter {
    std::coroutine_handle<> script;
    std::vector<zk::ZkResult>* results;
  };

  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Waiter> waiting_;
  std::vector<ZkBatch> ready_;
};

}  // namespace tandem::broker::controller
