// One four-letter word asked of a coordination server, with a bounded wait.
// Used by status and by start, which waits until the port answers.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace tandem::tools::service {

base::Result<std::string> ask_four_letter_word(const std::string& host, std::uint16_t port,
                                               const std::string& word, base::milliseconds timeout);
bool port_answers(const std::string& host, std::uint16_t port);

}  // namespace tandem::tools::service
