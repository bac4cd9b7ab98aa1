#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "tests/transcript/transcript.h"

namespace tandem::transcript {
namespace {

using std::chrono::milliseconds;

bool is_option(std::string_view word) {
  const auto equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 && word.find_first_of("{\"/") > equals;
}

milliseconds time_of(std::string_view text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto unit = text.substr(digits);
  static constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  for (const auto& [name, factor] : kUnits) {
    if (unit == name) return milliseconds(number_of(text.substr(0, digits)) * factor);
  }
  throw Fault(fmt::format("'{}' is not a time such as 250ms, 6s, 10m, 2h or 7d", text));
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::int64_t number_of(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Fault(fmt::format("'{}' is not a number", text));
  }
  return out;
}

std::vector<std::int32_t> numbers_of(std::string_view text) {
  std::vector<std::int32_t> out;
  for (const auto& part : split(text, ',')) out.push_back(static_cast<std::int32_t>(number_of(part)));
  return out;
}

Command::Command(std::string_view line) : line_(line) {
  for (std::size_t at = 0; at < line.size();) {
    const auto begin = line.find_first_not_of(' ', at);
    if (begin == std::string_view::npos) break;
    const auto end = std::min(line.find(' ', begin), line.size());
    const auto word = line.substr(begin, end - begin);
    at = end;
    if (verb_.empty()) {
      verb_ = word;
    } else if (is_option(word)) {
      const auto equals = word.find('=');
      options_.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    } else {
      words_.emplace_back(word);
      starts_.push_back(begin);
    }
  }
}

const std::string& Command::word(std::size_t at) const {
  if (at >= words_.size()) throw Fault(fmt::format("'{}' takes more than {} words", verb_, words_.size()));
  words_seen_ = std::max(words_seen_, at + 1);
  return words_[at];
}

std::int64_t Command::number(std::size_t at) const { return number_of(word(at)); }

milliseconds Command::time(std::size_t at) const { return time_of(word(at)); }

std::vector<std::string> Command::words() const {
  words_seen_ = words_.size();
  return words_;
}

std::string Command::text(std::size_t at) const {
  (void)word(at);
  words_seen_ = words_.size();
  return line_.substr(starts_[at]);
}

const std::vector<std::pair<std::string, std::string>>& Command::options() const {
  for (const auto& [key, value] : options_) seen_.insert(key);
  return options_;
}

std::string Command::option(const std::string& key, std::string_view otherwise) const {
  seen_.insert(key);
  for (const auto& [name, value] : options_) {
    if (name == key) return value;
  }
  return std::string(otherwise);
}

std::int64_t Command::option(const std::string& key, std::int64_t otherwise) const {
  const auto value = option(key, "");
  return value.empty() ? otherwise : number_of(value);
}

milliseconds Command::option(const std::string& key, milliseconds otherwise) const {
  const auto value = option(key, "");
  return value.empty() ? otherwise : time_of(value);
}

void Command::check_all_asked_for() const {
  if (words_seen_ < words_.size()) {
    throw Fault(fmt::format("'{}' does not know what to do with '{}'", verb_, words_[words_seen_]));
  }
  for (const auto& [key, value] : options_) {
    if (!seen_.contains(key)) throw Fault(fmt::format("'{}' knows no option '{}'", verb_, key));
  }
}

void World::perform(const Command& command) {
  const auto found = verbs_.find(command.verb());
  if (found == verbs_.end()) {
    std::string known;
    for (const auto& [verb, handler] : verbs_) known += " " + verb;
    throw Fault(fmt::format("'{}' is no verb here; there are{}", command.verb(), known));
  }
  found->second(command);
  command.check_all_asked_for();
}

}  // namespace tandem::transcript
