#include "logging/logger.h"

#include <array>
#include <cstddef>

#include "logging/log.h"

namespace tandem::logging {

namespace {

struct LevelName {
  std::string_view name;
  Level level;
};

// log4j's names; the first of a level is the one printed.
constexpr std::array kLevelNames{
    LevelName{"TRACE", Level::trace}, LevelName{"DEBUG", Level::debug}, LevelName{"INFO", Level::info},
    LevelName{"WARN", Level::warn},   LevelName{"ERROR", Level::error}, LevelName{"FATAL", Level::fatal},
    LevelName{"OFF", Level::off},     LevelName{"ALL", Level::trace},   LevelName{"WARNING", Level::warn},
};

bool same_ignoring_case(std::string_view a, std::string_view upper) {
  if (a.size() != upper.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char c = a[i] >= 'a' && a[i] <= 'z' ? static_cast<char>(a[i] - 'a' + 'A') : a[i];
    if (c != upper[i]) return false;
  }
  return true;
}

}  // namespace

const char* to_string(Level level) {
  for (const LevelName& row : kLevelNames) {
    if (row.level == level) return row.name.data();
  }
  return "?";
}

bool parse_level(std::string_view text, Level& level) {
  for (const LevelName& row : kLevelNames) {
    if (!same_ignoring_case(text, row.name)) continue;
    level = row.level;
    return true;
  }
  return false;
}

Logger Logger::named(std::string_view module) const {
  return module_ == nullptr ? Logger() : module_->log->logger(module);
}

void Logger::write(Level level, fmt::string_view format, fmt::format_args args) const {
  module_->log->write(*module_, level, fmt::vformat(format, args));
}

}  // namespace tandem::logging
