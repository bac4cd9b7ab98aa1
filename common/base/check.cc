#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace tandem::base {

void check_failed(const char* file, int line, const char* expression, const std::string& message) {
  std::fprintf(stderr, "ENSURE failed: %s:%d: %s %s\n", file, line, expression, message.c_str());
  std::abort();
}

}  // namespace tandem::base
