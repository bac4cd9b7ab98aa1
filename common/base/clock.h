// Time enters through this interface only. Instant is monotonic (sessions, deadlines, purgatories);
// WallTime is milliseconds since 1970 UTC (Stat times, record timestamps, retention).
// Cores take both as arguments; shells own a Clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace tandem::base {

struct MonotonicEpoch {  // the tag of Instant; its now() is Clock::now()
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<MonotonicEpoch>;
  static constexpr bool is_steady = true;
};

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::time_point<MonotonicEpoch, Duration>;
using std::chrono::milliseconds;

struct WallTime {
  std::int64_t ms = 0;  // since 1970-01-01T00:00:00Z
  constexpr auto operator<=>(const WallTime&) const = default;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
 public:
  Instant now() const override;
  WallTime wall() const override;
};

// Moves only when told to: tests and simulation.
class ManualClock final : public Clock {
 public:
  Instant now() const override { return now_; }
  WallTime wall() const override { return wall_; }
  void advance(Duration by) {
    now_ += by;
    wall_.ms += std::chrono::duration_cast<milliseconds>(by).count();
  }
  void set_wall(WallTime wall) { wall_ = wall; }

 private:
  Instant now_{Duration{1'000'000'000}};
  WallTime wall_{1'700'000'000'000};
};

}  // namespace tandem::base
