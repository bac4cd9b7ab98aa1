// ThreadPool: threads for calls that block (fsync, cold reads, recovery, deletion), so that a Loop never
// does. Tasks start in the order given; the destructor runs what is queued and joins.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tandem::net {

class Loop;

class ThreadPool {
 public:
  ThreadPool(std::string name, int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void run(std::function<void()> task);
  // Runs `work` here, then `done` on the loop's thread, which must outlive the pool's tasks.
  void run(Loop& loop, std::function<void()> work, std::function<void()> done);
  void wait_idle();  // until no task is queued or running

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<std::function<void()>> tasks_;
  int running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

// Names the calling thread for the operating system's tools (15 bytes).
void name_this_thread(const std::string& name);

}  // namespace tandem::net
