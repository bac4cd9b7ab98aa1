// Bytes of the client protocol on the hot path: pieces of requests read in place, replies appended to the
// link's output. Formats: coordination.md 1.1, 1.2; everything off the hot path uses the described records.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "bytes/reader.h"
#include "bytes/writer.h"
#include "jute/data.h"
#include "jute/errors.h"
#include "jute/fields.h"
#include "jute/ids.h"

namespace tandem::coord::pipeline {

inline jute::BufferView take_buffer(bytes::Reader& reader) {
  const std::int32_t size = reader.i32();
  if (size == -1) return std::nullopt;
  if (size < 0) {
    reader.fail();
    return std::nullopt;
  }
  return reader.bytes(static_cast<std::size_t>(size));
}

inline void put_buffer(std::string& out, const jute::BufferView& value) {
  bytes::Writer writer(out);
  if (!value) {
    writer.i32(-1);
    return;
  }
  writer.i32(static_cast<std::int32_t>(value->size()));
  writer.bytes(*value);
}

inline void put_string(std::string& out, std::string_view value) { put_buffer(out, value); }

// 68 bytes, in one append.
inline void put_stat(std::string& out, const jute::Stat& stat) {
  char raw[68];
  char* at = raw;
  const auto u64 = [&at](std::int64_t v) {
    const std::uint64_t swapped = __builtin_bswap64(static_cast<std::uint64_t>(v));
    std::memcpy(at, &swapped, sizeof swapped);
    at += sizeof swapped;
  };
  const auto u32 = [&at](std::int32_t v) {
    const std::uint32_t swapped = __builtin_bswap32(static_cast<std::uint32_t>(v));
    std::memcpy(at, &swapped, sizeof swapped);
    at += sizeof swapped;
  };
  u64(stat.czxid.value);
  u64(stat.mzxid.value);
  u64(stat.ctime);
  u64(stat.mtime);
  u32(stat.version);
  u32(stat.cversion);
  u32(stat.aversion);
  u64(stat.ephemeral_owner);
  u32(stat.data_length);
  u32(stat.num_children);
  u64(stat.pzxid.value);
  out.append(raw, sizeof raw);
}

// A reply being appended: the frame's length and the header's error are known at its end.
class ReplyFrame {
 public:
  ReplyFrame(std::string& out, std::int32_t xid, jute::Zxid zxid) : out_(out), start_(out.size()) {
    bytes::Writer writer(out);
    writer.i32(0);
    writer.i32(xid);
    writer.i64(zxid.value);
    writer.i32(0);
  }
  // An error has no body: what was appended behind the header goes.
  void end(jute::ErrorCode err) {
    bytes::Writer writer(out_);
    if (err != jute::ErrorCode::ok) {
      out_.resize(start_ + kHeaderSize);
      writer.patch_i32(start_ + kHeaderSize - 4, static_cast<std::int32_t>(err));
    }
    writer.patch_i32(start_, static_cast<std::int32_t>(out_.size() - start_ - 4));
  }

  // An error that leaves the body where it is.
  void end_with_body(jute::ErrorCode err) {
    bytes::Writer writer(out_);
    writer.patch_i32(start_ + kHeaderSize - 4, static_cast<std::int32_t>(err));
    writer.patch_i32(start_, static_cast<std::int32_t>(out_.size() - start_ - 4));
  }

 private:
  static constexpr std::size_t kHeaderSize = 4 + 4 + 8 + 4;
  std::string& out_;
  std::size_t start_;
};

}  // namespace tandem::coord::pipeline
