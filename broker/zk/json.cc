#include "broker/zk/json.h"

#include <charconv>
#include <limits>

namespace tandem::broker::zk {
namespace {

constexpr std::size_t kTextMax = 1 << 20;
constexpr std::size_t kDepthMax = 32;

Result<std::int32_t> as_i32(const boost::json::value& value, const base::Error& fault) {
  if (const auto* number = value.if_int64()) {
    if (*number >= std::numeric_limits<std::int32_t>::min() &&
        *number <= std::numeric_limits<std::int32_t>::max()) {
      return static_cast<std::int32_t>(*number);
    }
  }
  return fault;
}

std::string to_std(const boost::json::string& text) { return std::string(text.data(), text.size()); }

}  // namespace

Result<JsonObject> JsonObject::parse(std::string_view what, std::string_view text) {
  if (text.size() > kTextMax) {
    return base::make_error(base::Errc::corrupt, "{}: {} bytes of JSON are over the limit of {}", what,
                            text.size(), kTextMax);
  }
  boost::json::parse_options options;
  options.max_depth = kDepthMax;
  boost::system::error_code code;
  boost::json::value value =
      boost::json::parse(boost::json::string_view(text.data(), text.size()), code, {}, options);
  if (code) return base::make_error(base::Errc::corrupt, "{}: not JSON ({})", what, code.message());
  if (!value.is_object()) return base::make_error(base::Errc::corrupt, "{}: not a JSON object", what);
  return JsonObject(std::string(what), std::move(value.get_object()));
}

const boost::json::value* JsonObject::find(std::string_view key) const {
  return object_.if_contains(boost::json::string_view(key.data(), key.size()));
}

base::Error JsonObject::wrong(std::string_view key, std::string_view expected) const {
  return base::make_error(base::Errc::corrupt, "{}: \"{}\" is {} where {} belongs", what_, key,
                          find(key) == nullptr ? "absent" : "something else", expected);
}

bool JsonObject::has(std::string_view key) const { return find(key) != nullptr; }

Result<std::int32_t> JsonObject::i32(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr) return wrong(key, "a number");
  return as_i32(*value, wrong(key, "a 32-bit number"));
}

Result<std::int32_t> JsonObject::i32_or(std::string_view key, std::int32_t fallback) const {
  if (!has(key)) return fallback;
  return i32(key);
}

Result<std::int64_t> JsonObject::i64(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr || !value->is_int64()) return wrong(key, "a number");
  return value->get_int64();
}

Result<std::int64_t> JsonObject::i64_text(std::string_view key) const {
  const auto string = text(key);
  if (!string) return string.error();
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(string->data(), string->data() + string->size(), number);
  if (fault != std::errc() || end != string->data() + string->size())
    return wrong(key, "a number in a string");
  return number;
}

Result<std::string> JsonObject::text(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr || !value->is_string()) return wrong(key, "a string");
  return to_std(value->get_string());
}

Result<std::string> JsonObject::text_or(std::string_view key, std::string fallback) const {
  const auto* value = find(key);
  if (value == nullptr || value->is_null()) return fallback;
  return text(key);
}

Result<std::vector<std::int32_t>> JsonObject::i32_list(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr || !value->is_array()) return wrong(key, "a list of numbers");
  std::vector<std::int32_t> out;
  for (const auto& item : value->get_array()) {
    const auto number = as_i32(item, wrong(key, "a list of numbers"));
    if (!number) return number.error();
    out.push_back(*number);
  }
  return out;
}

Result<std::vector<std::string>> JsonObject::text_list(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr || !value->is_array()) return wrong(key, "a list of strings");
  std::vector<std::string> out;
  for (const auto& item : value->get_array()) {
    if (!item.is_string()) return wrong(key, "a list of strings");
    out.push_back(to_std(item.get_string()));
  }
  return out;
}

Result<std::vector<JsonObject>> JsonObject::objects(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr || !value->is_array()) return wrong(key, "a list of objects");
  std::vector<JsonObject> out;
  for (const auto& item : value->get_array()) {
    if (!item.is_object()) return wrong(key, "a list of objects");
    out.push_back(JsonObject(what_, item.get_object()));
  }
  return out;
}

Result<JsonObject> JsonObject::object(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr || !value->is_object()) return wrong(key, "an object");
  return JsonObject(what_, value->get_object());
}

std::vector<std::string> JsonObject::keys() const {
  std::vector<std::string> out;
  for (const auto& entry : object_) out.emplace_back(entry.key().data(), entry.key().size());
  return out;
}

void JsonWriter::separate() {
  if (need_comma_) out_.push_back(',');
  need_comma_ = true;
}

JsonWriter& JsonWriter::raw(std::string_view token, bool closes) {
  if (!closes) separate();
  out_.append(token);
  need_comma_ = closes;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  text(name);
  out_.push_back(':');
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::number(std::int64_t value) {
  separate();
  out_ += std::to_string(value);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::numbers(const std::vector<std::int32_t>& values) {
  begin_list();
  for (const auto value : values) number(value);
  return end_list();
}

// Jackson escapes quotes, backslashes and control characters, and leaves all else as UTF-8.
JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  out_.push_back('"');
  for (const char c : value) {
    switch (c) {
      case '"':
        out_ += "\\\"";
        break;
      case '\\':
        out_ += "\\\\";
        break;
      case '\b':
        out_ += "\\b";
        break;
      case '\f':
        out_ += "\\f";
        break;
      case '\n':
        out_ += "\\n";
        break;
      case '\r':
        out_ += "\\r";
        break;
      case '\t':
        out_ += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out_ += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
        } else {
          out_.push_back(c);
        }
    }
  }
  out_.push_back('"');
  return *this;
}

}  // namespace tandem::broker::zk
