// The shell of the coordination service: a connection, numbered commands with a history, and Apache's texts.
// Used interactively and for one command; watch events are printed as they come, from the client's thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "tools/shell/verbs.h"
#include "zkclient/blocking.h"

namespace tandem::tools::shell {

struct ShellOptions {
  std::string server = "localhost:2181";
  base::milliseconds timeout{30000};
  bool read_only = false;
  bool wait_for_connection = false;
  std::uint64_t seed = 1;
};

class Shell {
 public:
  explicit Shell(ShellOptions options) : options_(std::move(options)) {}

  base::Status connect(const std::string& server);
  void run_interactive(const std::string& history_file);
  int run_one(const std::vector<std::string>& words);  // the exit code

 private:
  std::string prompt() const;
  std::string remembered(std::size_t number) const;
  std::vector<std::string> complete(const std::string& word);
  void on_event(const zkclient::Event& event);
  void execute(const std::vector<std::string>& words);
  base::Status dispatch(const std::vector<std::string>& words);
  base::Status own_command(const std::vector<std::string>& words);
  base::Status redo(const std::vector<std::string>& words);
  bool alive() const;

  ShellOptions options_;
  std::string server_;
  std::unique_ptr<zkclient::BlockingClient> zk_;
  std::vector<std::string> history_;
  std::atomic<bool> print_watches_{true};
  bool quit_ = false;
  int exit_code_ = 0;
};

}  // namespace tandem::tools::shell
