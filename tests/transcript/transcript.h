// Transcripts: what a core does, as a text that is read like a story and checked by the machine. A script is
// a file of blocks, separated by blank lines: comments (#), commands, `----`, and what the commands print.
//
//     # A leader that dies is replaced from the ISR.
//     kill 1
//     ----
//     0: set /brokers/topics/t/partitions/0/state {...} v=0
//
// A World holds a core and gives its verbs; each script starts with a new one. The program of a folder runs
// the scripts that it is given; with --rewrite it writes what was printed into them, and the diff is the
// review.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tandem::transcript {

// A command that cannot be performed as it is written. It fails the script, wherever it is thrown.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// `verb word word key=value`. What a verb does not ask for is a fault, so that a misspelt key is seen.
class Command {
 public:
  explicit Command(std::string_view line);

  const std::string& verb() const { return verb_; }
  std::size_t size() const { return words_.size(); }  // of the words, without verb and options
  const std::string& word(std::size_t at) const;
  std::int64_t number(std::size_t at) const;
  std::chrono::milliseconds time(std::size_t at) const;  // 250ms, 6s, 10m, 7d
  std::vector<std::string> words() const;                // all of them
  std::string text(
      std::size_t at) const;  // the line from that word on, as it stands: JSON, names with blanks

  std::string option(const std::string& key, std::string_view otherwise) const;
  std::int64_t option(const std::string& key, std::int64_t otherwise) const;
  std::chrono::milliseconds option(const std::string& key, std::chrono::milliseconds otherwise) const;
  const std::vector<std::pair<std::string, std::string>>& options() const;  // all of them, in order

  void check_all_asked_for() const;

 private:
  std::string verb_;
  std::string line_;
  std::vector<std::string> words_;
  std::vector<std::size_t> starts_;  // of the words in the line
  std::vector<std::pair<std::string, std::string>> options_;
  mutable std::set<std::string> seen_;
  mutable std::size_t words_seen_ = 0;
};

std::vector<std::string> split(std::string_view text, char separator);  // of an empty text: nothing
std::int64_t number_of(std::string_view text);
std::vector<std::int32_t> numbers_of(std::string_view text);  // "1,2,0"

class World {
 public:
  using Verb = std::function<void(const Command&)>;

  virtual ~World() = default;
  void perform(const Command& command);
  std::vector<std::string> take_output() { return std::exchange(output_, {}); }

 protected:
  void on(const std::string& verb, Verb handler) { verbs_[verb] = std::move(handler); }
  void say(std::string line) { output_.push_back(std::move(line)); }

 private:
  std::map<std::string, Verb> verbs_;
  std::vector<std::string> output_;
};

// ---- scripts ----
struct Block {
  std::size_t line = 0;               // of the first command
  std::vector<std::string> head;      // comments and blank lines before it, verbatim
  std::vector<std::string> commands;  // empty: what stands at the end of the file
  std::vector<std::string> expected;
  bool operator==(const Block&) const = default;
};
std::vector<Block> parse(std::string_view text);
std::string format(const std::vector<Block>& blocks);

struct Outcome {
  std::vector<Block> blocks;          // with what was printed in place of what was expected
  std::vector<std::string> failures;  // one text for each block that printed something else
  std::string fault;                  // a command that could not be performed ended the run
};
Outcome run(const std::vector<Block>& blocks, World& world);

using MakeWorld = std::function<std::unique_ptr<World>()>;
// PROGRAM [--rewrite] SCRIPT...; the last line counts the scripts.
int run_main(int argc, char** argv, const MakeWorld& make_world);

}  // namespace tandem::transcript
