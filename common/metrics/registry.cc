#include "metrics/registry.h"

#include <fmt/format.h>

#include <bit>

#include "base/check.h"

namespace tandem::metrics {

// Values below 8 have their own bucket; above, three bits behind the leading one choose it.
std::size_t Histogram::bucket_of(std::uint64_t value) {
  if (value < 8) return value;
  const auto exponent = static_cast<std::size_t>(std::bit_width(value)) - 4;
  return 8 * (exponent + 1) + ((value >> exponent) & 7);
}

std::uint64_t Histogram::upper_bound(std::size_t bucket) {
  if (bucket < 8) return bucket;
  const std::size_t exponent = bucket / 8 - 1;
  return ((std::uint64_t{8} + bucket % 8 + 1) << exponent) - 1;
}

void Histogram::record(std::uint64_t value) {
  buckets_[bucket_of(value)].fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
  for (auto seen = min_.load(); value < seen && !min_.compare_exchange_weak(seen, value);) {
  }
  for (auto seen = max_.load(); value > seen && !max_.compare_exchange_weak(seen, value);) {
  }
}

std::uint64_t Histogram::percentile(double fraction) const {
  const double wanted = fraction * static_cast<double>(count());
  double seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i].load(std::memory_order_relaxed);
    if (seen > 0 && seen >= wanted) return std::min(upper_bound(i), max());
  }
  return 0;
}

void Histogram::reset() {
  for (auto& bucket : buckets_) bucket.store(0, std::memory_order_relaxed);
  count_ = 0;
  sum_ = 0;
  min_ = ~std::uint64_t{0};
  max_ = 0;
}

void Registry::add(std::string name, std::function<std::string()> value, std::string help) {
  for (const Row& row : rows_) ENSURE(row.name != name, "two metrics are called {}", name);
  rows_.push_back({std::move(name), std::move(help), std::move(value)});
}

void Registry::add(std::string name, const Counter& counter, std::string help) {
  add(
      std::move(name), [&counter] { return fmt::format("{}", counter.value()); }, std::move(help));
}

void Registry::add(std::string name, const Gauge& gauge, std::string help) {
  add(
      std::move(name), [&gauge] { return fmt::format("{}", gauge.value()); }, std::move(help));
}

void Registry::add(const std::string& name, const Histogram& h, const std::string& help) {
  add(
      "avg_" + name, [&h] { return fmt::format("{:.1f}", h.mean()); }, help);
  add(
      "min_" + name, [&h] { return fmt::format("{}", h.min()); }, help);
  add(
      "max_" + name, [&h] { return fmt::format("{}", h.max()); }, help);
  add(
      "cnt_" + name, [&h] { return fmt::format("{}", h.count()); }, help);
  add(
      "sum_" + name, [&h] { return fmt::format("{}", h.sum()); }, help);
  add(
      "p50_" + name, [&h] { return fmt::format("{}", h.percentile(0.5)); }, help);
  add(
      "p95_" + name, [&h] { return fmt::format("{}", h.percentile(0.95)); }, help);
  add(
      "p99_" + name, [&h] { return fmt::format("{}", h.percentile(0.99)); }, help);
  add(
      "p999_" + name, [&h] { return fmt::format("{}", h.percentile(0.999)); }, help);
}

}  // namespace tandem::metrics
