#include "coord/storage/snapshot_stream.h"

#include <algorithm>

#include "base/check.h"
#include "base/checksum.h"
#include "fs/page_cache.h"

namespace tandem::coord::storage {

using base::Result;
using base::Status;

namespace {

constexpr std::size_t kReadBytes = 1U << 20;
constexpr std::size_t kReadAhead = 4U << 20;

}  // namespace

SnapshotOutput::SnapshotOutput(fs::File& file, Compression compression, bool past_cache)
    : file_(file, past_cache),
      codec_(compression == Compression::none ? nullptr : make_compressor(compression)) {}

Status SnapshotOutput::write(std::string_view raw) {
  adler_ = base::adler32(raw, adler_);
  if (codec_ == nullptr) return file_.append(raw);
  compressed_.clear();
  if (auto status = codec_->push(raw, compressed_); !status) return status;
  return file_.append(compressed_);
}

Status SnapshotOutput::finish() {
  if (codec_ != nullptr) {
    compressed_.clear();
    if (auto status = codec_->end(compressed_); !status) return status;
    if (auto status = file_.append(compressed_); !status) return status;
  }
  return file_.finish();
}

SnapshotInput::SnapshotInput(std::unique_ptr<fs::File> file, Compression compression)
    : file_(std::move(file)),
      plain_(compression == Compression::none),
      codec_(make_decompressor(compression, file_->path())) {}

std::uint64_t SnapshotInput::raw_bytes() const {
  if (!plain_) return 0;
  const auto size = file_->size();
  return size ? *size : 0;
}

// Appends the next bytes of the file; none at its end. What comes after them is read meanwhile.
Status SnapshotInput::read(std::string& out) {
  const std::size_t had = out.size();
  out.resize(had + kReadBytes);
  if (offset_ + kReadAhead > ahead_) {
    ahead_ = std::max(ahead_, offset_);
    fs::read_ahead(*file_, ahead_, kReadAhead);
    ahead_ += kReadAhead;
  }
  const auto got = file_->pread(offset_, std::span(out).subspan(had));
  if (!got) return got.error();
  out.resize(had + *got);
  offset_ += *got;
  ended_ = *got == 0;
  return {};
}

Status SnapshotInput::fill() {
  static_cast<void>(checksum());
  buffer_.erase(0, at_);
  at_ = summed_ = 0;
  if (plain_) return read(buffer_);
  chunk_.clear();
  if (auto status = read(chunk_); !status) return status;
  return ended_ ? codec_->end(buffer_) : codec_->push(chunk_, buffer_);
}

Result<std::string_view> SnapshotInput::peek(std::size_t count) {
  while (buffer_.size() - at_ < count && !ended_) {
    if (auto status = fill(); !status) return status.error();
  }
  return std::string_view(buffer_).substr(at_);
}

void SnapshotInput::consume(std::size_t count) {
  ENSURE(count <= buffer_.size() - at_);
  at_ += count;
}

std::uint32_t SnapshotInput::checksum() {
  adler_ = base::adler32(std::string_view(buffer_).substr(summed_, at_ - summed_), adler_);
  summed_ = at_;
  return adler_;
}

}  // namespace tandem::coord::storage
