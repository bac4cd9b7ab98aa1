#include "tools/kafka/line_reader.h"

#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

base::Result<LineReader> LineReader::make(const Properties& properties) {
  LineReader reader;
  for (const auto& [name, value] : properties) {
    const bool yes = trim(value) == "true";
    if (name == "parse.key") reader.parse_key_ = yes;
    if (name == "parse.headers") reader.parse_headers_ = yes;
    if (name == "ignore.error") reader.ignore_error_ = yes;
    if (name == "key.separator") reader.key_separator_ = value;
    if (name == "headers.delimiter") reader.headers_delimiter_ = value;
    if (name == "headers.separator") reader.headers_separator_ = value;
    if (name == "headers.key.separator") reader.headers_key_separator_ = value;
    if (name == "null.marker") reader.null_marker_ = value;
  }
  if (reader.parse_key_ && reader.parse_headers_ && reader.key_separator_ == reader.headers_separator_)
    return base::make_error(base::Errc::invalid_argument,
                            "headers.separator and key.separator may not be equal");
  return reader;
}

// What stands before the separator is taken off `rest`. Without one: an error, or nothing when those are
// ignored.
base::Result<std::string> LineReader::cut(std::string& rest, const std::string& separator, const char* what) {
  const std::size_t at = rest.find(separator);
  if (at == std::string::npos) {
    if (ignore_error_) return std::string();
    return base::make_error(base::Errc::invalid_argument, "No {} found on line number {}: '{}'", what,
                            line_number_, rest);
  }
  std::string before = rest.substr(0, at);
  rest.erase(0, at + separator.size());
  return before;
}

base::Result<LineRecord> LineReader::parse(const std::string& line) {
  ++line_number_;
  LineRecord record;
  std::string rest = line;
  const auto unless_null = [&](std::string text) {
    return null_marker_ && text == *null_marker_ ? std::nullopt : std::optional(std::move(text));
  };
  if (parse_headers_) {
    const auto headers = cut(rest, headers_delimiter_, "headers delimiter");
    if (!headers) return headers.error();
    if (unless_null(*headers)) {
      for (std::size_t at = 0; at < headers->size();) {
        const std::size_t end = std::min(headers->find(headers_separator_, at), headers->size());
        std::string one = headers->substr(at, end - at);
        at = end + headers_separator_.size();
        const auto name = cut(one, headers_key_separator_, "header key separator");
        if (!name) return name.error();
        record.headers.emplace_back(*name, unless_null(one));
      }
    }
  }
  if (parse_key_) {
    const std::size_t before = rest.size();
    auto key = cut(rest, key_separator_, "key separator");
    if (!key) return key.error();
    if (rest.size() != before) record.key = unless_null(std::move(*key));
  }
  record.value = unless_null(std::move(rest));
  return record;
}

}  // namespace tandem::tools::kafka
