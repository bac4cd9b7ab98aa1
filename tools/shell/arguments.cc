#include "tools/shell/arguments.h"

#include <algorithm>
#include <charconv>

namespace tandem::tools::shell {

namespace {

constexpr std::string_view kCommonsCli = "org.apache.commons.cli.";

template <class... Args>
base::Error complaint(const char* exception, fmt::format_string<Args...> format, Args&&... args) {
  return base::make_error(base::Errc::invalid_argument, "{}{}: {}", kCommonsCli, exception,
                          fmt::format(format, std::forward<Args>(args)...));
}

bool is_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

class Parser {
 public:
  explicit Parser(const OptionSet& set) : set_(set) {}

  base::Status take(const std::string& token) {
    if (options_ended_) {
      out_.words.push_back(token);
    } else if (token == "--") {
      options_ended_ = true;
    } else if (open_ != nullptr && is_argument(token)) {
      out_.given[open_->name] = token;
      open_ = nullptr;
    } else if (token.starts_with("-") && token.size() > 1) {
      return option(token);
    } else {
      out_.words.push_back(token);
    }
    return {};
  }

  base::Result<Arguments> finish() {
    if (open_ != nullptr)
      return complaint("MissingArgumentException", "Missing argument for option: {}", open_->name);
    if (set_.one_required && out_.given.empty()) return missing_group();
    return std::move(out_);
  }

 private:
  const Option* find(std::string_view name) const {
    for (const Option& option : set_.options) {
      if (name == option.name) return &option;
    }
    return nullptr;
  }

  bool is_argument(std::string_view token) const {
    if (!token.starts_with("-") || token.size() == 1) return true;
    const std::string_view name = token.substr(1, token.find('=') - 1);
    return is_number(token) || !(find(name) != nullptr || find(name.substr(0, 1)) != nullptr);
  }

  base::Status option(const std::string& token) {
    if (open_ != nullptr)
      return complaint("MissingArgumentException", "Missing argument for option: {}", open_->name);
    const std::string_view text = std::string_view(token).substr(token.starts_with("--") ? 2 : 1);
    if (const Option* whole = find(text)) return set(*whole);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) {
      const Option* named = find(text.substr(0, equals));
      if (named != nullptr && named->has_value) {
        if (auto status = set(*named); !status) return status;
        out_.given[named->name] = text.substr(equals + 1);
        open_ = nullptr;
        return {};
      }
    }
    if (token.starts_with("--"))
      return complaint("UnrecognizedOptionException", "Unrecognized option: {}", token);
    return joined(token, text);
  }

  base::Status joined(const std::string& token, std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const Option* one = find(text.substr(i, 1));
      if (one == nullptr) return complaint("UnrecognizedOptionException", "Unrecognized option: {}", token);
      if (auto status = set(*one); !status) return status;
      if (one->has_value && i + 1 < text.size()) {
        out_.given[one->name] = text.substr(i + 1);
        open_ = nullptr;
        return {};
      }
    }
    return {};
  }

  base::Status set(const Option& option) {
    if (set_.exclusive && !out_.given.empty() && !out_.given.contains(option.name)) {
      return complaint(
          "AlreadySelectedException",
          "The option '{}' was specified but an option from this group has already been selected: '{}'",
          option.name, out_.given.begin()->first);
    }
    out_.given.emplace(option.name, "");
    open_ = option.has_value ? &option : nullptr;
    return {};
  }

  base::Error missing_group() const {
    std::string names;
    for (const Option& option : set_.options)
      names += fmt::format("{}-{} {}", names.empty() ? "" : ", ", option.name, option.description);
    return complaint("MissingOptionException", "Missing required option: [{}]", names);
  }

  const OptionSet& set_;
  Arguments out_;
  const Option* open_ = nullptr;  // still wants its value
  bool options_ended_ = false;
};

}  // namespace

std::vector<std::string> split_words(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\n\r\f\v";
  std::vector<std::string> words;
  for (;;) {
    const auto begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    if (line[0] == '"' || line[0] == '\'') {
      const auto close = line.find(line[0], 1);
      if (close == std::string_view::npos) {
        line.remove_prefix(1);  // a quote without its partner is dropped
        continue;
      }
      words.emplace_back(line.substr(1, close - 1));
      line.remove_prefix(close + 1);
    } else {
      const auto end = line.find_first_of(kBlanks);
      words.emplace_back(line.substr(0, end));
      line.remove_prefix(end == std::string_view::npos ? line.size() : end);
    }
  }
}

std::string Arguments::value(const char* option) const {
  const auto it = given.find(option);
  return it == given.end() ? std::string() : it->second;
}

base::Result<Arguments> parse_arguments(const std::vector<std::string>& words, const OptionSet& set) {
  Parser parser(set);
  for (const std::string& word : words) {
    if (auto status = parser.take(word); !status) return status.error();
  }
  return parser.finish();
}

std::string describe_options(const OptionSet& set) {
  std::vector<Option> sorted(set.options.begin(), set.options.end());
  std::sort(sorted.begin(), sorted.end(), [](const Option& a, const Option& b) {
    return std::string_view(a.name) < std::string_view(b.name);
  });
  const auto left = [](const Option& option) {
    return fmt::format(" -{}{}", option.name, option.has_value ? " <arg>" : "");
  };
  std::size_t width = 0;
  for (const Option& option : sorted) width = std::max(width, left(option).size());
  std::string text;
  for (const Option& option : sorted)
    text += fmt::format("{:<{}}   {}\n", left(option), width, option.description);
  return text;
}

std::optional<std::int64_t> parse_integer(std::string_view text, int base) {
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace tandem::tools::shell
