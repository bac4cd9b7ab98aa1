#include "coord/storage/txn_log_reader.h"

#include <algorithm>

#include "base/checksum.h"
#include "bytes/reader.h"
#include "coord/storage/files.h"
#include "coord/storage/txn_log.h"

namespace tandem::coord::storage {

using base::Errc;
using base::Result;

namespace {

constexpr std::uint64_t kWindow = 1U << 20;
constexpr std::uint64_t kSmallestPayload = 32;  // a TxnHeader

}  // namespace

const char* to_string(LogEnd end) {
  switch (end) {
    case LogEnd::clean:
      return "clean end";
    case LogEnd::empty:
      return "no whole file header";
    case LogEnd::bad_checksum:
      return "checksum does not match";
    case LogEnd::bad_length:
      return "impossible record length";
    case LogEnd::no_end_mark:
      return "end mark is missing";
  }
  UNREACHABLE("log end {}", static_cast<int>(end));
}

Result<std::unique_ptr<TxnLogReader>> TxnLogReader::open(fs::Disk& disk, const std::string& path) {
  auto file = disk.open(path, fs::OpenMode::read);
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  std::unique_ptr<TxnLogReader> reader(new TxnLogReader(std::move(*file), *size));
  const auto head = reader->window(0, kFileHeaderSize);
  if (!head) return head.error();
  reader->entry_ = reader->next_ = kFileHeaderSize;
  const bool zeros = head->find_first_not_of('\0') == std::string_view::npos;
  if (head->size() < kFileHeaderSize || zeros) {
    reader->entry_ = reader->next_ = 0;
    reader->ended_ = true;
    reader->end_ = LogEnd::empty;
    return reader;
  }
  bytes::Reader header(*head);
  const std::int32_t magic = header.i32();
  const std::int32_t version = header.i32();
  if (magic != kLogMagic || version != kFormatVersion)
    return base::make_error(Errc::corrupt, "{} is not a transaction log (magic {:#x}, version {})", path,
                            magic, version);
  return reader;
}

Result<std::string_view> TxnLogReader::window(std::uint64_t offset, std::uint64_t count) {
  count = std::min(count, size_ - std::min(size_, offset));
  const bool inside = offset >= buffer_at_ && offset + count <= buffer_at_ + buffer_.size();
  if (!inside) {
    buffer_.resize(std::min(std::max(count, kWindow), size_ - offset));
    const auto got = file_->pread(offset, buffer_);
    if (!got) return got.error();
    buffer_.resize(*got);
    buffer_at_ = offset;
  }
  return std::string_view(buffer_).substr(offset - buffer_at_, count);
}

Result<std::optional<std::string_view>> TxnLogReader::finish(LogEnd end) {
  ended_ = true;
  end_ = end;
  return std::optional<std::string_view>();
}

Result<bool> TxnLogReader::zeros_from(std::uint64_t offset) {
  const auto end = data_end(offset);
  if (!end) return end.error();
  return *end <= offset;
}

Result<std::optional<std::string_view>> TxnLogReader::next() {
  if (ended_) return std::optional<std::string_view>();
  entry_ = next_;
  const auto head = window(entry_, kEntryHeaderSize);
  if (!head) return head.error();
  bytes::Reader reader(*head);
  const std::int64_t checksum = reader.i64();
  const std::int32_t length = reader.i32();
  if (!reader.ok() || length == 0) {
    const auto zeros = zeros_from(entry_);
    if (!zeros) return zeros.error();
    return finish(*zeros ? LogEnd::clean : LogEnd::bad_length);
  }
  const std::uint64_t left = size_ - entry_ - kEntryHeaderSize;
  if (length < 0 || static_cast<std::uint64_t>(length) + 1 > left) return finish(LogEnd::bad_length);
  const auto body = window(entry_ + kEntryHeaderSize, static_cast<std::uint64_t>(length) + 1);
  if (!body) return body.error();
  const std::string_view payload = body->substr(0, body->size() - 1);
  if (base::adler32(payload) != checksum) return finish(LogEnd::bad_checksum);
  if (body->back() != kEndOfRecord) return finish(LogEnd::no_end_mark);
  next_ = entry_ + kEntryOverhead + static_cast<std::uint64_t>(length);
  return std::optional<std::string_view>(payload);
}

Result<std::uint64_t> TxnLogReader::data_end(std::uint64_t from) {
  std::uint64_t end = size_;
  while (end > from) {
    const std::uint64_t start = end - from > kWindow ? end - kWindow : from;
    const auto bytes = window(start, end - start);
    if (!bytes) return bytes.error();
    const std::size_t at = bytes->find_last_not_of('\0');
    if (at != std::string_view::npos) return start + at + 1;
    end = start;
  }
  return from;
}

Result<std::optional<std::uint64_t>> TxnLogReader::scan_for_entry(std::uint64_t from) {
  const auto end = data_end(from);
  if (!end) return end.error();
  for (std::uint64_t at = from; at + kEntryOverhead + kSmallestPayload <= *end; ++at) {
    const auto head = window(at, kEntryHeaderSize);
    if (!head) return head.error();
    bytes::Reader reader(*head);
    const std::int64_t checksum = reader.i64();
    const std::int32_t length = reader.i32();
    if (length < static_cast<std::int32_t>(kSmallestPayload)) continue;
    if (checksum < 0 || checksum > 0xffffffffLL) continue;
    const std::uint64_t entry_end = at + kEntryOverhead + static_cast<std::uint64_t>(length);
    if (entry_end > *end) continue;
    const auto body = window(at + kEntryHeaderSize, static_cast<std::uint64_t>(length) + 1);
    if (!body) return body.error();
    if (body->back() == kEndOfRecord && base::adler32(body->substr(0, body->size() - 1)) == checksum)
      return {at};
  }
  return std::optional<std::uint64_t>();
}

}  // namespace tandem::coord::storage
