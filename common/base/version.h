// Versions that this build goes by: its own, and those of the originals that it speaks for. Clients and
// monitors parse the leading number of the originals' (`srvr`, `mntr`, `version`), so that number is the
// compatibility level; the part behind the dash says who answers.
#pragma once

namespace tandem::base {

inline constexpr const char* kVersion = "0.1.0";
inline constexpr const char* kZooKeeperVersion = "3.9.5-tandem-0.1.0, built on 2026-11-22 00:00 UTC";
inline constexpr const char* kKafkaVersion = "3.9.1-tandem-0.1.0";

}  // namespace tandem::base
