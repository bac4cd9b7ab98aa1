#include "tests/sim/explore.h"

#include <fmt/format.h>

#include <chrono>
#include <deque>
#include <map>
#include <tuple>

#include "tests/sim/world.h"

namespace tandem::sim {

namespace {

constexpr std::uint64_t kEventsMax = 20'000;  // of a run that does not come to rest

Options small_case() {
  Options options;
  options.voters = 3;
  options.clients = 1;
  options.operations_max = 2;
  options.tick = milliseconds(100);
  options.session_timeout = milliseconds(2000);
  options.think = milliseconds(2);
  options.latency = Duration(2);
  options.commit_log_count = 1;
  options.down_max = milliseconds(60);
  return options;
}

class Explorer {
 public:
  explicit Explorer(const ExploreLimits& limits) : limits_(limits) {}

  int run() {
    const auto start = std::chrono::steady_clock::now();
    const auto elapsed = [&] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    todo_.push_back({});
    std::size_t complete = 0;
    while (!todo_.empty() && elapsed() < limits_.seconds) {
      const Script script = std::move(todo_.front());
      todo_.pop_front();
      complete = script.size();
      if (!follow(script)) return 1;
    }
    const bool all = todo_.empty();
    fmt::print("{} runs, {} states, {} events in {:.0f} s; {} crashes, {} delays: {}; violations 0\n", runs_,
               seen_.size(), events_, elapsed(), limits_.crashes, limits_.delays,
               all ? "all gone through"
                   : fmt::format("all with fewer than {} interferences gone through, {} runs left", complete,
                                 todo_.size()));
    return 0;
  }

 private:
  bool follow(const Script& script) {
    ++runs_;
    World world(small_case());
    int crashes = limits_.crashes;
    int delays = limits_.delays;
    for (const Interference& each : script) --(each.kind == Interference::delay ? delays : crashes);
    const Report report = world.follow(script, kEventsMax, [&](std::uint64_t at, std::uint64_t state) {
      // A run that comes back to a state of its own waits for a timer.
      const auto [it, first] = seen_.emplace(std::tuple(state, crashes, delays), runs_);
      if (first) branch(script, at, crashes, delays);
      return it->second == runs_;
    });
    events_ += report.events;
    if (!report.violation) return true;
    fmt::print("VIOLATION {}\n", *report.violation);
    for (const Interference& each : script)
      fmt::print("at event {}: {} {}\n", each.at, to_string(each.kind), each.server);
    fmt::print("the run, up to what was found:\n");
    constexpr std::uint64_t kShown = 2000;
    World(small_case(), true).follow(script, kShown, [](std::uint64_t, std::uint64_t) { return true; });
    return false;
  }

  void branch(const Script& script, std::uint64_t at, int crashes, int delays) {
    const auto add = [&](Interference::Kind kind, int server) {
      todo_.push_back(script);
      todo_.back().push_back({at, kind, server});
    };
    for (int server = 1; crashes > 0 && server <= small_case().voters; ++server) {
      add(Interference::kill, server);
      add(Interference::power, server);
    }
    if (delays > 0) add(Interference::delay, 0);
  }

  ExploreLimits limits_;
  std::deque<Script> todo_;
  std::map<std::tuple<std::uint64_t, int, int>, std::uint64_t> seen_;  // by which run
  std::uint64_t runs_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace

const char* to_string(Interference::Kind kind) {
  switch (kind) {
    case Interference::kill:
      return "kill";
    case Interference::power:
      return "power cut of";
    case Interference::delay:
      return "delay of what comes next";
  }
  return "";
}

int explore(const ExploreLimits& limits) { return Explorer(limits).run(); }

}  // namespace tandem::sim
