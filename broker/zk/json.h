// JSON as znodes hold it. Reading is bounded (1 MB, 32 levels), ignores unknown keys and never throws: a
// wrong type or a missing key is an Error that names the znode. Writing gives Jackson's bytes: no spaces,
// keys in the order in which they are added. For broker/zk, and for tools whose files have the same form.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::broker::zk {

using base::Result;

// One JSON object read from a znode; `what` names it in errors.
class JsonObject {
 public:
  static Result<JsonObject> parse(std::string_view what, std::string_view text);

  bool has(std::string_view key) const;
  Result<std::int32_t> i32(std::string_view key) const;
  Result<std::int32_t> i32_or(std::string_view key, std::int32_t fallback) const;
  Result<std::int64_t> i64(std::string_view key) const;
  Result<std::int64_t> i64_text(std::string_view key) const;  // a number in a string
  Result<std::string> text(std::string_view key) const;
  Result<std::string> text_or(std::string_view key, std::string fallback) const;  // null counts as absent
  Result<std::vector<std::int32_t>> i32_list(std::string_view key) const;
  Result<std::vector<std::string>> text_list(std::string_view key) const;
  Result<std::vector<JsonObject>> objects(std::string_view key) const;
  Result<JsonObject> object(std::string_view key) const;
  std::vector<std::string> keys() const;

  base::Error wrong(std::string_view key, std::string_view expected) const;

 private:
  JsonObject(std::string what, boost::json::object object)
      : what_(std::move(what)), object_(std::move(object)) {}
  const boost::json::value* find(std::string_view key) const;

  std::string what_;
  boost::json::object object_;
};

class JsonWriter {
 public:
  JsonWriter& begin() { return raw("{", false); }
  JsonWriter& end() { return raw("}", true); }
  JsonWriter& begin_list() { return raw("[", false); }
  JsonWriter& end_list() { return raw("]", true); }
  JsonWriter& key(std::string_view name);
  JsonWriter& number(std::int64_t value);
  JsonWriter& text(std::string_view value);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& numbers(const std::vector<std::int32_t>& values);
  std::string take() { return std::move(out_); }

 private:
  void separate();
  JsonWriter& raw(std::string_view token, bool closes);

  std::string out_;
  bool need_comma_ = false;
};

}  // namespace tandem::broker::zk
