// Command lines of the load generators: VERB --key value ..., every key with a default. What is wrong on the
// command line ends the program with one sentence and status 1.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::bench {

class Options {
 public:
  explicit Options(std::map<std::string, std::string> defaults) : values_(std::move(defaults)) {}

  // Reads argv from index `first` on; an unknown key ends the program with a sentence.
  void parse(int argc, char** argv, int first);

  const std::string& text(const std::string& key) const;
  long number(const std::string& key) const;
  double real(const std::string& key) const;

 private:
  std::map<std::string, std::string> values_;
};

[[noreturn]] void fail(const std::string& why);
// The server broke its protocol: exit status 3, so that a benchmark never hides it.
[[noreturn]] void broken(const std::string& why);

std::vector<std::string> split(std::string_view text, char separator);

}  // namespace tandem::bench
