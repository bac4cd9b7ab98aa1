#include "broker/config/value_fault.h"

#include <fmt/format.h>

namespace tandem::broker::config {

namespace {

using conf::Type;

// The value as Kafka repeats it, and its complaint.
struct Fault {
  std::string value;
  std::string reason;
};

template <class Number>
Fault number_fault(const conf::Setting& setting, std::string_view text, std::string_view type,
                   const std::string& otherwise) {
  Number number{};
  if (!conf::fields::parse(text, {}, number))
    return {std::string(text), fmt::format("Not a number of type {}", type)};
  const conf::Options& options = setting.options;
  Fault fault{conf::fields::print(number, {}), otherwise};
  const auto value = static_cast<double>(number);
  if (options.min && value < *options.min) {
    fault.reason = fmt::format("Value must be at least {}", static_cast<std::int64_t>(*options.min));
  } else if (options.max && value > *options.max) {
    fault.reason = fmt::format("Value must be no more than {}", static_cast<std::int64_t>(*options.max));
  }
  return fault;
}

// A list is refused for the first of its words that is not allowed.
Fault word_fault(const conf::Setting& setting, std::string_view text, const std::string& otherwise) {
  const auto& allowed = setting.options.one_of;
  if (allowed.empty()) return {std::string(text), otherwise};
  std::vector<std::string> words{std::string(text)};
  if (setting.type() == Type::list) ENSURE(conf::fields::parse(text, {}, words).has_value());
  for (std::string& word : words) {
    std::string parsed;
    if (!conf::fields::parse(word, setting.options, parsed))
      return {std::move(word), fmt::format("String must be one of: {}", fmt::join(allowed, ", "))};
  }
  return {std::string(text), otherwise};
}

Fault fault_of(const conf::Setting& setting, std::string_view text, const std::string& otherwise) {
  switch (setting.type()) {
    case Type::boolean:
      return {std::string(text), "Expected value to be either true or false"};
    case Type::int16:
      return number_fault<std::int16_t>(setting, text, "SHORT", otherwise);
    case Type::int32:
      return number_fault<std::int32_t>(setting, text, "INT", otherwise);
    case Type::int64:
      return number_fault<std::int64_t>(setting, text, "LONG", otherwise);
    case Type::float64:
      return number_fault<double>(setting, text, "DOUBLE", otherwise);
    case Type::string:
    case Type::list:
      return word_fault(setting, text, otherwise);
    case Type::name_of_class:
    case Type::password:
      return {std::string(text), otherwise};
  }
  UNREACHABLE("type {}", static_cast<int>(setting.type()));
}

}  // namespace

base::Status set_or_fault(const conf::Setting& setting, std::string_view value, void* config) {
  if (setting.options.refuse) {
    if (const auto why = setting.options.refuse(value))
      return base::make_error(base::Errc::invalid_argument, "Invalid value {} for configuration {}: {} {}",
                              value, setting.key, setting.key, *why);
  }
  const auto status = setting.field.set(config, value, setting.options);
  if (status) return {};
  const Fault fault = fault_of(setting, value, status.error().context);
  return base::make_error(base::Errc::invalid_argument, "Invalid value {} for configuration {}: {}",
                          fault.value, setting.key, fault.reason);
}

}  // namespace tandem::broker::config
