// Counters, gauges and histograms with a registry that lists them by name (mntr, monitors). A module holds
// its metrics as members and updates them without locks; the registry only knows where they are, so a metric
// must outlive its last listing, and registering happens before the threads start.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::metrics {

class Counter {
 public:
  void add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }
  void reset() { value_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t by) { value_.fetch_add(by, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Values in buckets whose bounds grow by an eighth: percentiles within 12.5 %, in constant memory.
class Histogram {
 public:
  void record(std::uint64_t value);
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  std::uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }
  std::uint64_t min() const { return count() == 0 ? 0 : min_.load(std::memory_order_relaxed); }
  std::uint64_t max() const { return max_.load(std::memory_order_relaxed); }
  double mean() const { return count() == 0 ? 0 : static_cast<double>(sum()) / static_cast<double>(count()); }
  std::uint64_t percentile(double fraction) const;  // an upper bound of the bucket
  void reset();

 private:
  static constexpr std::size_t kBuckets = 8 * 62;
  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t upper_bound(std::size_t bucket);

  std::array<std::atomic<std::uint32_t>, kBuckets> buckets_{};
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> sum_{0};
  std::atomic<std::uint64_t> min_{~std::uint64_t{0}};
  std::atomic<std::uint64_t> max_{0};
};

struct Row {
  std::string name;
  std::string help;
  std::function<std::string()> value;
};

class Registry {
 public:
  void add(std::string name, const Counter& counter, std::string help = {});
  void add(std::string name, const Gauge& gauge, std::string help = {});
  // As ZooKeeper lists its summaries: avg_NAME, min_, max_, cnt_, sum_ and p50_, p95_, p99_, p999_.
  void add(const std::string& name, const Histogram& histogram, const std::string& help = {});
  void add(std::string name, std::function<std::string()> value, std::string help = {});

  const std::vector<Row>& rows() const { return rows_; }  // in the order added

 private:
  std::vector<Row> rows_;
};

}  // namespace tandem::metrics
