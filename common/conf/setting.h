// Setting: one typed key of a configuration. A row names the member of a Config struct that it fills, what
// values are valid, whether it may change while running, and one sentence of documentation; parser, printers,
// docs and DescribeConfigs follow from the rows. The default is the member's initialiser.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::conf {

// Kafka's names of types are printed from these.
enum class Type { boolean, string, int16, int32, int64, float64, list, name_of_class, password };

enum class Change {
  at_start,
  live,             // cluster-wide or per server
  live_per_server,  // only per server
};

enum class State {
  acts,
  accepted,  // valid, but what it sets is not here yet: named in a warning when it differs from the default
  retired,   // of older versions; ignored with a warning
};

// How a truth value is written; both are read in any case.
enum class Truth { true_false, yes_no };

struct Options {
  std::string_view doc = {};
  std::vector<std::string_view> aliases = {};  // older spellings, read as well
  std::string_view property = {};              // the Java system property that sets it, where there is one
  std::optional<double> min = {};
  std::optional<double> max = {};
  std::vector<std::string_view> one_of = {};  // allowed strings (of each element for a list), in any case
  Change change = Change::at_start;
  State state = State::acts;
  Truth truth = Truth::true_false;
  bool sensitive = false;
  std::optional<Type> type = {};  // where the member's type does not tell (class names, passwords)
  std::vector<std::string_view> synonyms =
      {};  // broker keys that give a topic key its default, first one set wins
  // Says why a value that parses is refused, in words that follow "key: "; nullopt accepts it.
  std::function<std::optional<std::string>(std::string_view value)> refuse = {};
};

// The type-erased access to the member; made by the functions of table.h.
struct Field {
  Type type = Type::string;
  std::function<base::Status(void* config, std::string_view value, const Options& options)> set;
  std::function<std::optional<std::string>(const void* config, const Options& options)> get;  // nullopt: null
};

struct Setting {
  std::string_view key;  // "server.*" for a family of keys
  Options options;
  Field field;

  bool is_family() const { return key.size() >= 2 && key.substr(key.size() - 2) == ".*"; }
  Type type() const { return options.type.value_or(field.type); }
};

// Fields by member type. `suffix` families fill a map from what follows the dot to the value.
namespace fields {
base::Status parse(std::string_view text, const Options& options, bool& out);
base::Status parse(std::string_view text, const Options& options, std::int16_t& out);
base::Status parse(std::string_view text, const Options& options, std::int32_t& out);
base::Status parse(std::string_view text, const Options& options, std::int64_t& out);
base::Status parse(std::string_view text, const Options& options, double& out);
base::Status parse(std::string_view text, const Options& options, std::string& out);
base::Status parse(std::string_view text, const Options& options, std::vector<std::string>& out);
template <class T>
base::Status parse(std::string_view text, const Options& options, std::optional<T>& out) {
  return parse(text, options, out.emplace());
}

std::string print(bool value, const Options& options);
std::string print(std::int16_t value, const Options& options);
std::string print(std::int32_t value, const Options& options);
std::string print(std::int64_t value, const Options& options);
std::string print(double value, const Options& options);
std::string print(const std::string& value, const Options& options);
std::string print(const std::vector<std::string>& value, const Options& options);
template <class T>
std::optional<std::string> print_nullable(const T& value, const Options& options) {
  return print(value, options);
}
template <class T>
std::optional<std::string> print_nullable(const std::optional<T>& value, const Options& options) {
  if (!value) return std::nullopt;
  return print(*value, options);
}

template <class T>
struct TypeOf;
template <class T>
struct TypeOf<std::optional<T>> : TypeOf<T> {};
template <>
struct TypeOf<bool> {
  static constexpr Type value = Type::boolean;
};
template <>
struct TypeOf<std::int16_t> {
  static constexpr Type value = Type::int16;
};
template <>
struct TypeOf<std::int32_t> {
  static constexpr Type value = Type::int32;
};
template <>
struct TypeOf<std::int64_t> {
  static constexpr Type value = Type::int64;
};
template <>
struct TypeOf<double> {
  static constexpr Type value = Type::float64;
};
template <>
struct TypeOf<std::string> {
  static constexpr Type value = Type::string;
};
template <>
struct TypeOf<std::vector<std::string>> {
  static constexpr Type value = Type::list;
};
}  // namespace fields

// A row for a member: setting("tickTime", &Config::tick_time_ms, {.doc = "...", .min = 1}).
template <class Config, class Member>
Setting setting(std::string_view key, Member Config::*member, Options options) {
  Field field;
  field.type = fields::TypeOf<Member>::value;
  field.set = [member](void* config, std::string_view text, const Options& rules) -> base::Status {
    return fields::parse(text, rules, static_cast<Config*>(config)->*member);
  };
  field.get = [member](const void* config, const Options& rules) {
    return fields::print_nullable(static_cast<const Config*>(config)->*member, rules);
  };
  return Setting{key, std::move(options), std::move(field)};
}

// A row without a member: a key that is only recognised (accepted, retired or refused), of a type with a
// default.
Setting recognised(std::string_view key, Type type, std::string_view default_text, Options options);

// A row for all keys that start with `key` up to its '*': family("server.*", &Config::servers, {...}), filled
// with what the '*' stands for.
template <class Config>
Setting family(std::string_view key, std::map<std::string, std::string> Config::*member, Options options);

}  // namespace tandem::conf
