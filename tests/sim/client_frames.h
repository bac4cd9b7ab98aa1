// What goes between a client and a server of the simulation, taken apart: frames with their lengths in front,
// as in zookeeper.jute, whole ones only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "bytes/reader.h"
#include "jute/opcodes.h"

namespace tandem::sim {

inline constexpr std::size_t kLengthBytes = 4;

// With their lengths.
inline std::vector<std::string_view> frames_of(std::string_view bytes) {
  std::vector<std::string_view> frames;
  while (bytes.size() >= kLengthBytes) {
    bytes::Reader reader(bytes);
    const auto length = kLengthBytes + static_cast<std::size_t>(reader.i32());
    frames.push_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return frames;
}

inline std::int32_t xid_of(std::string_view frame) {
  bytes::Reader reader(frame);
  reader.skip(kLengthBytes);
  return reader.i32();
}

// Of a request.
inline jute::OpCode op_of(std::string_view frame) {
  bytes::Reader reader(frame);
  reader.skip(2 * kLengthBytes);  // the length and the xid
  return static_cast<jute::OpCode>(reader.i32());
}

}  // namespace tandem::sim
