// Log: where lines go and which levels are on; one per process, owned by main, outliving every Logger.
// Levels are set per module or dotted prefix ("kafka.server" covers kafka.server.KafkaServer), at start or
// live. Outputs: standard output, a file with rotation by size, or lines kept in memory for tests.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "logging/logger.h"

namespace tandem::logging {

// Takes whole lines, newline included; called by one thread at a time. It cannot fail: what cannot be
// written is dropped, a log must not stop a server.
class Output {
 public:
  virtual ~Output() = default;
  virtual void write(std::string_view line) = 0;
};

class DescriptorOutput final : public Output {
 public:
  explicit DescriptorOutput(int fd) : fd_(fd) {}  // not closed
  void write(std::string_view line) override;

 private:
  int fd_;
};

// FILE, and when it would pass bytes_max: FILE -> FILE.1 -> FILE.2 ... the oldest of `backups` removed.
class FileOutput final : public Output {
 public:
  FileOutput(std::string path, std::uint64_t bytes_max, int backups);
  ~FileOutput() override;
  FileOutput(const FileOutput&) = delete;
  FileOutput& operator=(const FileOutput&) = delete;
  bool is_open() const { return fd_ >= 0; }
  void write(std::string_view line) override;

 private:
  void open();
  void rotate();

  std::string path_;
  std::uint64_t bytes_max_;
  int backups_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

class MemoryOutput final : public Output {
 public:
  explicit MemoryOutput(std::vector<std::string>& lines) : lines_(lines) {}
  void write(std::string_view line) override { lines_.emplace_back(line); }

 private:
  std::vector<std::string>& lines_;
};

class Log {
 public:
  Log(std::unique_ptr<Output> output, const base::Clock& clock, Level level = Level::info);

  Logger logger(std::string_view module);
  void set_level(std::string_view module_or_prefix, Level level);  // "" is the root
  std::map<std::string, Level> levels() const;                     // of all modules there are

  void write(const Module& module, Level level, std::string_view message);

 private:
  Level level_of(const std::string& module) const;
  void stamp(std::string& line);  // "[2026-01-01 00:00:00,000] "

  mutable std::mutex mutex_;
  std::unique_ptr<Output> output_;
  const base::Clock& clock_;
  std::map<std::string, Level, std::less<>> rules_;
  std::deque<Module> modules_;  // addresses are stable
  std::map<std::string, Module*, std::less<>> by_name_;
  std::int64_t stamped_second_ = -1;
  std::string stamped_;
  std::string line_;
};

// Appends `text` with every byte outside printable ASCII as \n, \r, \t or \xNN.
void append_escaped(std::string& out, std::string_view text);

}  // namespace tandem::logging
