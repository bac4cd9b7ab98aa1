// Command-line options of a tool as a table of rows. Accepts "--name value", "--name=value" and repeated
// options, like the parser of Apache's tools; a wrong usage is one sentence, the usage, and exit code 1.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::tools::kafka {

struct Option {
  std::string_view name;      // without dashes
  std::string_view argument;  // what the value is called; empty: a flag; in [brackets]: may be left out
  std::string_view help;
};

class Options {
 public:
  // `purpose` opens the usage. The table must outlive the object.
  static base::Result<Options> parse(std::span<const Option> table,
                                     const std::vector<std::string>& arguments);

  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::optional<std::string> get(std::string_view name) const;  // the last one given
  std::vector<std::string> all(std::string_view name) const;
  std::string get_or(std::string_view name, std::string_view otherwise) const;
  base::Result<std::optional<std::int64_t>> number(std::string_view name) const;

 private:
  struct Given {
    std::string_view name;
    std::string value;
  };
  const Given* find(std::string_view name) const;

  std::vector<Given> given_;
};

// An option and those that may not stand beside it.
struct Conflict {
  std::string_view option;
  std::array<std::string_view, 5> others;  // those left empty are none
};
// The sentence about the first pair that is there, as Apache's tools say it; empty when there is none.
std::string first_conflict(const Options& options, std::span<const Conflict> conflicts);

// Prints the sentence and the usage on standard error; returns 1.
int wrong_usage(std::string_view sentence, std::string_view tool, std::span<const Option> table);

inline constexpr Option kBootstrapServer{"bootstrap-server", "host:port", "The brokers to connect to first."};
inline constexpr Option kCommandConfig{"command-config", "file", "A file of client properties."};
inline constexpr Option kHelp{"help", "", "Print this."};
inline constexpr Option kVersion{"version", "", "Print the version."};

}  // namespace tandem::tools::kafka
