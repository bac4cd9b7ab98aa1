#include <cstdio>

#include "tools/command.h"
#include "tools/kafka/commands.h"
#include "tools/service/commands.h"
#include "tools/shell/commands.h"
#include "tools/storage/commands.h"

namespace tandem::tools {

namespace {

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view without_sh(std::string_view name) {
  return name.ends_with(".sh") ? name.substr(0, name.size() - 3) : name;
}

void print_usage(std::FILE* out) {
  std::fputs("usage: tandem COMMAND [ARGUMENTS], or a link to this program named after the command\n\n", out);
  for (const auto table : command_tables()) {
    for (const Command& command : table)
      std::fprintf(out, "  %-24s %-36s %s\n", command.subcommand, command.classic, command.usage);
  }
}

void print_links() {
  for (const auto table : command_tables()) {
    for (const Command& command : table) std::puts(command.classic);
  }
}

}  // namespace

std::optional<std::string> Invocation::variable(const std::string& name) const {
  const auto it = environment.find(name);
  if (it == environment.end() || it->second.empty()) return std::nullopt;
  return it->second;
}

std::string Invocation::home() const {
  const std::string bin = executable.substr(0, executable.rfind('/'));
  const auto slash = bin.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : bin.substr(0, slash);
}

std::span<const std::span<const Command>> command_tables() {
  static const std::span<const Command> tables[] = {
      shell::commands(),
      service::commands(),
      storage::commands(),
      kafka::commands(),
  };
  return tables;
}

const Command* find_command(std::string_view name) {
  for (const auto table : command_tables()) {
    for (const Command& command : table) {
      if (name == command.subcommand || without_sh(name) == without_sh(command.classic)) return &command;
    }
  }
  return nullptr;
}

int run_program(std::string_view argv0, Invocation invocation) {
  const Command* command = find_command(base_name(argv0));
  invocation.called_as = base_name(argv0);
  if (command == nullptr) {
    if (invocation.args.empty()) {
      print_usage(stderr);
      return 2;
    }
    invocation.called_as = invocation.args.front();
    invocation.args.erase(invocation.args.begin());
    if (invocation.called_as == "--links") return print_links(), 0;
    if (invocation.called_as == "--help" || invocation.called_as == "help") return print_usage(stdout), 0;
    command = find_command(invocation.called_as);
  }
  if (command == nullptr) {
    std::fprintf(stderr, "tandem: no command '%s'\n", invocation.called_as.c_str());
    print_usage(stderr);
    return 2;
  }
  return command->run(invocation);
}

}  // namespace tandem::tools
