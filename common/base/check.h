// Assertions for programmer errors, always on, in release too: a broken invariant ends the process
// before it can reach a disk or a peer. Operating errors (peers, disks, users) are values: see result.h.
#pragma once

#include <fmt/core.h>

#include <string>

namespace tandem::base {

// Prints file, line, expression and message to stderr and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* expression,
                               const std::string& message);

inline std::string check_message() { return {}; }

template <class... Args>
std::string check_message(fmt::format_string<Args...> format, Args&&... args) {
  return fmt::format(format, std::forward<Args>(args)...);
}

}  // namespace tandem::base

// ENSURE(cond) or ENSURE(cond, "zxid={} is behind {}", a, b).
#define ENSURE(condition, ...)                                        \
  (__builtin_expect(static_cast<bool>(condition), 1)                  \
       ? static_cast<void>(0)                                         \
       : ::tandem::base::check_failed(__FILE__, __LINE__, #condition, \
                                      ::tandem::base::check_message(__VA_ARGS__)))

#define UNREACHABLE(...) \
  ::tandem::base::check_failed(__FILE__, __LINE__, "unreachable", ::tandem::base::check_message(__VA_ARGS__))
