// Processes for the start and stop commands: start in background or in place, liveness, end, and finding the
// servers of this installation by the file they run. All waits are bounded.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace tandem::tools::service {

struct Program {
  std::vector<std::string> argv;  // argv[0] is the path
  std::string output;             // file for stdout and stderr of a background process
};

// Replaces this process; returns only to say why it could not.
base::Error run_in_place(const Program& program);
// In a session of its own, without terminal, output appended to the file.
base::Result<pid_t> run_in_background(const Program& program);

bool is_alive(pid_t pid);  // not so for a zombie
// True when the process is gone within the time; `ready` may end the wait earlier, with false.
bool wait_gone(pid_t pid, base::milliseconds timeout, const std::function<bool()>& ready = nullptr);

// Processes of this user whose executable is `path`.
std::vector<pid_t> processes_running(const std::string& path);

// `name` beside this program, or in the build directory that it lies in.
std::string server_binary(const std::string& executable, const std::string& name);

std::string read_file(const std::string& path);  // "" when it cannot be read
base::Status write_file(const std::string& path, std::string_view text);

}  // namespace tandem::tools::service
