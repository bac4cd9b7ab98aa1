// Log-linear histogram of nanoseconds: 32 linear steps in every power of two, so 3 % resolution from 1 ns to
// hours.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tandem::bench {

class Histogram {
 public:
  void add(std::uint64_t ns) {
    ++steps_[step_of(ns)];
    ++count_;
    max_ns_ = std::max(max_ns_, ns);
  }

  void add(const Histogram& other) {
    for (std::size_t i = 0; i < steps_.size(); ++i) steps_[i] += other.steps_[i];
    count_ += other.count_;
    max_ns_ = std::max(max_ns_, other.max_ns_);
  }

  std::uint64_t count() const { return count_; }
  double max_us() const { return static_cast<double>(max_ns_) / 1000; }

  // The latency that the share `quantile` of all samples does not exceed, in microseconds.
  double quantile_us(double quantile) const {
    const auto wanted = static_cast<std::uint64_t>(quantile * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      seen += steps_[i];
      if (seen > wanted) return static_cast<double>(std::min(middle_of(i), max_ns_)) / 1000;
    }
    return max_us();
  }

 private:
  static constexpr std::size_t kSteps = 32;

  static std::size_t step_of(std::uint64_t ns) {
    if (ns < kSteps) return ns;
    const auto exponent = static_cast<std::size_t>(63 - std::countl_zero(ns));
    return (exponent - 4) * kSteps + (ns >> (exponent - 5) & (kSteps - 1));
  }

  static std::uint64_t middle_of(std::size_t step) {
    if (step < kSteps) return step;
    const std::size_t exponent = step / kSteps + 4;
    const std::uint64_t width = std::uint64_t{1} << (exponent - 5);
    return (std::uint64_t{1} << exponent) + step % kSteps * width + width / 2;
  }

  std::array<std::uint64_t, 64 * kSteps> steps_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ns_ = 0;
};

}  // namespace tandem::bench
