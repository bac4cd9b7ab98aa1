// tandem-coord: `tandem-coord [-Dkey=value ...] zoo.cfg`, in the foreground, logging to standard output.
#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/properties.h"
#include "coord/server/config.h"
#include "coord/server/data_dirs.h"
#include "coord/server/ensemble_config.h"
#include "coord/server/exit_codes.h"
#include "coord/server/limits.h"
#include "coord/server/member.h"
#include "coord/server/standalone.h"
#include "fs/posix_disk.h"
#include "logging/log.h"

using namespace tandem;
using coord::server::Config;
using coord::server::ExitCode;

namespace {

constexpr const char* kVersion = "3.9.5-tandem-0.1.0, built on 2026-11-22 00:00 UTC";
constexpr const char* kUsage =
    "Usage: tandem-coord [-Dkey=value ...] zoo.cfg\n"
    "       tandem-coord [-Dkey=value ...] port datadir [tickTime] [maxcnxns]\n"
    "       tandem-coord --describe-config | --version\n";

int code(ExitCode exit_code) { return static_cast<int>(exit_code); }

int usage(const std::string& complaint) {
  std::fprintf(stderr, "tandem-coord: %s\n%s", complaint.c_str(), kUsage);
  return code(ExitCode::invalid_args);
}

struct CommandLine {
  std::vector<std::string> operands;
  std::vector<conf::Entry> properties;
};

// -D before or after the file, as one word or two.
base::Result<CommandLine> parse(int argc, char** argv) {
  CommandLine line;
  if (const char* flags = std::getenv("SERVER_JVMFLAGS")) {
    const std::string_view text(flags);
    if (text.size() <= coord::server::kJvmFlagsBytesMax)
      line.properties = conf::parse_jvm_flags(text, "SERVER_JVMFLAGS");
  }
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    if (!word.starts_with("-D")) {
      if (word.starts_with("-"))
        return base::make_error(base::Errc::invalid_argument, "unknown option {}", word);
      line.operands.emplace_back(word);
      continue;
    }
    word.remove_prefix(2);
    if (word.empty() && i + 1 < argc) word = argv[++i];
    if (word.find('=') == std::string_view::npos) continue;  // a property without a value sets nothing here
    auto entry = conf::parse_assignment(word, "-D");
    if (!entry) return entry.error();
    line.properties.push_back(std::move(*entry));
  }
  return line;
}

base::Result<coord::server::LoadedConfig> load(fs::Disk& disk, const CommandLine& line) {
  if (line.operands.size() == 1) return coord::server::load_config(disk, line.operands[0], line.properties);
  return coord::server::short_config(line.operands, line.properties);
}

coord::server::ProcessFacts process_facts() {
  coord::server::ProcessFacts facts{.version = kVersion, .environment = {}};
  const auto add = [&facts](const char* key, std::string value) {
    facts.environment.emplace_back(key, std::move(value));
  };
  utsname system{};
  if (::uname(&system) == 0) {
    add("host.name", system.nodename);
    add("os.name", system.sysname);
    add("os.arch", system.machine);
    add("os.version", system.release);
  }
  if (const passwd* user = ::getpwuid(::getuid())) {
    add("user.name", user->pw_name);
    add("user.home", user->pw_dir);
  }
  char directory[PATH_MAX];
  if (::getcwd(directory, sizeof directory) != nullptr) add("user.dir", directory);
  return facts;
}

// Runs a server until a signal ends it.
template <class Server>
int run(Server& server, const Config& config, net::Loop& loop, const logging::Logger& logger) {
  if (const auto failure = server.start(process_facts())) {
    logger.error("unexpected exception, exiting abnormally: {}", failure->error.context);
    return code(failure->code);
  }
  logger.info("started, serving clients on port {}", *config.client_port);
  loop.run();
  server.stop();
  logger.info("exiting normally");
  return code(ExitCode::ok);
}

int serve(const Config& config, fs::Disk& disk, const base::Clock& clock, logging::Logger logger) {
  if (config.ensemble) {
    if (auto status = coord::server::check_listed(*config.ensemble); !status) {
      logger.error("unexpected exception, exiting abnormally: {}", status.error().context);
      return code(ExitCode::unexpected);
    }
  }
  auto lock = coord::server::open_data_dirs(disk, config);
  if (!lock) {
    logger.error("unable to access datadir, exiting abnormally: {}", lock.error().context);
    return code(ExitCode::data_dir);
  }
  net::LoopOptions loop_options;
  loop_options.spin = std::chrono::microseconds(config.spin_us);
  net::Loop loop(clock, loop_options);
  boost::asio::signal_set signals(loop.context(), SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code& error, int number) {
    if (error) return;
    logger.info("stopping on signal {}", number);
    loop.stop();
  });
  const logging::Logger server_logger = logger.named("coord.server");
  const base::Random random(base::system_seed());
  if (config.ensemble) {
    coord::server::Member member(config, loop, disk, server_logger, random);
    return run(member, config, loop, logger);
  }
  coord::server::Standalone standalone(config, loop, disk, server_logger, random);
  return run(standalone, config, loop, logger);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--describe-config") {
    std::fputs(coord::server::describe_config().c_str(), stdout);
    return code(ExitCode::ok);
  }
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::printf("Zookeeper version: %s\n", kVersion);
    return code(ExitCode::ok);
  }
  const auto line = parse(argc, argv);
  if (!line) return usage(line.error().context);
  if (line->operands.empty()) return usage("which zoo.cfg?");

  std::signal(SIGPIPE, SIG_IGN);
  base::SystemClock clock;
  logging::Log log(std::make_unique<logging::DescriptorOutput>(STDOUT_FILENO), clock);
  const logging::Logger logger = log.logger("coord");
  fs::PosixDisk disk;
  const auto loaded = load(disk, *line);
  if (!loaded) {
    logger.error("invalid config, exiting abnormally: {}", loaded.error().context);
    return code(ExitCode::invalid_args);
  }
  logger.info("tandem-coord {}", kVersion);
  for (const std::string& warning : loaded->warnings) logger.warn("{}", warning);
  return serve(loaded->config, disk, clock, logger);
}
