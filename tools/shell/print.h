// Texts of the shell in Apache's forms: stats, dates as java.util.Date prints them, access lists, hex dumps.
// Pure functions; the time zone is the process's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jute/data.h"
#include "zksession/session.h"

namespace tandem::tools::shell {

std::string java_date(std::int64_t ms);  // "Sun Nov 22 04:06:46 UTC 2026"
std::string stat_text(const jute::Stat& stat);
std::string perms_text(std::int32_t perms);                     // "cdrwa"
std::string acl_text(const std::vector<jute::ACL>& acl);        // as getAcl lists them
std::string list_text(const std::vector<std::string>& values);  // "[a, b]"
std::string hex_dump(std::string_view bytes);
std::string base64(std::string_view bytes);
base::Result<std::string> from_base64(std::string_view text);
std::string event_text(const zksession::Event& event);  // "WatchedEvent state:..."

// scheme:id:perms,... ; parts that do not parse are named on stderr and left out, as Apache does.
std::vector<jute::ACL> parse_acl(std::string_view text);

}  // namespace tandem::tools::shell
