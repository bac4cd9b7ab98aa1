#include <snappy.h>
#include <zlib.h>

#include <algorithm>

#include "base/check.h"
#include "bytes/reader.h"
#include "bytes/writer.h"
#include "coord/storage/snapshot_stream.h"

namespace tandem::coord::storage {

using base::Errc;
using base::Status;

namespace {

class Plain final : public Codec {
 public:
  Status push(std::string_view in, std::string& out) override {
    out.append(in);
    return {};
  }
  Status end(std::string&) override { return {}; }
};

constexpr std::size_t kStep = 64U << 10;
constexpr int kGzipWindow = 15 + 16;  // the largest window, with gzip's header and trailer

class GzipCompressor final : public Codec {
 public:
  GzipCompressor() {
    const int result =
        ::deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY);
    ENSURE(result == Z_OK, "deflateInit2 gave {}", result);
  }
  ~GzipCompressor() override { ::deflateEnd(&stream_); }
  GzipCompressor(const GzipCompressor&) = delete;
  GzipCompressor& operator=(const GzipCompressor&) = delete;

  Status push(std::string_view in, std::string& out) override { return run(in, Z_NO_FLUSH, out); }
  Status end(std::string& out) override { return run({}, Z_FINISH, out); }

 private:
  Status run(std::string_view in, int flush, std::string& out) {
    stream_.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(in.data()));  // zlib only reads
    stream_.avail_in = static_cast<uInt>(in.size());
    int result = Z_OK;
    do {
      const std::size_t had = out.size();
      out.resize(had + kStep);
      stream_.next_out = reinterpret_cast<unsigned char*>(out.data() + had);
      stream_.avail_out = kStep;
      result = ::deflate(&stream_, flush);
      ENSURE(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR, "deflate gave {}", result);
      out.resize(out.size() - stream_.avail_out);
    } while (stream_.avail_out == 0 || (flush == Z_FINISH && result != Z_STREAM_END));
    return {};
  }

  z_stream stream_{};
};

class GzipDecompressor final : public Codec {
 public:
  explicit GzipDecompressor(std::string file) : file_(std::move(file)) {
    const int result = ::inflateInit2(&stream_, kGzipWindow);
    ENSURE(result == Z_OK, "inflateInit2 gave {}", result);
  }
  ~GzipDecompressor() override { ::inflateEnd(&stream_); }
  GzipDecompressor(const GzipDecompressor&) = delete;
  GzipDecompressor& operator=(const GzipDecompressor&) = delete;

  Status push(std::string_view in, std::string& out) override {
    stream_.next_in = reinterpret_cast<unsigned char*>(const_cast<char*>(in.data()));  // zlib only reads
    stream_.avail_in = static_cast<uInt>(in.size());
    while (!ended_) {
      const std::size_t had = out.size();
      out.resize(had + kStep);
      stream_.next_out = reinterpret_cast<unsigned char*>(out.data() + had);
      stream_.avail_out = kStep;
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      out.resize(out.size() - stream_.avail_out);
      ended_ = result == Z_STREAM_END;
      if (ended_ || result == Z_BUF_ERROR) break;
      if (result != Z_OK) return base::make_error(Errc::corrupt, "{}: damaged gzip stream", file_);
      if (stream_.avail_out != 0 && stream_.avail_in == 0) break;
    }
    return {};
  }
  Status end(std::string&) override {
    if (!ended_) return base::make_error(Errc::truncated, "{}: gzip stream ends in the middle", file_);
    return {};
  }

 private:
  std::string file_;
  z_stream stream_{};
  bool ended_ = false;
};

constexpr std::string_view kXerialMagic("\x82SNAPPY\0", 8);
constexpr std::int32_t kXerialVersion = 1;
constexpr std::size_t kXerialHeader = 16;
constexpr std::size_t kXerialBlock = 32U << 10;  // SnappyOutputStream's default
// The largest block accepted: SnappyOutputStream takes block sizes up to 512 MiB, nobody sets more than this.
constexpr std::size_t kXerialBlockMax = 64U << 20;

class SnappyCompressor final : public Codec {
 public:
  Status push(std::string_view in, std::string& out) override {
    pending_.append(in);
    std::size_t at = 0;
    for (; pending_.size() - at >= kXerialBlock; at += kXerialBlock)
      block(std::string_view(pending_).substr(at, kXerialBlock), out);
    pending_.erase(0, at);
    return {};
  }
  Status end(std::string& out) override {
    if (!pending_.empty()) block(pending_, out);
    pending_.clear();
    return {};
  }

 private:
  void block(std::string_view raw, std::string& out) {
    bytes::Writer writer(out);
    if (!header_written_) {
      writer.bytes(kXerialMagic);
      writer.i32(kXerialVersion);
      writer.i32(kXerialVersion);
      header_written_ = true;
    }
    snappy::Compress(raw.data(), raw.size(), &scratch_);
    writer.i32(static_cast<std::int32_t>(scratch_.size()));
    writer.bytes(scratch_);
  }

  bool header_written_ = false;
  std::string pending_;
  std::string scratch_;
};

class SnappyDecompressor final : public Codec {
 public:
  explicit SnappyDecompressor(std::string file) : file_(std::move(file)) {}

  Status push(std::string_view in, std::string& out) override {
    pending_.append(in);
    std::size_t at = 0;
    for (;;) {
      bytes::Reader reader(std::string_view(pending_).substr(at));
      if (!header_read_) {
        if (reader.remaining() < kXerialHeader) break;
        if (reader.bytes(kXerialMagic.size()) != kXerialMagic) return damaged("no snappy header");
        header_read_ = true;
        at += kXerialHeader;
        continue;
      }
      const std::int32_t length = reader.i32();
      if (!reader.ok()) break;
      if (length <= 0 || static_cast<std::size_t>(length) > kXerialBlockMax)
        return damaged("bad block length");
      const std::string_view block = reader.bytes(static_cast<std::size_t>(length));
      if (!reader.ok()) break;
      if (auto status = expand(block, out); !status) return status;
      at += 4 + block.size();
    }
    pending_.erase(0, at);
    return {};
  }
  Status end(std::string&) override {
    if (!pending_.empty() || !header_read_)
      return base::make_error(Errc::truncated, "{}: snappy stream ends in the middle", file_);
    return {};
  }

 private:
  Status damaged(const char* what) const {
    return base::make_error(Errc::corrupt, "{}: damaged snappy stream ({})", file_, what);
  }
  Status expand(std::string_view block, std::string& out) {
    std::size_t size = 0;
    // No snappy block expands further than this factor, so a short one cannot claim much.
    constexpr std::size_t kExpansionMax = 64;
    if (!snappy::GetUncompressedLength(block.data(), block.size(), &size) ||
        size > block.size() * kExpansionMax)
      return damaged("bad block size");
    const std::size_t had = out.size();
    out.resize(had + size);
    if (!snappy::RawUncompress(block.data(), block.size(), out.data() + had)) return damaged("bad block");
    return {};
  }

  std::string file_;
  std::string pending_;
  bool header_read_ = false;
};

}  // namespace

std::unique_ptr<Codec> make_compressor(Compression compression) {
  switch (compression) {
    case Compression::none:
      return std::make_unique<Plain>();
    case Compression::gzip:
      return std::make_unique<GzipCompressor>();
    case Compression::snappy:
      return std::make_unique<SnappyCompressor>();
  }
  UNREACHABLE("compression {}", static_cast<int>(compression));
}

std::unique_ptr<Codec> make_decompressor(Compression compression, std::string file_name) {
  switch (compression) {
    case Compression::none:
      return std::make_unique<Plain>();
    case Compression::gzip:
      return std::make_unique<GzipDecompressor>(std::move(file_name));
    case Compression::snappy:
      return std::make_unique<SnappyDecompressor>(std::move(file_name));
  }
  UNREACHABLE("compression {}", static_cast<int>(compression));
}

}  // namespace tandem::coord::storage
