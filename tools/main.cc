#include <unistd.h>

#include <climits>
#include <csignal>

#include "tools/command.h"

namespace {

std::string own_path() {
  char path[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : std::string("tandem");
}

}  // namespace

int main(int argc, char** argv, char** envp) {
  std::signal(SIGPIPE, SIG_IGN);
  tandem::tools::Invocation invocation;
  invocation.args.assign(argv + (argc > 0 ? 1 : 0), argv + argc);
  invocation.executable = own_path();
  for (char** entry = envp; *entry != nullptr; ++entry) {
    const std::string_view pair = *entry;
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos)
      invocation.environment.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return tandem::tools::run_program(argc > 0 ? argv[0] : "tandem", std::move(invocation));
}
