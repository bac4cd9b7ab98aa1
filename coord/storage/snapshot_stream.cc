#include "coord/storage/snapshot_stream.h"

#include <algorithm>

#include "base/check.h"
#include "base/checksum.h"

namespace tandem::coord::storage {

using base::Result;
using base::Status;

namespace {

constexpr std::size_t kFlushBytes = 256U << 10;
constexpr std::size_t kReadBytes = 256U << 10;

}  // namespace

SnapshotOutput::SnapshotOutput(fs::File& file, Compression compression, std::uint64_t write_back_bytes)
    : file_(file), codec_(make_compressor(compression)), write_back_bytes_(write_back_bytes) {}

Status SnapshotOutput::write(std::string_view raw) {
  adler_ = base::adler32(raw, adler_);
  if (auto status = codec_->push(raw, pending_); !status) return status;
  if (pending_.size() >= kFlushBytes) return flush();
  return {};
}

Status SnapshotOutput::flush() {
  if (auto status = file_.pwrite(file_bytes_, pending_); !status) return status;
  file_bytes_ += pending_.size();
  pending_.clear();
  if (write_back_bytes_ == 0 || file_bytes_ - written_back_ < write_back_bytes_) return {};
  file_.write_back(written_back_, file_bytes_ - written_back_);
  // What was handed over a step ago is on its way: it need not stay in the cache.
  if (written_back_ > dropped_) file_.drop_cache(dropped_, written_back_ - dropped_);
  dropped_ = written_back_;
  written_back_ = file_bytes_;
  return {};
}

Status SnapshotOutput::finish() {
  if (auto status = codec_->end(pending_); !status) return status;
  return flush();
}

SnapshotInput::SnapshotInput(std::unique_ptr<fs::File> file, Compression compression)
    : file_(std::move(file)), codec_(make_decompressor(compression, file_->path())) {}

Status SnapshotInput::fill() {
  chunk_.resize(kReadBytes);
  const auto got = file_->pread(offset_, chunk_);
  if (!got) return got.error();
  buffer_.erase(0, at_);
  at_ = 0;
  offset_ += *got;
  if (*got == 0) {
    ended_ = true;
    return codec_->end(buffer_);
  }
  return codec_->push(std::string_view(chunk_).substr(0, *got), buffer_);
}

Result<std::string_view> SnapshotInput::peek(std::size_t count) {
  while (buffer_.size() - at_ < count && !ended_) {
    if (auto status = fill(); !status) return status.error();
  }
  return std::string_view(buffer_).substr(at_);
}

void SnapshotInput::consume(std::size_t count) {
  ENSURE(count <= buffer_.size() - at_);
  adler_ = base::adler32(std::string_view(buffer_).substr(at_, count), adler_);
  at_ += count;
}

}  // namespace tandem::coord::storage
