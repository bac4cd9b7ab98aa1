#include "tools/service/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tandem::tools::service {

namespace {

using base::Errc;
using base::make_error;

constexpr base::milliseconds kPollPeriod{20};

std::vector<char*> pointers(const std::vector<std::string>& argv) {
  std::vector<char*> out;
  for (const std::string& word : argv) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

// In the child: only calls that are safe between fork and exec.
[[noreturn]] void become(char* const* argv, int output) {
  ::setsid();
  const int input = ::open("/dev/null", O_RDONLY);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::signal(SIGPIPE, SIG_DFL);
  ::execv(argv[0], argv);
  ::_exit(127);
}

char state_of(pid_t pid) {
  const std::string stat = read_file(fmt::format("/proc/{}/stat", pid));
  const auto name_end = stat.rfind(')');
  return name_end == std::string::npos || name_end + 2 >= stat.size() ? 'X' : stat[name_end + 2];
}

}  // namespace

base::Error run_in_place(const Program& program) {
  ::signal(SIGPIPE, SIG_DFL);
  const auto argv = pointers(program.argv);
  ::execv(argv[0], argv.data());
  return make_error(Errc::io, "cannot run {}: {}", program.argv[0], std::strerror(errno));
}

base::Result<pid_t> run_in_background(const Program& program) {
  if (::access(program.argv[0].c_str(), X_OK) != 0)
    return make_error(Errc::io, "cannot run {}: {}", program.argv[0], std::strerror(errno));
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(program.output).parent_path(), ignored);
  const int output = ::open(program.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (output < 0) return make_error(Errc::io, "cannot write {}: {}", program.output, std::strerror(errno));
  const auto argv = pointers(program.argv);
  const pid_t pid = ::fork();
  if (pid == 0) become(argv.data(), output);
  ::close(output);
  if (pid < 0) return make_error(Errc::io, "cannot fork: {}", std::strerror(errno));
  return pid;
}

bool is_alive(pid_t pid) {
  if (pid <= 0 || (::kill(pid, 0) != 0 && errno != EPERM)) return false;
  const char state = state_of(pid);
  return state != 'Z' && state != 'X';
}

bool wait_gone(pid_t pid, base::milliseconds timeout, const std::function<bool()>& ready) {
  const int watched = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  const base::SystemClock clock;
  const base::Instant end = clock.now() + timeout;
  bool gone = !is_alive(pid);
  while (!gone && clock.now() < end && !(ready && ready())) {
    pollfd event{watched, POLLIN, 0};
    ::poll(&event, watched < 0 ? 0 : 1, static_cast<int>(kPollPeriod.count()));
    gone = !is_alive(pid);
  }
  if (watched >= 0) ::close(watched);
  return gone;
}

std::vector<pid_t> processes_running(const std::string& path) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    struct stat owner {};
    if (::stat(entry.path().c_str(), &owner) != 0 || owner.st_uid != ::getuid()) continue;
    std::error_code gone;
    std::string running = std::filesystem::read_symlink(entry.path() / "exe", gone);
    constexpr std::string_view kReplaced = " (deleted)";  // the file was replaced by a newer one
    if (running.ends_with(kReplaced)) running.resize(running.size() - kReplaced.size());
    const pid_t pid = static_cast<pid_t>(std::strtol(name.c_str(), nullptr, 10));
    if (!gone && running == path && is_alive(pid)) found.push_back(pid);
  }
  return found;
}

std::string server_binary(const std::string& executable, const std::string& name) {
  const std::filesystem::path directory = std::filesystem::path(executable).parent_path();
  const std::string column = name == "tandem-coord" ? "coord" : "broker";
  std::filesystem::path path = directory / name;
  if (!std::filesystem::exists(path)) path = directory.parent_path() / column / name;
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  return error ? path.string() : real.string();
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

base::Status write_file(const std::string& path, std::string_view text) {
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text << std::flush;
  if (!file) return make_error(Errc::io, "cannot write {}: {}", path, std::strerror(errno));
  return {};
}

}  // namespace tandem::tools::service
