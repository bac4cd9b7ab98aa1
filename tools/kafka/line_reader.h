// Lines of standard input as records, with the properties of Apache's LineMessageReader: parse.key,
// key.separator, parse.headers, headers.delimiter, headers.separator, headers.key.separator, ignore.error,
// null.marker.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "tools/kafka/rdkafka_client.h"

namespace tandem::tools::kafka {

struct LineRecord {
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
  std::optional<std::string> key;
  std::optional<std::string> value;
};

class LineReader {
 public:
  static base::Result<LineReader> make(const Properties& properties);
  base::Result<LineRecord> parse(const std::string& line);  // numbers the lines it is given

 private:
  base::Result<std::string> cut(std::string& rest, const std::string& separator, const char* what);

  bool parse_key_ = false;
  bool parse_headers_ = false;
  bool ignore_error_ = false;
  std::string key_separator_ = "\t";
  std::string headers_delimiter_ = "\t";
  std::string headers_separator_ = ",";
  std::string headers_key_separator_ = ":";
  std::optional<std::string> null_marker_;
  std::int64_t line_number_ = 0;
};

}  // namespace tandem::tools::kafka
