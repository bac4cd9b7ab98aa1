// The text of quota limits and usage: "count=5,bytes=-1=;byteHardLimit=..;countHardLimit=..", -1 for none.
// Format and field order are those of Apache's StatsTrack, which servers and older clients parse.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tandem::tools::shell {

class Quota {
 public:
  static Quota parse(std::string_view text);
  std::string text() const;

  std::int64_t get(const std::string& key) const;
  void set(const std::string& key, std::int64_t value) { values_[key] = value; }

 private:
  std::map<std::string, std::int64_t> values_;
};

inline constexpr const char* kCount = "count";
inline constexpr const char* kBytes = "bytes";
inline constexpr const char* kCountHard = "countHardLimit";
inline constexpr const char* kBytesHard = "byteHardLimit";

}  // namespace tandem::tools::shell
