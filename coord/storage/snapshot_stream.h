// The byte streams of snapshot files: raw bytes <-> gzip or snappy (xerial's framing: 16-byte header, then
// blocks of int length and a raw snappy block) <-> file, with the Adler-32 of the raw side. Memory is a few
// blocks, whatever a file claims.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "coord/storage/files.h"
#include "fs/disk.h"
#include "fs/sequential_writer.h"

namespace tandem::coord::storage {

// One direction of one compression.
class Codec {
 public:
  virtual ~Codec() = default;
  // Consumes all of `in`, appends what comes of it.
  virtual base::Status push(std::string_view in, std::string& out) = 0;
  // Compressing: the rest. Decompressing: an error when the input ended in the middle.
  virtual base::Status end(std::string& out) = 0;
};

std::unique_ptr<Codec> make_compressor(Compression compression);
// `file_name` is for the sentences of errors.
std::unique_ptr<Codec> make_decompressor(Compression compression, std::string file_name);

class SnapshotOutput {
 public:
  SnapshotOutput(fs::File& file, Compression compression, bool past_cache);

  base::Status write(std::string_view raw);
  base::Status finish();  // all bytes handed to the file
  std::uint32_t checksum() const { return adler_; }
  std::uint64_t file_bytes() const { return file_.size(); }

 private:
  fs::SequentialWriter file_;
  std::unique_ptr<Codec> codec_;
  std::uint32_t adler_ = 1;
  std::string compressed_;
};

class SnapshotInput {
 public:
  SnapshotInput(std::unique_ptr<fs::File> file, Compression compression);

  // At least `count` bytes from the current position, or all there are when the stream ends before.
  base::Result<std::string_view> peek(std::size_t count);
  // Moves on over bytes that were peeked, adding them to the checksum.
  void consume(std::size_t count);
  std::uint32_t checksum();
  const std::string& path() const { return file_->path(); }
  // Bytes of the whole stream; 0 when they are not known before the end.
  std::uint64_t raw_bytes() const;

 private:
  base::Status fill();
  base::Status read(std::string& out);

  std::unique_ptr<fs::File> file_;
  bool plain_;  // bytes of the file are bytes of the stream
  std::unique_ptr<Codec> codec_;
  std::uint64_t offset_ = 0;
  std::uint64_t ahead_ = 0;  // the file is being read up to here
  bool ended_ = false;
  std::string buffer_;
  std::size_t at_ = 0;
  std::size_t summed_ = 0;  // in adler_ already; not behind at_
  std::uint32_t adler_ = 1;
  std::string chunk_;
};

}  // namespace tandem::coord::storage
