// Pieces of text that several tools share: topic patterns, lists of words and numbers,
// and dates and durations as Apache's tools read them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::tools::kafka {

std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> words, std::string_view separator);
std::string join(std::span<const std::int32_t> numbers, std::string_view separator);
std::string_view trim(std::string_view text);
std::optional<std::int64_t> parse_number(std::string_view text);

// The topics that a pattern of Apache's tools names: a regular expression that matches the whole name, or
// several by commas.
base::Result<std::vector<std::string>> matching_topics(const std::vector<std::string>& topics,
                                                       const std::string& pattern);
// The order in which Java's HashMap and HashSet give back what was put in with these hash codes; Apache's
// tools print in it.
std::vector<std::size_t> java_hash_order(std::span<const std::int32_t> hashes);
bool is_internal_topic(std::string_view topic);
bool has_collision_characters(std::string_view topic);

// "YYYY-MM-DDTHH:mm:SS.sss" with an optional zone (Z, +hh:mm, +hhmm), in the machine's zone otherwise, to
// milliseconds since 1970.
std::optional<std::int64_t> parse_date(const std::string& text);
// An ISO-8601 duration "PnDTnHnMnS" in milliseconds.
std::optional<std::int64_t> parse_duration(const std::string& text);

}  // namespace tandem::tools::kafka
