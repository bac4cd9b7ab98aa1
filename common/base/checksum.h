// Checksums of the formats we share: CRC-32C (Castagnoli; Kafka batches v2), CRC-32 (IEEE; Kafka message
// sets v0/v1, ZooKeeper tree digest) and Adler-32 (RFC 1950; ZooKeeper log and snapshot).
// CRC-32C uses the SSE4.2 instruction where the CPU has it, else a table; both give the same numbers.
#pragma once

#include <cstdint>
#include <string_view>

namespace tandem::base {

// Each continues from the value of the bytes before; the default starts a new sum.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);
std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t crc = 0);
std::uint32_t crc32(std::string_view bytes, std::uint32_t crc = 0);
std::uint32_t adler32(std::string_view bytes, std::uint32_t adler = 1);

}  // namespace tandem::base
