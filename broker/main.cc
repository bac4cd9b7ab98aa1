// tandem-broker server.properties [--override key=value]...: runs in the foreground, logs to standard output,
// ends on SIGTERM or SIGINT with a controlled shutdown.
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <string_view>

#include "base/random.h"
#include "broker/server/broker.h"
#include "conf/reference.h"
#include "fs/posix_disk.h"
#include "logging/log.h"

namespace {

using namespace tandem;
using namespace tandem::broker;

constexpr const char* kUsage =
    "USAGE: tandem-broker server.properties [--override property=value]*\n"
    "       tandem-broker --describe-config | --version\n";

struct Arguments {
  std::string file;
  std::vector<std::string> overrides;
};

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--override" && i + 1 < argc) {
      arguments.overrides.emplace_back(argv[++i]);
    } else if (word.substr(0, 11) == "--override=") {
      arguments.overrides.emplace_back(word.substr(11));
    } else if (arguments.file.empty() && word.substr(0, 1) != "-") {
      arguments.file = word;
    } else {
      return false;
    }
  }
  return !arguments.file.empty();
}

// As Java's getCanonicalHostName: the full name where the resolver knows one.
std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(name.data(), nullptr, &hints, &found) != 0) return name.data();
  const std::string canonical = found->ai_canonname == nullptr ? name.data() : found->ai_canonname;
  ::freeaddrinfo(found);
  return canonical;
}

int describe_config() {
  const config::BrokerTable table = config::make_broker_table();
  const conf::Reference reference{"Settings of tandem-broker",
                                  "Every key of `server.properties` that is known. Made by `tandem-broker "
                                  "--describe-config`.\n\nKeys that "
                                  "are not in this table get a warning, as in Kafka."};
  std::fputs(conf::render_reference(reference, table).c_str(), stdout);
  return 0;
}

int run(const Arguments& arguments, const sigset_t& signals) {
  const base::SystemClock clock;
  fs::PosixDisk disk;
  logging::Log log(std::make_unique<logging::DescriptorOutput>(STDOUT_FILENO), clock);
  const logging::Logger logger = log.logger("kafka.Kafka");
  const auto text = fs::read_file(disk, arguments.file);
  if (!text) {
    logger.fatal("Exiting Kafka: {}", text.error().context);
    return 1;
  }
  const auto tables = std::make_shared<const config::Tables>();
  auto loaded = config::load(tables->broker, *text, arguments.file, arguments.overrides);
  if (!loaded) {
    logger.fatal("Exiting Kafka: {}", loaded.error().context);
    return 1;
  }
  for (const std::string& warning : loaded->warnings) logger.warn("{}", warning);
  std::atomic<bool> failed{false};
  const pthread_t main_thread = ::pthread_self();
  server::Outside outside{clock, disk, logger, base::system_seed(), host_name(), {}};
  outside.on_fatal = [&](const std::string& reason) {
    logger.fatal("{}", reason);
    failed = true;
    ::pthread_kill(main_thread, SIGTERM);
  };
  server::Broker broker(std::move(outside), config::Settings(tables, std::move(*loaded)));
  if (const auto status = broker.start(); !status) {
    logger.fatal("Fatal error during broker startup, prepare to shutdown: {}", status.error().context);
    broker.stop(false);
    return 1;
  }
  int signal = 0;
  ::sigwait(&signals, &signal);
  broker.stop(!failed);
  return failed ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--describe-config") return describe_config();
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::puts("tandem-broker 0.1.0 (speaks Apache Kafka 3.9)");
    return 0;
  }
  Arguments arguments;
  if (!parse(argc, argv, arguments)) {
    std::fputs(kUsage, stderr);
    return 1;
  }
  // Taken by sigwait in the main thread; every other thread inherits the mask.
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return run(arguments, signals);
}
