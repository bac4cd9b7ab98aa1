// The four codecs of Kafka record batches in the framings that Java clients write: gzip members, xerial
// snappy blocks (raw snappy is accepted), LZ4 frames (magic 0 with its wrong header checksum) and zstd
// frames. Decompression streams: memory is bounded by what the caller makes room for, never by a length in
// the input.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "broker/record/format.h"

namespace tandem::broker::record {

const char* to_string(Codec codec);

// A pull source of decompressed bytes. The input must outlive it. Its errors: Errc::truncated where the data
// ends too early, Errc::io where the codec cannot read it (Kafka answers the two differently).
class Inflater {
 public:
  virtual ~Inflater() = default;
  // Fills at most `room` (> 0) bytes and says how many; 0 is the end of the data.
  virtual base::Result<std::size_t> read(char* out, std::size_t room) = 0;
};

// `codec` is not none. `magic` decides the LZ4 header checksum rule.
std::unique_ptr<Inflater> make_inflater(Codec codec, std::string_view input, std::int8_t magic);

// All of it, at most `bytes_max`; more is an error.
base::Result<std::string> decompress(Codec codec, std::string_view input, std::int8_t magic,
                                     std::size_t bytes_max);

// Levels as Kafka's topic keys compression.{gzip,lz4,zstd}.level; the default stands for each library's own.
constexpr int kDefaultLevel = -1000;
base::Result<std::string> compress(Codec codec, std::string_view input, std::int8_t magic,
                                   int level = kDefaultLevel);

// XXH32 with seed 0, as the LZ4 frame header needs it (its checksum byte is bits 8..15).
std::uint32_t xxh32(std::string_view bytes);

}  // namespace tandem::broker::record
