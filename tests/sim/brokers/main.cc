// The command line of the brokers' simulator: runs seeds, prints what they met, and for a violation the one
// command that replays it.
//   broker_sim [--seed N] [--seeds COUNT | --seconds WALL] [--mutant NAME] [--mutants] [--twice] [--verbose]
// --twice: each seed again, its fingerprint must be the same. --mutants: each mutant must be found by one of
// the seeds; prints the table of docs/simulation.md.
#include <fmt/format.h>

#include <unistd.h>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/sim/brokers/cluster.h"

using namespace tandem::sim::brokers;

namespace {

struct BrokerArguments {
  std::uint64_t first = 1;
  std::uint64_t seeds = 1;
  double seconds = 0;  // of wall time; 0: no limit
  BrokerMutant mutant = BrokerMutant::none;
  bool verbose = false;
  bool twice = false;
  bool mutants = false;
};

char broker_replay_line[256];  // for the handler of a failed assertion

void on_broker_abort(int) {
  const auto ignored = ::write(2, broker_replay_line, std::string_view(broker_replay_line).size());
  static_cast<void>(ignored);
}

bool parse_arguments(int argc, char** argv, BrokerArguments& out) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--verbose") {
      out.verbose = true;
    } else if (word == "--twice") {
      out.twice = true;
    } else if (word == "--mutants") {
      out.mutants = true;
    } else if (i + 1 == argc) {
      return false;
    } else if (word == "--seed") {
      out.first = std::strtoull(argv[++i], nullptr, 10);
    } else if (word == "--seeds") {
      out.seeds = std::strtoull(argv[++i], nullptr, 10);
    } else if (word == "--seconds") {
      out.seconds = std::strtod(argv[++i], nullptr);
      out.seeds = UINT64_MAX;
    } else if (word != "--mutant" || !parse_mutant(argv[++i], out.mutant)) {
      return false;
    }
  }
  return true;
}

struct BrokerTotals {
  std::uint64_t seeds = 0;
  double simulated_seconds = 0;
  std::map<std::string, std::uint64_t> faults;
  std::map<std::string, std::uint64_t> counts;

  void add(const ClusterReport& report) {
    ++seeds;
    simulated_seconds += report.simulated_seconds;
    for (const auto& [name, count] : report.faults) faults[name] += count;
    for (const auto& [name, count] : report.counts) counts[name] += count;
  }
  void print(double wall) const {
    fmt::print("{} seeds, {:.2f} simulated hours in {:.1f} s; records:", seeds, simulated_seconds / 3600,
               wall);
    for (const auto& [name, count] : counts) fmt::print(" {} {},", name, count);
    fmt::print(" faults:");
    for (const auto& [name, count] : faults) fmt::print(" {} {},", name, count);
    fmt::print(" violations 0\n");
  }
};

void remember_broker_replay(const BrokerOptions& options) {
  const bool whole = options.mutant == BrokerMutant::none;
  std::snprintf(broker_replay_line, sizeof broker_replay_line,
                "replay: ./dev sim --brokers --seed %llu%s%s\n",
                static_cast<unsigned long long>(options.seed), whole ? "" : " --mutant ",
                whole ? "" : to_string(options.mutant));
}

int tell_violation(const BrokerOptions& options, const std::string& text) {
  fmt::print("VIOLATION {}\n{}\n{}", text, options.text(), broker_replay_line);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  BrokerArguments arguments;
  if (!parse_arguments(argc, argv, arguments)) {
    std::fputs(
        "Usage: broker_sim [--seed N] [--seeds COUNT | --seconds WALL] [--mutant NAME] [--mutants]\n"
        "                  [--twice] [--verbose]\n",
        stderr);
    return 2;
  }
  std::signal(SIGABRT, on_broker_abort);
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  BrokerTotals totals;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    if (arguments.seconds > 0 && elapsed() > arguments.seconds) break;
    BrokerOptions options = BrokerOptions::of_seed(arguments.first + i);
    options.mutant = arguments.mutant;
    remember_broker_replay(options);
    const ClusterReport report = Cluster(options, arguments.verbose).run();
    if (report.violation) return tell_violation(options, *report.violation);
    if (arguments.twice && Cluster(options, false).run().hash != report.hash)
      return tell_violation(options, "two runs of this seed differ");
    totals.add(report);
    if (arguments.seeds == 1)
      fmt::print("{}\nhash {:016x}, {} events\n", options.text(), report.hash, report.events);
  }
  totals.print(elapsed());
  return 0;
}
