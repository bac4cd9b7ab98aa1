#include "logging/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace tandem::logging {

namespace {

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c >= 0x20 && c < 0x7f) {
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
}

void DescriptorOutput::write(std::string_view line) { write_all(fd_, line); }

FileOutput::FileOutput(std::string path, std::uint64_t bytes_max, int backups)
    : path_(std::move(path)), bytes_max_(bytes_max), backups_(backups) {
  open();
}

FileOutput::~FileOutput() {
  if (fd_ >= 0) ::close(fd_);
}

void FileOutput::open() {
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  struct stat info {};
  size_ = fd_ >= 0 && ::fstat(fd_, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

void FileOutput::rotate() {
  ::close(fd_);
  const auto backup = [this](int n) { return fmt::format("{}.{}", path_, n); };
  for (int n = backups_ - 1; n >= 1; --n) ::rename(backup(n).c_str(), backup(n + 1).c_str());
  if (backups_ > 0) {
    ::rename(path_.c_str(), backup(1).c_str());
  } else {
    ::unlink(path_.c_str());
  }
  open();
}

void FileOutput::write(std::string_view line) {
  if (fd_ >= 0 && size_ > 0 && size_ + line.size() > bytes_max_) rotate();
  if (fd_ < 0) return;
  write_all(fd_, line);
  size_ += line.size();
}

Log::Log(std::unique_ptr<Output> output, const base::Clock& clock, Level level)
    : output_(std::move(output)), clock_(clock) {
  rules_[""] = level;
}

Logger Log::logger(std::string_view module) {
  const std::lock_guard lock(mutex_);
  const auto it = by_name_.find(module);
  if (it != by_name_.end()) return Logger(it->second);
  std::string name(module);
  const Level level = level_of(name);
  Module& made = modules_.emplace_back(this, name, level);
  by_name_.emplace(std::move(name), &made);
  return Logger(&made);
}

// The rule of the longest dotted prefix.
Level Log::level_of(const std::string& module) const {
  for (std::string_view prefix = module;;) {
    if (const auto it = rules_.find(prefix); it != rules_.end()) return it->second;
    const auto dot = prefix.rfind('.');
    prefix = dot == std::string_view::npos ? std::string_view() : prefix.substr(0, dot);
  }
}

void Log::set_level(std::string_view module_or_prefix, Level level) {
  const std::lock_guard lock(mutex_);
  rules_.insert_or_assign(std::string(module_or_prefix), level);
  for (Module& module : modules_) module.level.store(level_of(module.name), std::memory_order_relaxed);
}

std::map<std::string, Level> Log::levels() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, Level> out;
  for (const Module& module : modules_) out.emplace(module.name, module.level.load());
  return out;
}

void Log::stamp(std::string& line) {
  const std::int64_t ms = clock_.wall().ms;
  if (const std::int64_t second = ms / 1000; second != stamped_second_) {
    stamped_second_ = second;
    const auto time = static_cast<time_t>(second);
    struct tm local {};
    ::localtime_r(&time, &local);
    stamped_ = fmt::format("[{:04}-{:02}-{:02} {:02}:{:02}:{:02},", local.tm_year + 1900, local.tm_mon + 1,
                           local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
  }
  fmt::format_to(std::back_inserter(line), "{}{:03}] ", stamped_, ms % 1000);
}

void Log::write(const Module& module, Level level, std::string_view message) {
  const std::lock_guard lock(mutex_);
  line_.clear();
  stamp(line_);
  line_ += to_string(level);
  line_ += ' ';
  append_escaped(line_, message);
  line_ += " (";
  line_ += module.name;
  line_ += ")\n";
  output_->write(line_);
}

}  // namespace tandem::logging
