// kafka-server-start.sh, kafka-server-stop.sh and Kafka's spellings for the coordination server.
#include <signal.h>

#include <cstdio>

#include "tools/service/process.h"
#include "tools/service/service.h"

namespace tandem::tools::service {

namespace {

int start(const Invocation& invocation, const char* binary, const char* usage, const char* output_name) {
  std::vector<std::string> args = invocation.args;
  if (args.empty()) {
    std::printf("USAGE: %s %s\n", invocation.called_as.c_str(), usage);
    return 1;
  }
  const bool daemon = args[0] == "-daemon";
  if (daemon) args.erase(args.begin());
  std::erase_if(args, [](const std::string& arg) { return arg == "-loggc"; });  // for a JVM
  if (args.empty()) {
    std::printf("USAGE: %s %s\n", invocation.called_as.c_str(), usage);
    return 1;
  }
  Program program;
  program.argv = {server_binary(invocation.executable, binary)};
  program.argv.insert(program.argv.end(), args.begin(), args.end());
  program.output = invocation.variable("LOG_DIR").value_or(invocation.home() + "/logs") + "/" + output_name;
  if (!daemon) {
    std::fprintf(stderr, "%s\n", run_in_place(program).context.c_str());
    return 1;
  }
  const auto pid = run_in_background(program);
  if (pid) return 0;
  std::fprintf(stderr, "%s\n", pid.error().context.c_str());
  return 1;
}

int stop(const Invocation& invocation, const char* binary, const char* none) {
  const auto running = processes_running(server_binary(invocation.executable, binary));
  if (running.empty()) {
    std::puts(none);
    return 1;
  }
  for (const pid_t pid : running) ::kill(pid, SIGTERM);
  return 0;
}

}  // namespace

int zookeeper_server_start(const Invocation& invocation) {
  return start(invocation, "tandem-coord", "[-daemon] zookeeper.properties", "zookeeper.out");
}

int zookeeper_server_stop(const Invocation& invocation) {
  return stop(invocation, "tandem-coord", "No zookeeper server to stop");
}

int kafka_server_start(const Invocation& invocation) {
  return start(invocation, "tandem-broker", "[-daemon] server.properties [--override property=value]*",
               "kafkaServer.out");
}

int kafka_server_stop(const Invocation& invocation) {
  return stop(invocation, "tandem-broker", "No kafka server to stop");
}

}  // namespace tandem::tools::service
