#include <doctest/doctest.h>

#include <set>
#include <string>

#include "tools/command.h"

namespace tandem::tools {

TEST_CASE("every name of a command is its own") {
  std::set<std::string> names;
  for (const auto table : command_tables()) {
    for (const Command& command : table) {
      CHECK(names.insert(command.classic).second);
      CHECK(names.insert(command.subcommand).second);
      CHECK_EQ(find_command(command.classic), &command);
      CHECK_EQ(find_command(command.subcommand), &command);
    }
  }
}

TEST_CASE("the installation is above the folder of the program") {
  Invocation invocation;
  invocation.executable = "/opt/tandem/bin/tandem";
  CHECK_EQ(invocation.home(), "/opt/tandem");
}

}  // namespace tandem::tools
