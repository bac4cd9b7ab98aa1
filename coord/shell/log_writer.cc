#include "coord/shell/log_writer.h"

#include <utility>

#include "net/executors.h"
#include "net/loop.h"

namespace tandem::coord::shell {

using base::Errc;
using base::Status;
using jute::Zxid;

namespace {

// A batch takes entries up to this size; a larger entry is a batch of its own. Below storage::kBatchBytesMax.
constexpr std::size_t kBatchBytes = 4U << 20;
constexpr std::size_t kSpareBytesMax = 1U << 20;  // larger buffers are not kept
constexpr std::size_t kSpareMax = 4;

// When the disk is full: how often to look, and what has to be free before writes are tried again.
constexpr auto kSpaceCheckPeriod = std::chrono::milliseconds(200);
constexpr std::uint64_t kSpaceWanted = 1U << 20;

void raise(std::atomic<std::uint64_t>& maximum, std::uint64_t value) {
  if (value > maximum.load(std::memory_order_relaxed)) maximum.store(value, std::memory_order_relaxed);
}

}  // namespace

LogWriter::LogWriter(net::Loop& loop, fs::Disk& disk, LogWriterOptions options, LogEvents& events,
                     logging::Logger logger)
    : loop_(loop),
      disk_(disk),
      options_(std::move(options)),
      events_(events),
      logger_(logger),
      log_(disk, options_.log),
      thread_([this] { run(); }) {}

LogWriter::~LogWriter() { stop(); }

void LogWriter::append(Zxid zxid, std::string_view payload) {
  const std::size_t size = payload.size() + storage::kEntryOverhead;
  if (staged_.empty() || roll_next_ || staged_.back().bytes.size() + size > kBatchBytes) {
    Batch batch;
    batch.roll = roll_next_;
    batch.generation = generation_;
    batch.first = zxid;
    {
      const std::lock_guard lock(mutex_);
      if (!spare_.empty()) {
        batch.bytes = std::move(spare_.back());
        spare_.pop_back();
      }
    }
    roll_next_ = false;
    staged_.push_back(std::move(batch));
  }
  Batch& batch = staged_.back();
  batch.last = zxid;
  storage::frame_entry(batch.bytes, payload);
}

void LogWriter::submit() {
  if (staged_.empty()) return;
  bool notify = false;
  {
    const std::lock_guard lock(mutex_);
    for (Batch& batch : staged_) {
      // What waits already takes more in, so that a busy log writes few large batches.
      Batch* last = pending_.empty() ? nullptr : &pending_.back();
      const bool joins = last != nullptr && !batch.roll && last->generation == batch.generation &&
                         last->bytes.size() + batch.bytes.size() <= kBatchBytes;
      if (!joins) {
        pending_.push_back(std::move(batch));
        continue;
      }
      last->bytes += batch.bytes;
      last->last = batch.last;
      recycle(batch);
    }
    notify = idle_;
    idle_ = false;
  }
  staged_.clear();
  if (notify) work_.notify_one();
}

void LogWriter::stop() {
  if (!thread_.joinable()) return;
  submit();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
  *alive_ = false;
}

// Under the mutex.
void LogWriter::recycle(Batch& batch) {
  if (batch.bytes.capacity() > kSpareBytesMax || spare_.size() >= kSpareMax) return;
  batch.bytes.clear();
  spare_.push_back(std::move(batch.bytes));
}

bool LogWriter::take(Batch& batch) {
  std::unique_lock lock(mutex_);
  recycle(batch);
  for (;;) {
    while (!pending_.empty() && pending_.front().generation != generation_wanted_) pending_.pop_front();
    if (!pending_.empty()) break;
    if (stopping_) return false;
    idle_ = true;
    work_.wait(lock, [this] { return !idle_ || stopping_; });
    idle_ = false;
  }
  batch = std::move(pending_.front());
  pending_.pop_front();
  return true;
}

void LogWriter::run() {
  net::name_this_thread("log");
  Batch batch;
  while (take(batch)) {
    if (!write(batch)) return;
  }
}

bool LogWriter::write(const Batch& batch) {
  if (batch.roll) log_.roll();
  auto status = log_.write(batch.first, batch.bytes);
  if (!status && status.error().code == Errc::no_space) return wait_for_space(status.error());
  if (status) status = make_durable();
  if (!status) {
    fail(status.error());
    return false;
  }
  durable_.store(batch.last.value, std::memory_order_release);
  wake();
  return settle();
}

Status LogWriter::make_durable() {
  const base::Instant start = loop_.clock().now();
  auto status = log_.make_durable();
  const base::Duration took = loop_.clock().now() - start;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  stats_.batches.fetch_add(1, std::memory_order_relaxed);
  stats_.sync_time_us.fetch_add(static_cast<std::uint64_t>(us), std::memory_order_relaxed);
  raise(stats_.sync_time_us_max, static_cast<std::uint64_t>(us));
  if (took > options_.sync_warning) {
    stats_.syncs_over_threshold.fetch_add(1, std::memory_order_relaxed);
    logger_.warn(
        "fsync-ing the write ahead log in {} took {}ms which will adversely effect operation latency. "
        "File size is {} bytes.",
        log_.path(), us / 1000, log_.file_size());
  }
  return status;
}

// What nobody waits for, behind the news.
bool LogWriter::settle() {
  if (const auto status = log_.settle(); !status) {
    fail(status.error());
    return false;
  }
  stats_.bytes_since_roll.store(log_.file_size(), std::memory_order_relaxed);
  if (options_.file_bytes_max > 0 && log_.file_size() > options_.file_bytes_max) log_.roll();
  return true;
}

void LogWriter::fail(const base::Error& error) { events_.on_failed(error); }

bool LogWriter::wait_for_space(const base::Error& error) {
  std::unique_lock lock(mutex_);
  ++generation_wanted_;
  pending_.clear();
  no_space_ = true;
  no_space_error_ = error;
  lock.unlock();
  wake();
  lock.lock();
  for (;;) {
    work_.wait_for(lock, kSpaceCheckPeriod, [this] { return stopping_; });
    if (stopping_) return true;  // take() ends the thread
    const auto space = disk_.space(options_.log.directory);
    if (space && space->usable_bytes >= kSpaceWanted) break;
  }
  space_back_ = true;
  lock.unlock();
  wake();
  return true;
}

void LogWriter::wake() {
  if (wake_posted_.exchange(true)) return;
  loop_.post([this, alive = alive_] {
    if (*alive) deliver();
  });
}

void LogWriter::deliver() {
  wake_posted_.store(false);
  const std::int64_t durable = durable_.load(std::memory_order_acquire);
  bool no_space = false;
  bool space_back = false;
  base::Error error;
  {
    const std::lock_guard lock(mutex_);
    no_space = std::exchange(no_space_, false);
    space_back = std::exchange(space_back_, false);
    if (no_space) error = std::move(no_space_error_);
  }
  if (durable > delivered_) {
    delivered_ = durable;
    events_.on_durable(Zxid(durable));
  }
  if (no_space) {
    staged_.clear();
    ++generation_;
    events_.on_no_space(error);
  }
  if (space_back) events_.on_space_back();
}

}  // namespace tandem::coord::shell
