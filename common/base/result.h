// Result<T>: a value or an Error with context. Operating errors travel in it; no exception crosses a module.
// Use: `if (!r) return r.error();`  `*r`, `r->`, `r.value()` (value() of an error is a failed ENSURE).
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <utility>

#include "base/check.h"

namespace tandem::base {

enum class Errc {
  invalid_argument,  // input of a user or a peer that breaks a rule
  corrupt,           // stored or received bytes that cannot be right
  truncated,         // bytes end before the structure does
  io,                // the operating system refused; the context names call, file and errno text
  no_space,          // ENOSPC or EDQUOT
  not_found,
  already_exists,
  unsupported,
  limit_exceeded,
  unavailable,  // a peer or a service is not there now; may work later
  closed,
  timed_out,
};

const char* to_string(Errc code);

struct Error {
  Errc code = Errc::invalid_argument;
  std::string context;  // one sentence without a final full stop: what failed, where, with which values

  bool operator==(const Error&) const = default;
};

// Customization point of boost::system::result: what value() does when there is none.
[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
  check_failed(__FILE__, __LINE__, "result has a value", error.context);
}

template <class T>
using Result = boost::system::result<T, Error>;

using Status = Result<void>;

template <class... Args>
Error make_error(Errc code, fmt::format_string<Args...> format, Args&&... args) {
  return Error{code, fmt::format(format, std::forward<Args>(args)...)};
}

}  // namespace tandem::base
