#include "tools/shell/commands.h"

#include <cstdio>

#include "base/random.h"
#include "tools/shell/shell.h"

namespace tandem::tools::shell {

namespace {

constexpr const char* kUsage =
    "-server host:port[,host:port...][/chroot] [-timeout ms] [-r] [-waitforconnection] [cmd args]";

struct Parsed {
  ShellOptions options;
  std::vector<std::string> command;
};

// As Apache's shell: options before the first word that has no dash; that word and all behind it are the
// command.
base::Result<Parsed> parse(const std::vector<std::string>& args) {
  Parsed parsed;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string& option = args[i];
    if (!option.starts_with('-')) {
      parsed.command.assign(args.begin() + static_cast<std::ptrdiff_t>(i), args.end());
      break;
    }
    if (option == "-server" || option == "-timeout" || option == "-client-configuration") {
      if (++i == args.size())
        return base::make_error(base::Errc::invalid_argument, "Error: no argument found for option {}",
                                option);
      if (option == "-server") parsed.options.server = args[i];
      if (option == "-timeout") {
        const auto timeout = parse_integer(args[i]);
        if (!timeout || *timeout <= 0)
          return base::make_error(base::Errc::invalid_argument, "Error: '{}' is not a timeout in ms",
                                  args[i]);
        parsed.options.timeout = base::milliseconds(*timeout);
      }
      if (option == "-client-configuration")
        note("Warning: -client-configuration is accepted, but TLS and SASL of clients are not there yet");
    }
    if (option == "-r") parsed.options.read_only = true;
    if (option == "-waitforconnection") parsed.options.wait_for_connection = true;
  }
  return parsed;
}

int run(const Invocation& invocation, const std::vector<std::string>& args) {
  auto parsed = parse(args);
  if (!parsed) {
    note(parsed.error().context);
    note("usage: " + invocation.called_as + " " + kUsage);
    return 2;
  }
  put("Connecting to " + parsed->options.server + "\n");
  parsed->options.seed = base::system_seed();
  const std::string server = parsed->options.server;
  Shell shell(std::move(parsed->options));
  if (auto status = shell.connect(server); !status) {
    note(status.error().context);
    return 1;
  }
  if (!parsed->command.empty()) return shell.run_one(parsed->command);
  const auto home = invocation.variable("HOME");
  shell.run_interactive(home ? *home + "/.zkcli_history" : std::string());
  return 0;
}

int zk_cli(const Invocation& invocation) { return run(invocation, invocation.args); }

// Kafka's spelling: the first argument is the server, the rest a command.
int zookeeper_shell(const Invocation& invocation) {
  if (invocation.args.empty()) {
    std::fprintf(stdout, "USAGE: %s zookeeper_host:port[/path] [-zk-tls-config-file file] [args...]\n",
                 invocation.called_as.c_str());
    return 1;
  }
  std::vector<std::string> args{"-server"};
  args.insert(args.end(), invocation.args.begin(), invocation.args.end());
  return run(invocation, args);
}

constexpr Command kCommands[] = {
    {"zkCli.sh", "zkcli", zk_cli, "shell of an ensemble: [-server host:port[/chroot]] [cmd args]"},
    {"zookeeper-shell.sh", "zookeeper-shell", zookeeper_shell, "the same: host:port[/chroot] [cmd args]"},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace tandem::tools::shell
