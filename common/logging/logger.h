// Logger: a small value that a component gets by constructor and writes its events to, one line each:
//   [2026-01-01 00:00:00,000] INFO message (module)
// Formats are checked at compile time, arguments are formatted only when the level is enabled, and every
// byte of the message that is not printable ASCII is escaped, so that a peer cannot forge a line.
// A default Logger discards. It must not outlive the Log (log.h) that made it. Safe from any thread.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <string>
#include <string_view>

namespace tandem::logging {

enum class Level { trace, debug, info, warn, error, fatal, off };

const char* to_string(Level level);                     // "INFO"
bool parse_level(std::string_view text, Level& level);  // any case; log4j's names, ALL and WARNING too

class Log;

// One module of a Log: its name and the level in force.
struct Module {
  Module(Log* owner, std::string module, Level initial)
      : log(owner), name(std::move(module)), level(initial) {}

  Log* log;
  std::string name;
  std::atomic<Level> level;
};

class Logger {
 public:
  Logger() = default;
  explicit Logger(const Module* module) : module_(module) {}

  bool enabled(Level level) const {
    return module_ != nullptr && level >= module_->level.load(std::memory_order_relaxed);
  }
  // Another module of the same log.
  Logger named(std::string_view module) const;

  template <class... Args>
  void trace(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(Level::trace)) write(Level::trace, format, fmt::make_format_args(args...));
  }
  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(Level::debug)) write(Level::debug, format, fmt::make_format_args(args...));
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(Level::info)) write(Level::info, format, fmt::make_format_args(args...));
  }
  template <class... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(Level::warn)) write(Level::warn, format, fmt::make_format_args(args...));
  }
  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(Level::error)) write(Level::error, format, fmt::make_format_args(args...));
  }
  template <class... Args>
  void fatal(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(Level::fatal)) write(Level::fatal, format, fmt::make_format_args(args...));
  }

 private:
  void write(Level level, fmt::string_view format, fmt::format_args args) const;

  const Module* module_ = nullptr;
};

}  // namespace tandem::logging
