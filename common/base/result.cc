#include "base/result.h"

namespace tandem::base {

const char* to_string(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
      return "invalid argument";
    case Errc::corrupt:
      return "corrupt";
    case Errc::truncated:
      return "truncated";
    case Errc::io:
      return "I/O error";
    case Errc::no_space:
      return "no space";
    case Errc::not_found:
      return "not found";
    case Errc::already_exists:
      return "already exists";
    case Errc::unsupported:
      return "not supported";
    case Errc::limit_exceeded:
      return "limit exceeded";
    case Errc::unavailable:
      return "unavailable";
    case Errc::closed:
      return "closed";
    case Errc::timed_out:
      return "timed out";
  }
  UNREACHABLE("Errc {}", static_cast<int>(code));
}

}  // namespace tandem::base
