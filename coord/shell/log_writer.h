// The log thread: takes what was appended since it last looked, writes and syncs it as one batch, publishes
// the last durable zxid and wakes the loop once. Batches follow each other without a timer; what arrives
// while one is being synced forms the next. Owned by the loop's thread, which calls everything here; events
// come on that thread too, except on_failed. A failed sync or write is final (on_failed must end the
// process). A full disk is not: the batch and all behind it are given up, on_no_space says so, and
// on_space_back comes when writing makes sense again.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "coord/storage/txn_log.h"
#include "fs/disk.h"
#include "logging/logger.h"

namespace tandem::net {
class Loop;
}

namespace tandem::coord::shell {

class LogEvents {
 public:
  virtual ~LogEvents() = default;
  virtual void on_durable(jute::Zxid last) = 0;
  // Nothing behind the last on_durable was or will be written. Until on_space_back nothing may be appended.
  virtual void on_no_space(const base::Error& error) = 0;
  virtual void on_space_back() = 0;
  // On the log thread. Must not return to a process that goes on answering.
  virtual void on_failed(const base::Error& error) = 0;
};

struct LogWriterOptions {
  storage::TxnLogOptions log;
  std::uint64_t file_bytes_max = 0;                       // txnLogSizeLimitInKb; 0 = no limit
  base::Duration sync_warning = std::chrono::seconds(1);  // fsync.warningthresholdms
};

// What mntr and the snapshot rule ask for. Written by the log thread.
struct LogStats {
  std::atomic<std::uint64_t> batches{0};
  std::atomic<std::uint64_t> syncs_over_threshold{0};
  std::atomic<std::uint64_t> sync_time_us{0};  // sum
  std::atomic<std::uint64_t> sync_time_us_max{0};
  std::atomic<std::uint64_t> bytes_since_roll{0};
};

class LogWriter {
 public:
  LogWriter(net::Loop& loop, fs::Disk& disk, LogWriterOptions options, LogEvents& events,
            logging::Logger logger);
  ~LogWriter();  // as stop()
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // One transaction's payload (records/txn.h); zxids rise. Written after the next submit().
  void append(jute::Zxid zxid, std::string_view payload);
  // Hands what was appended to the log thread; once at the end of a wake-up of the loop.
  void submit();
  // What is appended from now on goes to a new file.
  void roll() { roll_next_ = true; }
  // Writes what was submitted and ends the thread. No event comes afterwards; durable() still tells.
  void stop();

  jute::Zxid durable() const { return jute::Zxid(durable_.load(std::memory_order_acquire)); }
  const LogStats& stats() const { return stats_; }

 private:
  // Written with one call; the first byte to the last belong to one sync (storage::kBatchBytesMax).
  struct Batch {
    bool roll = false;
    std::uint64_t generation = 0;
    jute::Zxid first;
    jute::Zxid last;
    std::string bytes;
  };

  void run();
  bool take(Batch& batch);
  bool write(const Batch& batch);
  base::Status make_durable();
  bool settle();
  void recycle(Batch& batch);
  bool wait_for_space(const base::Error& error);
  void fail(const base::Error& error);
  void wake();
  void deliver();

  net::Loop& loop_;
  fs::Disk& disk_;
  LogWriterOptions options_;
  LogEvents& events_;
  logging::Logger logger_;
  LogStats stats_;

  // The loop's thread only.
  std::deque<Batch> staged_;
  bool roll_next_ = false;
  std::uint64_t generation_ = 0;
  std::int64_t delivered_ = -1;

  // The log thread only.
  storage::TxnLog log_;

  std::mutex mutex_;
  std::condition_variable work_;
  // Under the mutex.
  std::deque<Batch> pending_;
  std::deque<std::string> spare_;
  std::uint64_t generation_wanted_ = 0;
  bool idle_ = false;
  bool stopping_ = false;
  bool no_space_ = false;
  bool space_back_ = false;
  base::Error no_space_error_;

  std::atomic<std::int64_t> durable_{-1};
  std::atomic<bool> wake_posted_{false};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // false once posted wake-ups mean nothing
  std::thread thread_;
};

}  // namespace tandem::coord::shell
