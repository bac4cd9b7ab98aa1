// The simulator's command line: runs seeds, prints what they met, and for a violation the one command that
// replays it.
//   coord_sim [--seed N] [--seeds COUNT | --seconds WALL | --hours SIMULATED] [--mutant NAME]
//             [--mixed] [--verbose] [--twice] [--mutants] [--deaf] [--explore [--crashes N] [--delays N]]
// --mixed: a third of the seeds have models of Apache's servers among the voters.
// --deaf: of each seed's ensemble, without its faults, the leader hears nobody any more and is heard by all.
// --explore: the small case of explore.h, for --seconds. --twice: each seed again, its fingerprint must be
// the same. --mutants: each mutant must be found by one of the seeds; prints the table of docs/simulation.md.
#include <fmt/format.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include "tests/sim/explore.h"
#include "tests/sim/world.h"

using namespace tandem::sim;

namespace {

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t seeds = 1;
  double seconds = 0;  // of wall time; 0: no limit
  double hours = 0;    // simulated; 0: no limit
  Mutant mutant = Mutant::none;
  bool verbose = false;
  bool twice = false;
  bool mutants = false;
  bool explore = false;
  bool deaf = false;
  bool mixed = false;
  ExploreLimits limits;
};

char replay_line[256];  // for the handler of a failed assertion

void on_abort(int) {
  const auto ignored = ::write(2, replay_line, std::string_view(replay_line).size());
  static_cast<void>(ignored);
}

int usage() {
  std::fputs(
      "Usage: coord_sim [--seed N] [--seeds COUNT | --seconds WALL | --hours SIMULATED] [--mutant NAME]\n"
      "                 [--mixed] [--verbose] [--twice] [--mutants] [--deaf]\n"
      "                 [--explore [--crashes N] [--delays N]]\n",
      stderr);
  return 2;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--verbose") {
      arguments.verbose = true;
    } else if (word == "--twice") {
      arguments.twice = true;
    } else if (word == "--mutants") {
      arguments.mutants = true;
    } else if (word == "--deaf") {
      arguments.deaf = true;
    } else if (word == "--mixed") {
      arguments.mixed = true;
    } else if (word == "--explore") {
      arguments.explore = true;
    } else if (i + 1 == argc) {
      return false;
    } else if (word == "--seed") {
      arguments.first = std::strtoull(argv[++i], nullptr, 10);
    } else if (word == "--seeds") {
      arguments.seeds = std::strtoull(argv[++i], nullptr, 10);
    } else if (word == "--seconds") {
      arguments.seconds = std::strtod(argv[++i], nullptr);
      arguments.seeds = UINT64_MAX;
    } else if (word == "--crashes") {
      arguments.limits.crashes = static_cast<int>(std::strtol(argv[++i], nullptr, 10));
    } else if (word == "--delays") {
      arguments.limits.delays = static_cast<int>(std::strtol(argv[++i], nullptr, 10));
    } else if (word == "--hours") {
      arguments.hours = std::strtod(argv[++i], nullptr);
      arguments.seeds = UINT64_MAX;
    } else if (word != "--mutant" || !parse_mutant(argv[++i], arguments.mutant)) {
      return false;
    }
  }
  return true;
}

struct Totals {
  std::uint64_t seeds = 0;
  std::uint64_t elections = 0;
  std::uint64_t operations = 0;
  std::uint64_t acked_writes = 0;
  double simulated_seconds = 0;
  std::map<std::string, std::uint64_t> faults;
  std::map<std::string, std::uint64_t> others;

  void add(const Report& report) {
    ++seeds;
    elections += report.elections;
    operations += report.operations;
    acked_writes += report.acked_writes;
    simulated_seconds += report.simulated_seconds;
    for (const auto& [name, count] : report.faults) faults[name] += count;
    for (const auto& [name, count] : report.others) others[name] += count;
  }
  void print(double wall) const {
    fmt::print(
        "{} seeds, {:.2f} simulated hours in {:.1f} s, {} elections, {} operations ({:.0f} a second), {} "
        "writes "
        "acknowledged; faults:",
        seeds, simulated_seconds / 3600, wall, elections, operations,
        simulated_seconds > 0 ? static_cast<double>(operations) / simulated_seconds : 0, acked_writes);
    for (const auto& [name, count] : faults) fmt::print(" {} {},", name, count);
    fmt::print(" beside them:");
    for (const auto& [name, count] : others) fmt::print(" {} {},", name, count);
    fmt::print(" violations 0\n");
  }
};

int violated(const Options& options, const std::string& text) {
  fmt::print("VIOLATION {}\n{}\n{}", text, options.text(), replay_line);
  return 1;
}

void remember_replay(const Options& options) {
  const bool whole = options.mutant == Mutant::none;
  std::snprintf(replay_line, sizeof replay_line, "replay: ./dev sim --seed %llu%s%s%s\n",
                static_cast<unsigned long long>(options.seed), options.apache != 0 ? " --mixed" : "",
                whole ? "" : " --mutant ", whole ? "" : to_string(options.mutant));
}

// In a process of its own: a mutant may also drive a core into one of its assertions.
std::string violation_of(const Options& options) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    const int silence = ::open("/dev/null", O_WRONLY);
    ::dup2(silence, 2);
    const std::string text = World(options).run().violation.value_or("");
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
  if (WIFSIGNALED(status)) return "an assertion";
  return text;
}

// Of the processes that have ended.
double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Runs a mutant until a seed finds it; the same seed without it finds nothing.
bool found(const Arguments& arguments, Mutant mutant) {
  const double start = cpu_seconds();
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    Options options = Options::of_seed(arguments.first + i, arguments.mixed);
    options.mutant = mutant;
    const std::string violation = violation_of(options);
    if (violation.empty()) continue;
    const double took = cpu_seconds() - start;
    options.mutant = Mutant::none;
    const bool clean = violation_of(options).empty();
    fmt::print("| {} | {} | {} | {:.1f} | {} |\n", to_string(mutant), options.seed, violation, took,
               clean ? "clean" : "NOT CLEAN");
    return clean;
  }
  fmt::print("| {} | NOT FOUND in {} seeds | | | |\n", to_string(mutant), arguments.seeds);
  return false;
}

int judge_mutants(const Arguments& arguments) {
  fmt::print(
      "| mutant | seed | found by | seconds | the seed without it |\n| --- | --- | --- | --- | --- |\n");
  int missed = 0;
  for (int i = 1; i < kMutants; ++i) missed += found(arguments, static_cast<Mutant>(i)) ? 0 : 1;
  fmt::print("{} mutants, {} not found\n", kMutants - 1, missed);
  return missed == 0 ? 0 : 1;
}

// The others find out within the silence agreed on, or syncLimit, and do not elect it again and again.
int judge_deaf(const Arguments& arguments) {
  constexpr Duration kMore = milliseconds(8000);
  double sum = 0;
  Duration worst{};
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    const Options options = Options::of_quiet_seed(arguments.first + i);
    Duration alone{};
    const Report report = World(options, arguments.verbose).deafen(alone);
    std::snprintf(replay_line, sizeof replay_line, "replay: ./dev sim --deaf --seed %llu\n",
                  static_cast<unsigned long long>(options.seed));
    if (report.violation) return violated(options, *report.violation);
    if (alone > options.tick * options.sync_limit + kMore)
      return violated(options, fmt::format("Z17: {} ms without a leader that hears",
                                           std::chrono::duration_cast<milliseconds>(alone).count()));
    sum += std::chrono::duration<double>(alone).count();
    worst = std::max(worst, alone);
  }
  fmt::print("{} deaf leaders; another one serves after {:.1f} s on average, {:.1f} s at most\n",
             arguments.seeds, sum / static_cast<double>(arguments.seeds),
             std::chrono::duration<double>(worst).count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!parse(argc, argv, arguments)) return usage();
  std::signal(SIGABRT, on_abort);
  if (arguments.seconds > 0) arguments.limits.seconds = arguments.seconds;
  if (arguments.explore) return explore(arguments.limits);
  if (arguments.deaf) return judge_deaf(arguments);
  if (arguments.mutants) return judge_mutants(arguments);
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  Totals totals;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) {
    if (arguments.seconds > 0 && elapsed() > arguments.seconds) break;
    if (arguments.hours > 0 && totals.simulated_seconds > arguments.hours * 3600) break;
    Options options = Options::of_seed(arguments.first + i, arguments.mixed);
    options.mutant = arguments.mutant;
    remember_replay(options);
    const Report report = World(options, arguments.verbose).run();
    if (report.violation) return violated(options, *report.violation);
    if (arguments.twice && World(options).run().hash != report.hash)
      return violated(options, "two runs of this seed differ");
    totals.add(report);
    if (arguments.seeds == 1)
      fmt::print("{}\nhash {:016x}, {} events\n", options.text(), report.hash, report.events);
  }
  totals.print(elapsed());
  return 0;
}
