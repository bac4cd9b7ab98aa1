// Quotas: the text of zookeeper_limits and zookeeper_stats nodes, and which paths have one. The deepest quota
// above a path (itself included) is the one that counts; one on "/" never does. Owned by DataTree.
// Source of the text: Apache's StatsTrack, `count=N,bytes=M` and `=;byteHardLimit=B;countHardLimit=C`.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace tandem::coord::tree {

inline constexpr std::string_view kLimitsName = "zookeeper_limits";
inline constexpr std::string_view kStatsName = "zookeeper_stats";

std::string quota_limits_path(std::string_view path);  // /zookeeper/quota<path>/zookeeper_limits
std::string quota_stats_path(std::string_view path);

class QuotaNumbers {
 public:
  static QuotaNumbers parse(std::string_view text);  // what is malformed counts as not there
  std::string text() const;

  std::int64_t count() const { return get("count"); }  // -1: none
  std::int64_t bytes() const { return get("bytes"); }
  std::int64_t count_hard_limit() const { return get("countHardLimit"); }
  std::int64_t byte_hard_limit() const { return get("byteHardLimit"); }
  void set_count(std::int64_t value) { values_["count"] = value; }
  void set_bytes(std::int64_t value) { values_["bytes"] = value; }

 private:
  std::int64_t get(const char* key) const;

  std::map<std::string, std::int64_t, std::less<>> values_;
};

class QuotaPaths {
 public:
  void add(std::string_view path) { paths_.emplace(path); }
  void remove(std::string_view path);  // and those below it, as Apache's trie does
  void clear() { paths_.clear(); }
  bool empty() const { return paths_.empty(); }
  const std::set<std::string, std::less<>>& all() const { return paths_; }

  // "" when there is none.
  std::string_view deepest_above(std::string_view path) const;

 private:
  std::set<std::string, std::less<>> paths_;
};

}  // namespace tandem::coord::tree
