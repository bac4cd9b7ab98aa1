#include "conf/properties.h"

#include <charconv>

namespace tandem::conf {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (code >> 6)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xe0 | (code >> 12)));
    out.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
  }
}

// One logical line: continuations joined, escapes still in place.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  bool next(std::string& line, int& number) {
    line.clear();
    while (!rest_.empty()) {
      std::string_view natural = take_natural();
      while (!natural.empty() && is_blank(natural.front())) natural.remove_prefix(1);
      const bool continuing = !line.empty() || continued_;
      if (!continuing && (natural.empty() || natural.front() == '#' || natural.front() == '!')) continue;
      if (!continuing) number = number_;
      continued_ = ends_in_odd_backslashes(natural);
      line.append(natural.substr(0, natural.size() - (continued_ ? 1 : 0)));
      if (!continued_) return true;
    }
    continued_ = false;
    return !line.empty();
  }

 private:
  std::string_view take_natural() {
    ++number_;
    const auto end = rest_.find_first_of("\r\n");
    const std::string_view line = rest_.substr(0, end);
    if (end == std::string_view::npos) {
      rest_ = {};
    } else {
      const bool pair = rest_[end] == '\r' && end + 1 < rest_.size() && rest_[end + 1] == '\n';
      rest_.remove_prefix(end + (pair ? 2 : 1));
    }
    return line;
  }

  static bool ends_in_odd_backslashes(std::string_view line) {
    const auto last = line.find_last_not_of('\\');
    const std::size_t count = line.size() - (last == std::string_view::npos ? 0 : last + 1);
    return count % 2 == 1;
  }

  std::string_view rest_;
  int number_ = 0;
  bool continued_ = false;
};

// Where the key ends: an unescaped '=', ':' or blank.
std::size_t key_end(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == '=' || line[i] == ':' || is_blank(line[i])) {
      return i;
    }
  }
  return line.size();
}

bool unescape(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    const char c = text[++i];
    if (c != 'u') {
      out.push_back(c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c == 'f' ? '\f' : c);
      continue;
    }
    std::uint32_t code = 0;
    const std::string_view digits = text.substr(i + 1, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (error != std::errc() || end != digits.data() + 4) return false;
    append_utf8(out, code);
    i += 4;
  }
  return true;
}

}  // namespace

std::string where(const Entry& entry) {
  return entry.line == 0 ? entry.source : fmt::format("{} line {}", entry.source, entry.line);
}

Result<std::vector<Entry>> parse_properties(std::string_view text, const std::string& source) {
  std::vector<Entry> entries;
  Lines lines(text);
  std::string line;
  for (int number = 0; lines.next(line, number);) {
    const std::string_view view = line;
    const std::size_t end = key_end(view);
    std::string_view value = view.substr(end);
    while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
    if (!value.empty() && (value.front() == '=' || value.front() == ':')) value.remove_prefix(1);
    while (!value.empty() && is_blank(value.front())) value.remove_prefix(1);
    Entry entry{{}, {}, source, number};
    if (!unescape(view.substr(0, end), entry.key) || !unescape(value, entry.value)) {
      return base::make_error(base::Errc::invalid_argument, "{}: \\u is not followed by four hex digits",
                              where(entry));
    }
    while (!entry.value.empty() && is_blank(entry.value.back())) entry.value.pop_back();
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<Entry> parse_assignment(std::string_view text, const std::string& source) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return base::make_error(base::Errc::invalid_argument, "{}: \"{}\" is not key=value", source, text);
  }
  return Entry{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)), source, 0};
}

std::vector<Entry> parse_jvm_flags(std::string_view text, const std::string& source) {
  std::vector<Entry> entries;
  while (!text.empty()) {
    const auto end = text.find_first_of(" \t\n");
    std::string_view word = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (word.size() >= 2 && word.front() == '"' && word.back() == '"') word = word.substr(1, word.size() - 2);
    if (word.substr(0, 2) != "-D") continue;
    word.remove_prefix(2);
    const auto equals = word.find('=');
    const std::string_view value = equals == std::string_view::npos ? "" : word.substr(equals + 1);
    entries.push_back({std::string(word.substr(0, equals)), std::string(value), source, 0});
  }
  return entries;
}

}  // namespace tandem::conf
