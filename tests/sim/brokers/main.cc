// The command line of the brokers' simulator: runs seeds, prints what they met, and for a violation the one
// command that replays it.
//   broker_sim [--seed N] [--seeds COUNT | --seconds WALL] [--mutant NAME] [--mutants] [--wide] [--disks]
//              [--twice] [--verbose]
// --wide: with unclean elections, deleted records, throttles, racks, flushes on acknowledgement and
// suspicion. --disks: with two log directories for most brokers, which fail and are repaired.
// --twice: each seed again, its fingerprint must be the same. --mutants: each mutant must be found by one of
// the seeds; prints the table of docs/simulation.md.
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
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
  bool wide = false;
  bool disks = false;
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
    } else if (word == "--wide") {
      out.wide = true;
    } else if (word == "--disks") {
      out.disks = true;
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

BrokerOptions options_of(const BrokerArguments& arguments, std::uint64_t number, BrokerMutant mutant) {
  BrokerOptions options = BrokerOptions::of_seed(
      arguments.first + number, arguments.wide || needs_wide(mutant), arguments.disks || needs_disks(mutant));
  options.suit(mutant);
  return options;
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
                "replay: ./dev sim --brokers%s%s --seed %llu%s%s\n", options.wide ? " --wide" : "",
                options.disks ? " --disks" : "", static_cast<unsigned long long>(options.seed),
                whole ? "" : " --mutant ", whole ? "" : to_string(options.mutant));
}

int tell_violation(const BrokerOptions& options, const std::string& text) {
  fmt::print("VIOLATION {}\n{}\n{}", text, options.text(), broker_replay_line);
  return 1;
}

// In a process of its own: a mutant may also drive a core into one of its assertions.
std::string violation_in_child(const BrokerOptions& options) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    const int silence = ::open("/dev/null", O_WRONLY);
    ::dup2(silence, 2);
    const std::string text = Cluster(options, false).run().violation.value_or("");
    const auto written = ::write(ends[1], text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char buffer[512];
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? "an assertion" : text;
}

double seconds_of_children() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Runs a mutant until a seed finds it; the same seed without it finds nothing.
bool find_mutant(const BrokerArguments& arguments, BrokerMutant mutant) {
  const double start = seconds_of_children();
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    BrokerOptions options = options_of(arguments, i, mutant);
    const std::string violation = violation_in_child(options);
    if (violation.empty()) continue;
    const double took = seconds_of_children() - start;
    options.mutant = BrokerMutant::none;
    if (!violation_in_child(options).empty()) continue;
    fmt::print("| {} | {} | {} | {:.1f} |\n", to_string(mutant), options.seed, violation, took);
    std::fflush(stdout);
    return true;
  }
  fmt::print("| {} | NOT FOUND in {} seeds | | |\n", to_string(mutant), arguments.seeds);
  return false;
}

int judge_broker_mutants(const BrokerArguments& arguments) {
  fmt::print("| mutant | seed | found by | seconds |\n| --- | --- | --- | --- |\n");
  int missed = 0;
  for (std::size_t i = 1; i < kBrokerMutants.size(); ++i)
    missed += find_mutant(arguments, static_cast<BrokerMutant>(i)) ? 0 : 1;
  fmt::print("{} mutants, {} not found\n", kBrokerMutants.size() - 1, missed);
  return missed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  BrokerArguments arguments;
  if (!parse_arguments(argc, argv, arguments)) {
    std::fputs(
        "Usage: broker_sim [--seed N] [--seeds COUNT | --seconds WALL] [--mutant NAME] [--mutants]\n"
        "                  [--wide] [--disks] [--twice] [--verbose]\n",
        stderr);
    return 2;
  }
  std::signal(SIGABRT, on_broker_abort);
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  if (arguments.mutants) return judge_broker_mutants(arguments);
  BrokerTotals totals;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    if (arguments.seconds > 0 && elapsed() > arguments.seconds) break;
    BrokerOptions options = options_of(arguments, i, arguments.mutant);
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
