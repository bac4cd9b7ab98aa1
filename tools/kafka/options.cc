#include "tools/kafka/options.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace tandem::tools::kafka {

namespace {

constexpr std::size_t kNameColumns = 44;

std::string spelled(const Option& option) {
  return option.argument.empty() ? fmt::format("--{}", option.name)
                                 : fmt::format("--{} <{}>", option.name, option.argument);
}

}  // namespace

base::Result<Options> Options::parse(std::span<const Option> table,
                                     const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (!word.starts_with("--"))
      return base::make_error(base::Errc::invalid_argument, "{} is not an option", word);
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    const auto row =
        std::find_if(table.begin(), table.end(), [&](const Option& o) { return o.name == name; });
    if (row == table.end())
      return base::make_error(base::Errc::invalid_argument, "{} is not a recognized option", name);
    Given given{row->name, {}};
    if (!row->argument.empty()) {
      if (equals != std::string::npos) {
        given.value = word.substr(equals + 1);
      } else if (row->argument.starts_with('[') &&
                 (i + 1 == arguments.size() || arguments[i + 1].starts_with("--"))) {
        given.value.clear();
      } else if (i + 1 < arguments.size()) {
        given.value = arguments[++i];
      } else {
        return base::make_error(base::Errc::invalid_argument, "Option {} requires an argument", name);
      }
    }
    options.given_.push_back(std::move(given));
  }
  return options;
}

const Options::Given* Options::find(std::string_view name) const {
  for (auto given = given_.rbegin(); given != given_.rend(); ++given)
    if (given->name == name) return &*given;
  return nullptr;
}

std::optional<std::string> Options::get(std::string_view name) const {
  const Given* given = find(name);
  return given == nullptr ? std::nullopt : std::optional(given->value);
}

std::vector<std::string> Options::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const Given& given : given_)
    if (given.name == name) values.push_back(given.value);
  return values;
}

std::string Options::get_or(std::string_view name, std::string_view otherwise) const {
  return get(name).value_or(std::string(otherwise));
}

base::Result<std::optional<std::int64_t>> Options::number(std::string_view name) const {
  const auto text = get(name);
  if (!text) return std::optional<std::int64_t>();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size())
    return base::make_error(base::Errc::invalid_argument, "Cannot parse argument '{}' of option {}", *text,
                            name);
  return std::optional(value);
}

std::string first_conflict(const Options& options, std::span<const Conflict> conflicts) {
  for (const Conflict& conflict : conflicts) {
    if (!options.has(conflict.option)) continue;
    for (const std::string_view other : conflict.others)
      if (!other.empty() && options.has(other))
        return fmt::format("Option \"[{}]\" can't be used with option \"[{}]\"", conflict.option, other);
  }
  return "";
}

int wrong_usage(std::string_view sentence, std::string_view tool, std::span<const Option> table) {
  fmt::print(stderr, "{}\nUsage: {} OPTIONS\n", sentence, tool);
  for (const Option& option : table)
    fmt::print(stderr, "  {:<{}} {}\n", spelled(option), kNameColumns, option.help);
  return 1;
}

}  // namespace tandem::tools::kafka
