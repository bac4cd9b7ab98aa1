#include "tests/bench/options.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace tandem::bench {

void fail(const std::string& why) {
  std::fprintf(stderr, "bench: %s\n", why.c_str());
  std::exit(1);
}

void broken(const std::string& why) {
  std::fprintf(stderr, "bench: PROTOCOL: %s\n", why.c_str());
  std::exit(3);
}

void Options::parse(int argc, char** argv, int first) {
  for (int i = first; i < argc; i += 2) {
    const std::string key = argv[i];
    if (!key.starts_with("--") || i + 1 >= argc || !values_.contains(key.substr(2)))
      fail("bad option " + key);
    values_[key.substr(2)] = argv[i + 1];
  }
}

namespace {

template <class T>
T parse_number(const std::string& key, const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    fail("--" + key + " is not a number: " + text);
  return value;
}

}  // namespace

const std::string& Options::text(const std::string& key) const { return values_.at(key); }

long Options::number(const std::string& key) const { return parse_number<long>(key, text(key)); }
double Options::real(const std::string& key) const { return parse_number<double>(key, text(key)); }

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace tandem::bench
