#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "broker/record/batch.h"
#include "broker/record/compression.h"

namespace tandem::broker::record {

using base::Errc;
using base::make_error;
using base::Result;

namespace {

class GzipInflater final : public Inflater {
 public:
  explicit GzipInflater(std::string_view input) {
    stream_.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(input.size());
    open_ = inflateInit2(&stream_, 15 + 16) == Z_OK;
  }
  ~GzipInflater() override {
    if (open_) inflateEnd(&stream_);
  }

  Result<std::size_t> read(char* out, std::size_t room) override {
    if (!open_) return make_error(Errc::io, "gzip: no memory for its window");
    room = std::min<std::size_t>(room, 1U << 30);
    stream_.next_out = reinterpret_cast<unsigned char*>(out);
    stream_.avail_out = static_cast<uInt>(room);
    while (stream_.avail_out == room && !done_) {
      const int code = inflate(&stream_, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {
        // Members may follow each other; anything that is not one is trailing garbage, which Java ignores.
        if (stream_.avail_in < 18 || stream_.next_in[0] != 0x1f || inflateReset(&stream_) != Z_OK)
          done_ = true;
      } else if (code != Z_OK) {
        return code == Z_BUF_ERROR ? make_error(Errc::truncated, "gzip data is cut short")
                                   : make_error(Errc::io, "gzip data is damaged");
      }
    }
    return room - stream_.avail_out;
  }

 private:
  z_stream stream_{};
  bool open_ = false;
  bool done_ = false;
};

// The header is {0x82 "SNAPPY" 0, version i32, compatible i32}, then blocks {size i32, raw snappy}. Data
// without the header is one raw snappy block.
class SnappyInflater final : public Inflater {
 public:
  explicit SnappyInflater(std::string_view input) : left_(input) {
    framed_ = input.size() >= kHeaderSize && input.substr(0, 8) == std::string_view("\x82SNAPPY\0", 8);
    if (framed_) left_.remove_prefix(kHeaderSize);
  }

  Result<std::size_t> read(char* out, std::size_t room) override {
    while (at_ == block_.size()) {
      if (left_.empty()) return std::size_t{0};
      if (auto status = next_block(); !status) return status.error();
    }
    const std::size_t count = std::min(room, block_.size() - at_);
    std::memcpy(out, block_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  static constexpr std::size_t kHeaderSize = 16;
  // Snappy needs a whole block in memory. Java writes 32 KiB blocks; a raw block is a whole batch. A block
  // cannot expand beyond what its bytes can encode (64 bytes from 3), so a false length is refused before it
  // is trusted.
  static constexpr std::size_t kBlockMax = std::size_t{256} << 20;

  base::Status next_block() {
    std::string_view raw = left_;
    if (framed_) {
      // A header may come again where streams were joined.
      if (left_.substr(0, 8) == std::string_view("\x82SNAPPY\0", 8) && left_.size() >= kHeaderSize)
        left_.remove_prefix(kHeaderSize);
      if (left_.size() < 4) return make_error(Errc::truncated, "snappy block header is cut short");
      const auto size = load_be<std::int32_t>(left_.data());
      left_.remove_prefix(4);
      if (size < 0 || static_cast<std::size_t>(size) > left_.size())
        return make_error(Errc::io, "snappy block of {} bytes, {} are there", size, left_.size());
      raw = left_.substr(0, static_cast<std::size_t>(size));
    }
    left_.remove_prefix(raw.size());
    std::size_t size = 0;
    if (!snappy::GetUncompressedLength(raw.data(), raw.size(), &size) || size > kBlockMax ||
        size / 24 > raw.size())
      return make_error(Errc::io, "snappy block of {} bytes has a false length", raw.size());
    block_.resize(size);
    at_ = 0;
    if (!snappy::RawUncompress(raw.data(), raw.size(), block_.data()))
      return make_error(Errc::io, "snappy block of {} bytes is damaged", raw.size());
    return {};
  }

  std::string_view left_;
  bool framed_ = false;
  std::string block_;
  std::size_t at_ = 0;
};

class Lz4Inflater final : public Inflater {
 public:
  Lz4Inflater(std::string_view input, std::int8_t magic) : left_(input) {
    open_ = !LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION));
    // The descriptor is 3 to 15 bytes behind the frame's magic number: flags, block size, [content size],
    // checksum.
    if (input.size() < 7) return;
    const auto flags = static_cast<std::uint8_t>(input[4]);
    independent_ = (flags & 0x20) != 0;
    const std::size_t checksum_at = 6 + ((flags & 0x08) != 0 ? 8 : 0);
    if (magic > 0 || checksum_at >= input.size()) return;
    // Magic 0: whatever checksum the client wrote, the library gets the right one.
    head_ = std::string(input.substr(0, checksum_at + 1));
    head_.back() = static_cast<char>(xxh32(input.substr(4, checksum_at - 4)) >> 8);
    left_.remove_prefix(head_.size());
  }
  ~Lz4Inflater() override { LZ4F_freeDecompressionContext(context_); }

  Result<std::size_t> read(char* out, std::size_t room) override {
    if (!open_) return make_error(Errc::io, "lz4: no memory for its context");
    if (!independent_) return make_error(Errc::io, "lz4 frame with dependent blocks");
    std::size_t wrote = 0;
    while (wrote == 0) {
      std::string_view& input = head_at_ < head_.size() ? head_view() : left_;
      if (input.empty()) {
        if (hint_ != 0) return make_error(Errc::truncated, "lz4 frame is cut short");
        return std::size_t{0};
      }
      std::size_t taken = input.size();
      wrote = room;
      hint_ = LZ4F_decompress(context_, out, &wrote, input.data(), &taken, nullptr);
      if (LZ4F_isError(hint_)) return make_error(Errc::io, "lz4 frame: {}", LZ4F_getErrorName(hint_));
      if (&input == &head_left_) head_at_ += taken;
      input.remove_prefix(taken);
      if (hint_ == 0 && wrote == 0) return std::size_t{0};  // the frame's end; Kafka reads one frame
    }
    return wrote;
  }

 private:
  std::string_view& head_view() {
    head_left_ = std::string_view(head_).substr(head_at_);
    return head_left_;
  }

  LZ4F_dctx* context_ = nullptr;
  bool open_ = false;
  bool independent_ = false;
  std::string head_;
  std::size_t head_at_ = 0;
  std::string_view head_left_;
  std::string_view left_;
  std::size_t hint_ = 1;
};

class ZstdInflater final : public Inflater {
 public:
  explicit ZstdInflater(std::string_view input) : stream_(ZSTD_createDStream()) {
    in_ = {input.data(), input.size(), 0};
  }
  ~ZstdInflater() override { ZSTD_freeDStream(stream_); }

  Result<std::size_t> read(char* out, std::size_t room) override {
    if (stream_ == nullptr) return make_error(Errc::io, "zstd: no memory for its context");
    ZSTD_outBuffer target{out, room, 0};
    while (target.pos == 0) {
      const bool empty = in_.pos == in_.size;
      if (empty && hint_ == 0) return std::size_t{0};
      const std::size_t before = in_.pos;
      hint_ = ZSTD_decompressStream(stream_, &target, &in_);
      if (ZSTD_isError(hint_)) return make_error(Errc::io, "zstd frame: {}", ZSTD_getErrorName(hint_));
      if (target.pos == 0 && in_.pos == before && hint_ != 0)
        return make_error(Errc::truncated, "zstd frame is cut short");
    }
    return target.pos;
  }

 private:
  ZSTD_DStream* stream_;
  ZSTD_inBuffer in_{};
  std::size_t hint_ = 0;  // 0: at the boundary of frames
};

}  // namespace

const char* to_string(Codec codec) {
  switch (codec) {
    case Codec::none:
      return "none";
    case Codec::gzip:
      return "gzip";
    case Codec::snappy:
      return "snappy";
    case Codec::lz4:
      return "lz4";
    case Codec::zstd:
      return "zstd";
  }
  UNREACHABLE("codec {}", static_cast<int>(codec));
}

std::unique_ptr<Inflater> make_inflater(Codec codec, std::string_view input, std::int8_t magic) {
  switch (codec) {
    case Codec::gzip:
      return std::make_unique<GzipInflater>(input);
    case Codec::snappy:
      return std::make_unique<SnappyInflater>(input);
    case Codec::lz4:
      return std::make_unique<Lz4Inflater>(input, magic);
    case Codec::zstd:
      return std::make_unique<ZstdInflater>(input);
    case Codec::none:
      break;
  }
  UNREACHABLE("no inflater for codec {}", static_cast<int>(codec));
}

Result<std::string> decompress(Codec codec, std::string_view input, std::int8_t magic,
                               std::size_t bytes_max) {
  const auto inflater = make_inflater(codec, input, magic);
  std::string out;
  std::size_t size = 0;
  while (true) {
    if (size == out.size()) out.resize(std::max<std::size_t>(16384, out.size() * 2));
    const auto count = inflater->read(out.data() + size, out.size() - size);
    if (!count) return count.error();
    if (*count == 0) break;
    size += *count;
    if (size > bytes_max)
      return make_error(Errc::limit_exceeded, "{} data of {} bytes expands beyond {} bytes", to_string(codec),
                        input.size(), bytes_max);
  }
  out.resize(size);
  return out;
}

}  // namespace tandem::broker::record
