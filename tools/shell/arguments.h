// Command lines of the shell: words with quotes as Apache's shell cuts them, and options with the rules and
// the complaints of Commons CLI's DefaultParser (options anywhere, -sw joined, -v3 glued, negative numbers as
// values).
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::tools::shell {

std::vector<std::string> split_words(std::string_view line);

struct Option {
  const char* name;  // without the dash
  bool has_value = false;
  const char* description = "";
};

struct OptionSet {
  std::span<const Option> options;
  bool one_required = false;  // at least one of them
  bool exclusive = false;     // at most one of them
};

struct Arguments {
  std::vector<std::string> words;  // the first is the command itself
  std::map<std::string, std::string> given;

  bool has(const char* option) const { return given.contains(option); }
  std::string value(const char* option) const;
};

base::Result<Arguments> parse_arguments(const std::vector<std::string>& words, const OptionSet& set);

// The option lines of a usage text, sorted, as Commons CLI's HelpFormatter lays them out.
std::string describe_options(const OptionSet& set);

std::optional<std::int64_t> parse_integer(std::string_view text, int base = 10);

}  // namespace tandem::tools::shell
