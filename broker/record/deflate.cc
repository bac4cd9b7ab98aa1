#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

#include "broker/record/batch.h"
#include "broker/record/compression.h"

namespace tandem::broker::record {

using base::Errc;
using base::make_error;
using base::Result;

namespace {

Result<std::string> gzip(std::string_view input, int level) {
  z_stream stream{};
  const int zlib_level = level == kDefaultLevel ? Z_DEFAULT_COMPRESSION : level;
  if (deflateInit2(&stream, zlib_level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return make_error(Errc::invalid_argument, "gzip level {}", level);
  std::string out(deflateBound(&stream, input.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) return make_error(Errc::io, "gzip failed with code {}", code);
  return out;
}

Result<std::string> xerial_snappy(std::string_view input) {
  constexpr std::size_t kBlock = 32768;
  std::string out("\x82SNAPPY\0\0\0\0\1\0\0\0\1", 16);
  std::string block(snappy::MaxCompressedLength(kBlock), '\0');
  for (std::size_t at = 0; at < input.size(); at += kBlock) {
    const std::string_view part = input.substr(at, kBlock);
    std::size_t size = 0;
    snappy::RawCompress(part.data(), part.size(), block.data(), &size);
    char length[4];
    store_be(length, static_cast<std::int32_t>(size));
    out.append(length, 4).append(block, 0, size);
  }
  return out;
}

Result<std::string> lz4_frame(std::string_view input, std::int8_t magic, int level) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.compressionLevel = level == kDefaultLevel ? 0 : level;
  std::string out(LZ4F_compressFrameBound(input.size(), &preferences), '\0');
  const std::size_t size =
      LZ4F_compressFrame(out.data(), out.size(), input.data(), input.size(), &preferences);
  if (LZ4F_isError(size)) return make_error(Errc::io, "lz4: {}", LZ4F_getErrorName(size));
  out.resize(size);
  // Magic 0 sums the frame's magic number too, as the first Java clients did and their readers expect.
  if (magic == 0) out[6] = static_cast<char>(xxh32(std::string_view(out).substr(0, 6)) >> 8);
  return out;
}

Result<std::string> zstd_frame(std::string_view input, int level) {
  std::string out(ZSTD_compressBound(input.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), input.data(), input.size(),
                                         level == kDefaultLevel ? ZSTD_CLEVEL_DEFAULT : level);
  if (ZSTD_isError(size)) return make_error(Errc::io, "zstd: {}", ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

}  // namespace

Result<std::string> compress(Codec codec, std::string_view input, std::int8_t magic, int level) {
  switch (codec) {
    case Codec::gzip:
      return gzip(input, level);
    case Codec::snappy:
      return xerial_snappy(input);
    case Codec::lz4:
      return lz4_frame(input, magic, level);
    case Codec::zstd:
      return zstd_frame(input, level);
    case Codec::none:
      return std::string(input);
  }
  UNREACHABLE("codec {}", static_cast<int>(codec));
}

}  // namespace tandem::broker::record
