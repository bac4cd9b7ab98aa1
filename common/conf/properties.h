// Java properties text, as zoo.cfg and server.properties are written: # and ! comments, continued lines,
// \t \n \r \f \uXXXX escapes, key ended by '=', ':' or blanks. The format is java.util.Properties.load's.
// Each entry remembers where it came from, so that errors can say so; -D and --override give entries too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::conf {

using base::Result;
using base::Status;

struct Entry {
  std::string key;
  std::string value;
  std::string source;  // a file name, or "-D", "--override", "/config/brokers/1"
  int line = 0;        // 0 where there are no lines

  bool operator==(const Entry&) const = default;
};

std::string where(const Entry& entry);  // "zoo.cfg line 3"

// All entries in order, keys repeated as they are (the last one holds). Values lose trailing blanks.
Result<std::vector<Entry>> parse_properties(std::string_view text, const std::string& source);

// "key=value" from a command line; the value may hold '='.
Result<Entry> parse_assignment(std::string_view text, const std::string& source);

// The -Dname=value words of a JVM options string (SERVER_JVMFLAGS); other words are for a JVM and skipped.
std::vector<Entry> parse_jvm_flags(std::string_view text, const std::string& source);

}  // namespace tandem::conf
