#include "conf/setting.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tandem::conf {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

base::Error invalid(std::string_view text, std::string_view what) {
  return base::make_error(base::Errc::invalid_argument, "\"{}\" is not {}", text, what);
}

std::string join(const std::vector<std::string_view>& words) {
  std::string out;
  for (const auto word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

base::Status check_one_of(std::string_view text, const Options& options) {
  if (options.one_of.empty()) return {};
  for (const auto allowed : options.one_of) {
    if (lower(text) == lower(allowed)) return {};
  }
  return invalid(text, fmt::format("one of {}", join(options.one_of)));
}

std::string number_text(double value) { return fmt::format("{}", static_cast<std::int64_t>(value)); }

template <class T>
base::Status parse_number(std::string_view text, const Options& options, const char* what, T& out) {
  const std::string_view digits = !text.empty() && text.front() == '+' ? text.substr(1) : text;
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range)
    return invalid(text, fmt::format("{}: it is out of range", what));
  if (error != std::errc() || end != digits.data() + digits.size()) return invalid(text, what);
  if (options.min && static_cast<double>(value) < *options.min) {
    return invalid(text, "at least " + number_text(*options.min));
  }
  if (options.max && static_cast<double>(value) > *options.max) {
    return invalid(text, "at most " + number_text(*options.max));
  }
  out = value;
  return {};
}

}  // namespace

namespace fields {

base::Status parse(std::string_view text, const Options& options, bool& out) {
  const std::string word = lower(text);
  const bool yes_no = options.truth == Truth::yes_no;
  if (word != (yes_no ? "yes" : "true") && word != (yes_no ? "no" : "false")) {
    return invalid(text, yes_no ? "yes or no" : "true or false");
  }
  out = word == "yes" || word == "true";
  return {};
}

base::Status parse(std::string_view text, const Options& options, std::int16_t& out) {
  return parse_number(text, options, "a 16-bit number", out);
}
base::Status parse(std::string_view text, const Options& options, std::int32_t& out) {
  return parse_number(text, options, "a 32-bit number", out);
}
base::Status parse(std::string_view text, const Options& options, std::int64_t& out) {
  return parse_number(text, options, "a number", out);
}
base::Status parse(std::string_view text, const Options& options, double& out) {
  return parse_number(text, options, "a number", out);
}

base::Status parse(std::string_view text, const Options& options, std::string& out) {
  if (auto status = check_one_of(text, options); !status) return status;
  out = std::string(text);
  return {};
}

base::Status parse(std::string_view text, const Options& options, std::vector<std::string>& out) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto comma = text.find(',');
    std::string_view word = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    if (word.empty()) continue;
    if (auto status = check_one_of(word, options); !status) return status;
    words.emplace_back(word);
  }
  out = std::move(words);
  return {};
}

std::string print(bool value, const Options& options) {
  if (options.truth == Truth::yes_no) return value ? "yes" : "no";
  return value ? "true" : "false";
}
std::string print(std::int16_t value, const Options&) { return fmt::format("{}", value); }
std::string print(std::int32_t value, const Options&) { return fmt::format("{}", value); }
std::string print(std::int64_t value, const Options&) { return fmt::format("{}", value); }

// As Java's Double.toString: 0.5, 1.0, 1.7976931348623157E308.
std::string print(double value, const Options&) {
  std::string text = fmt::format("{}", value);
  if (const auto e = text.find("e+"); e != std::string::npos)
    return text.substr(0, e) + "E" + text.substr(e + 2);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string print(const std::string& value, const Options&) { return value; }

std::string print(const std::vector<std::string>& value, const Options&) {
  std::string out;
  for (const auto& word : value) out.append(out.empty() ? "" : ",").append(word);
  return out;
}

}  // namespace fields

Setting recognised(std::string_view key, Type type, std::string_view default_text, Options options) {
  Field field;
  field.type = type;
  field.set = [type](void*, std::string_view text, const Options& rules) -> base::Status {
    bool flag = false;
    std::int64_t number = 0;
    double real = 0;
    switch (type) {
      case Type::boolean:
        return fields::parse(text, rules, flag);
      case Type::int16:
      case Type::int32:
      case Type::int64:
        return fields::parse(text, rules, number);
      case Type::float64:
        return fields::parse(text, rules, real);
      case Type::string:
      case Type::list:
      case Type::name_of_class:
      case Type::password:
        return {};
    }
    UNREACHABLE("type {}", static_cast<int>(type));
  };
  field.get = [default_text](const void*, const Options&) -> std::optional<std::string> {
    if (default_text.data() == nullptr) return std::nullopt;
    return std::string(default_text);
  };
  return Setting{key, std::move(options), std::move(field)};
}

}  // namespace tandem::conf
