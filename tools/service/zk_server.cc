// zkServer.sh: start, start-foreground, stop, restart, status, version, print-cmd, with Apache's lines.
#include <signal.h>

#include <cstdio>
#include <filesystem>

#include "base/version.h"
#include "conf/properties.h"
#include "tools/service/four_letter.h"
#include "tools/service/process.h"
#include "tools/service/service.h"
#include "tools/service/zoo_config.h"

namespace tandem::tools::service {

namespace {

constexpr base::milliseconds kStartWait{10000};
constexpr base::milliseconds kStopWait{60000};
constexpr base::milliseconds kStatusWait{10000};

struct Server {
  std::string config_path;
  ZooConfig config;
  std::string pid_file;
  Program program;
};

std::string user_name(const Invocation& invocation) { return invocation.variable("USER").value_or("root"); }

base::Result<Server> prepare(const Invocation& invocation, const std::string& config_path) {
  auto config = ZooConfig::read(config_path);
  if (!config) return config.error();
  Server server{config_path, std::move(*config), "", {}};
  const std::string data = server.config.data_directory();
  server.pid_file = invocation.variable("ZOOPIDFILE").value_or(data + "/zookeeper_server.pid");
  server.program.argv = {server_binary(invocation.executable, "tandem-coord")};
  for (const auto& entry : conf::parse_jvm_flags(invocation.variable("JVMFLAGS").value_or(""), "JVMFLAGS"))
    server.program.argv.push_back("-D" + entry.key + "=" + entry.value);
  if (invocation.variable("ZOO_DATADIR_AUTOCREATE_DISABLE"))
    server.program.argv.push_back("-Dzookeeper.datadir.autocreate=false");
  server.program.argv.push_back(config_path);
  server.program.output =
      fmt::format("{}/zookeeper-{}-server-{}.out", log_directory(invocation), user_name(invocation),
                  invocation.variable("HOSTNAME").value_or("localhost"));
  return server;
}

pid_t recorded_pid(const Server& server) {
  return static_cast<pid_t>(std::strtol(read_file(server.pid_file).c_str(), nullptr, 10));
}

// The address that `status` asks; a message instead when the configuration names none.
struct ClientAddress {
  std::string host = "localhost";
  std::uint16_t port = 0;
  bool secure = false;
};

// "host:port", "[v6]:port" or "port", as behind the ';' of a server line.
void take_address(std::string_view text, ClientAddress& address) {
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    address.host = host;
    text = text.substr(colon + 1);
  }
  address.port = static_cast<std::uint16_t>(std::strtol(std::string(text).c_str(), nullptr, 10));
}

void look_in_server_lines(const ZooConfig& config, ClientAddress& address) {
  std::string id = read_file(config.data_directory() + "/myid");
  id = id.substr(0, id.find_first_not_of("0123456789"));
  if (id.empty()) {
    std::puts("myid could not be determined, will not able to locate clientPort in the server configs.");
    return;
  }
  auto line = config.get("server." + id).value_or("");
  if (line.find(';') == std::string::npos) {
    std::puts("Client port not found in static config file. Looking in dynamic config file.");
    const auto dynamic = ZooConfig::read(config.get("dynamicConfigFile").value_or(""));
    line = dynamic ? dynamic->get("server." + id).value_or("") : "";
  }
  const auto semicolon = line.find(';');
  if (semicolon == std::string::npos) {
    std::puts("Client port not found in the server configs");
  } else {
    take_address(std::string_view(line).substr(semicolon + 1), address);
  }
}

ClientAddress client_address(const ZooConfig& config) {
  ClientAddress address;
  address.host = config.get("clientPortAddress").value_or("localhost");
  if (const auto port = config.get("clientPort")) {
    address.port = static_cast<std::uint16_t>(std::strtol(port->c_str(), nullptr, 10));
  } else {
    look_in_server_lines(config, address);
  }
  if (address.port != 0) return address;
  std::puts("Client port not found. Looking for secureClientPort in the static config.");
  if (const auto port = config.get("secureClientPort")) {
    address.secure = true;
    address.host = config.get("secureClientPortAddress").value_or("localhost");
    address.port = static_cast<std::uint16_t>(std::strtol(port->c_str(), nullptr, 10));
  }
  return address;
}

int start(const Server& server) {
  std::fputs("Starting zookeeper ... ", stdout);
  std::fflush(stdout);
  if (const pid_t pid = recorded_pid(server); is_alive(pid)) {
    std::printf("already running as process %d.\n", static_cast<int>(pid));
    return 1;
  }
  const auto pid = run_in_background(server.program);
  if (!pid) {
    std::printf("SERVER DID NOT START\n");
    std::fprintf(stderr, "%s\n", pid.error().context.c_str());
    return 1;
  }
  if (!write_file(server.pid_file, std::to_string(*pid))) {
    std::puts("FAILED TO WRITE PID");
    return 1;
  }
  ClientAddress address;
  address.host = server.config.get("clientPortAddress").value_or("127.0.0.1");
  if (const auto port = server.config.get("clientPort"))
    address.port = static_cast<std::uint16_t>(std::strtol(port->c_str(), nullptr, 10));
  // A server in an ensemble listens only once it has found its peers: do not wait long without a client port.
  const auto wait = address.port == 0 ? base::milliseconds(1000) : kStartWait;
  if (wait_gone(*pid, wait, [&] { return address.port != 0 && port_answers(address.host, address.port); })) {
    std::puts("FAILED TO START");
    std::fprintf(stderr, "%s", read_file(server.program.output).c_str());
    return 1;
  }
  std::puts("STARTED");
  return 0;
}

int stop(const Server& server) {
  std::fputs("Stopping zookeeper ... ", stdout);
  std::fflush(stdout);
  if (!std::filesystem::exists(server.pid_file)) {
    std::printf("no zookeeper to stop (could not find file %s)\n", server.pid_file.c_str());
    return 0;
  }
  const pid_t pid = recorded_pid(server);
  if (is_alive(pid) && ::kill(pid, SIGTERM) == 0 && !wait_gone(pid, kStopWait)) {
    std::printf("STILL RUNNING as process %d\n", static_cast<int>(pid));
    return 1;
  }
  std::error_code ignored;
  std::filesystem::remove(server.pid_file, ignored);
  std::puts("STOPPED");
  return 0;
}

int status(const Server& server) {
  const ClientAddress address = client_address(server.config);
  if (address.port == 0) {
    std::puts("Unable to find either secure or unsecure client port in any configs. Terminating.");
    return 1;
  }
  std::printf("Client port found: %d. Client address: %s. Client SSL: %s.\n", address.port,
              address.host.c_str(), address.secure ? "true" : "false");
  const auto answer = ask_four_letter_word(address.host, address.port, "srvr", kStatusWait);
  const auto mode = answer ? answer->find("Mode: ") : std::string::npos;
  if (mode == std::string::npos) {
    std::puts("Error contacting service. It is probably not running.");
    return 1;
  }
  std::printf("%s\n", answer->substr(mode, answer->find('\n', mode) - mode).c_str());
  return 0;
}

int print_command(const Server& server) {
  std::string line;
  for (const std::string& word : server.program.argv) line += fmt::format("\"{}\" ", word);
  std::printf("%s> \"%s\" 2>&1 < /dev/null\n", line.c_str(), server.program.output.c_str());
  return 0;
}

int start_in_foreground(const Server& server) {
  std::fprintf(stderr, "%s\n", run_in_place(server.program).context.c_str());
  return 1;
}

int restart(const Server& server) {
  const int stopped = stop(server);
  return stopped != 0 ? stopped : start(server);
}

}  // namespace

int zk_server(const Invocation& called) {
  Invocation invocation = called;
  std::string config_path = ZooConfig::locate(invocation);
  const std::string verb = invocation.args.empty() ? "" : invocation.args[0];
  if (invocation.args.size() > 1) config_path = ZooConfig::locate(config_path, invocation.args[1]);
  if (verb == "version") {
    std::printf("Tandem %s, speaking for ZooKeeper, version %s\n", base::kVersion, base::kZooKeeperVersion);
    return 0;
  }
  const std::pair<const char*, int (*)(const Server&)> verbs[] = {
      {"start", start},   {"start-foreground", start_in_foreground},
      {"stop", stop},     {"restart", restart},
      {"status", status}, {"print-cmd", print_command}};
  for (const auto& [name, run] : verbs) {
    if (verb != name) continue;
    std::fprintf(stderr, "Using config: %s\n", config_path.c_str());
    const auto server = prepare(invocation, config_path);
    if (server) return run(*server);
    std::fprintf(stderr, "%s\n", server.error().context.c_str());
    return 1;
  }
  std::fprintf(
      stderr,
      "Usage: %s [--config <conf-dir>] {start|start-foreground|stop|version|restart|status|print-cmd}\n",
      called.called_as.c_str());
  return 0;
}

}  // namespace tandem::tools::service
