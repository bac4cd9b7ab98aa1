#include "tools/shell/shell.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "tools/shell/line_editor.h"
#include "tools/shell/print.h"
#include "zksession/connect_string.h"

namespace tandem::tools::shell {

namespace {

using base::Errc;
using base::make_error;
using base::Status;
using zkclient::State;

constexpr base::milliseconds kFirstPromptWait{1000};
constexpr std::size_t kHistoryShown = 10;
constexpr int kNoSuchCommand = 127;  // exit codes are those of Apache's shell

// Commands that work without a server, with their syntax.
constexpr std::pair<const char*, const char*> kOwnCommands[] = {{"close", ""},   {"connect", "host:port"},
                                                                {"history", ""}, {"printwatches", "on|off"},
                                                                {"quit", ""},    {"redo", "cmdno"}};

std::map<std::string, std::string> all_commands() {
  std::map<std::string, std::string> commands(std::begin(kOwnCommands), std::end(kOwnCommands));
  for (const auto verbs : {node_verbs(), acl_verbs(), quota_verbs(), watch_verbs()}) {
    for (const Verb& verb : verbs) commands.emplace(verb.name, verb.syntax);
  }
  return commands;
}

void print_usage() {
  note("ZooKeeper -server host:port -client-configuration properties-file cmd args");
  for (const auto& [name, syntax] : all_commands()) note("\t" + name + " " + syntax);
}

}  // namespace

Status Shell::connect(const std::string& server) {
  auto parsed = zksession::parse_connect_string(server);
  if (!parsed) return parsed.error();
  zk_.reset();
  server_ = server;
  zkclient::Options options;
  options.session.servers = std::move(*parsed);
  options.session.session_timeout = options_.timeout;
  options.session.read_only = options_.read_only;
  options.seed = options_.seed;
  zkclient::Callbacks callbacks;
  callbacks.on_event = [this](const zkclient::Event& event) { on_event(event); };
  zk_ = std::make_unique<zkclient::BlockingClient>(std::move(options), std::move(callbacks));
  if (options_.wait_for_connection && !zk_->wait_connected(options_.timeout))
    return make_error(Errc::unavailable, "{}", jute::keeper_message(jute::ErrorCode::connection_loss));
  return {};
}

void Shell::on_event(const zkclient::Event& event) {
  if (print_watches_) put("\nWATCHER::\n\n" + event_text(event) + "\n");
}

bool Shell::alive() const {
  if (!zk_) return false;
  const State state = zk_->state();
  return state != State::closed && state != State::expired && state != State::auth_failed;
}

std::string Shell::prompt() const {
  return fmt::format("[zk: {}({}) {}] ", server_, zk_ ? to_string(zk_->state()) : "CLOSED", history_.size());
}

void Shell::run_interactive(const std::string& history_file) {
  put("Welcome to ZooKeeper!\nJLine support is enabled\n");
  if (zk_) zk_->wait_connected(kFirstPromptWait);
  LineEditor editor(history_file, [this](const std::string& word) { return complete(word); });
  while (!quit_) {
    const auto line = editor.read(prompt());
    if (!line) break;
    if (line->empty()) continue;
    history_.push_back(*line);  // while it runs it is the last one
    const std::size_t number = history_.size() - 1;
    execute(split_words(*line));
    history_.resize(number + 1);
  }
  if (zk_ && !quit_) zk_->leave_session();
  zk_.reset();
}

int Shell::run_one(const std::vector<std::string>& words) {
  execute(words);
  if (zk_ && !quit_) zk_->leave_session();
  zk_.reset();
  return exit_code_;
}

void Shell::execute(const std::vector<std::string>& words) {
  const Status status = dispatch(words);
  exit_code_ = status ? 0 : status.error().code == Errc::unsupported ? kNoSuchCommand : 1;
  if (!status) note(status.error().context);
}

Status Shell::dispatch(const std::vector<std::string>& words) {
  if (words.empty()) {
    print_usage();
    return make_error(Errc::invalid_argument, "No command entered");
  }
  const Verb* verb = find_verb(words[0]);
  if (verb == nullptr) return own_command(words);
  if (!alive()) {
    put("Not connected\n");
    return {};
  }
  const auto arguments = parse_arguments(words, verb->options);
  if (!arguments) return arguments.error();
  if (std::string_view(verb->name) == "ls" && arguments->has("?"))
    put("usage: ls [options] path\n" + describe_options(verb->options));
  if (arguments->words.size() < verb->words_min) return base::Error{Errc::invalid_argument, usage_of(*verb)};
  return verb->run(*zk_, *arguments);
}

Status Shell::own_command(const std::vector<std::string>& words) {
  const std::string& name = words[0];
  if (name == "quit") {
    quit_ = true;
    if (zk_) zk_->close();
  } else if (name == "redo") {
    if (words.size() >= 2) return redo(words);
  } else if (name == "history") {
    const std::size_t last = history_.empty() ? 0 : history_.size() - 1;
    for (std::size_t i = last < kHistoryShown ? 0 : last - kHistoryShown; i <= last; ++i)
      put(fmt::format("{} - {}\n", i, remembered(i)));
  } else if (name == "printwatches") {
    if (words.size() == 1) put(fmt::format("printwatches is {}\n", print_watches_ ? "on" : "off"));
    if (words.size() > 1) print_watches_ = words[1] == "on";
  } else if (name == "connect") {
    return connect(words.size() >= 2 ? words[1] : server_);
  } else if (name == "close") {
    if (!alive()) {
      put("Not connected\n");
    } else {
      zk_->close();
    }
  } else {
    print_usage();
    return make_error(Errc::unsupported, "Command not found: Command not found {}", name);
  }
  return {};
}

std::string Shell::remembered(std::size_t number) const {
  return number < history_.size() ? history_[number] : "null";
}

Status Shell::redo(const std::vector<std::string>& words) {
  const auto number = parse_integer(words[1]);
  if (!number) return make_error(Errc::invalid_argument, "'{}' is not the number of a command", words[1]);
  if (*number < 0 || history_.empty() || static_cast<std::size_t>(*number) >= history_.size() - 1)
    return make_error(Errc::invalid_argument, "Command index out of range");
  const std::string line = history_[static_cast<std::size_t>(*number)];
  const auto again = split_words(line);
  if (!again.empty() && again[0] == "redo") return make_error(Errc::invalid_argument, "No redoing redos");
  history_.back() = line;
  return dispatch(again);
}

std::vector<std::string> Shell::complete(const std::string& word) {
  std::vector<std::string> found;
  if (!word.starts_with('/')) {
    for (const auto& [name, syntax] : all_commands()) {
      if (name.starts_with(word)) found.push_back(name);
    }
    return found;
  }
  if (!alive()) return found;
  const auto slash = word.rfind('/');
  const std::string directory = slash == 0 ? "/" : word.substr(0, slash);
  const auto result = zk_->call(zkclient::Op::get_children(directory));
  for (const std::string& child : result.children) {
    if (child.starts_with(word.substr(slash + 1)))
      found.push_back((slash == 0 ? "/" : directory + "/") + child);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace tandem::tools::shell
