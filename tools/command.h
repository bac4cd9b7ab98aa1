// One row for each command of the multi-call program: its classic name, its subcommand, what runs it.
// Families (shell/, service/, storage/, kafka/) each give one table; commands.cc joins them. `tandem --links`
// prints the classic names, from which a build makes the links of dist/bin.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::tools {

// How a command was called. The environment is read once, by main.
struct Invocation {
  std::string called_as;          // "zkCli.sh" or "zkcli"
  std::vector<std::string> args;  // without the name
  std::string executable;         // absolute path of this program, links resolved
  std::map<std::string, std::string> environment;

  std::optional<std::string> variable(const std::string& name) const;  // nullopt when unset or empty
  std::string home() const;                                            // the directory above bin/
};

struct Command {
  const char* classic;     // name of the link in dist/bin
  const char* subcommand;  // `tandem SUBCOMMAND ...`
  int (*run)(const Invocation&);
  const char* usage;  // one line, without the name
};

std::span<const std::span<const Command>> command_tables();
// By classic name, with or without ".sh", or by subcommand.
const Command* find_command(std::string_view name);
int run_program(std::string_view argv0, Invocation invocation);

}  // namespace tandem::tools
