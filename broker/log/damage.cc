#include "broker/log/damage.h"

#include <algorithm>
#include <limits>

namespace tandem::broker::log {

using base::Result;
using base::Status;

namespace {

constexpr std::uint64_t kAsideChunk = std::uint64_t{1} << 20;
constexpr std::uint64_t kSearchedMax = std::uint64_t{16} << 20;  // of what may be a torn end
constexpr std::size_t kHead = 17;                                // base offset, length, epoch, magic
constexpr std::size_t kLengthAt = 8;
constexpr std::size_t kMagicAt = 16;
constexpr std::uint64_t kBeforeLength = 12;
constexpr std::uint64_t kBatchMin = 61;

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < width; ++i) out = out << 8 | static_cast<unsigned char>(bytes[at + i]);
  return out;
}

std::int64_t base_offset_of(std::string_view head) {
  return static_cast<std::int64_t>(number_at(head, 0, kLengthAt));
}

// A head that a batch of version 2 could have, before its CRC is asked.
bool likely(std::string_view head, std::uint64_t room, std::int64_t at_least) {
  const std::uint64_t size = kBeforeLength + number_at(head, kLengthAt, 4);
  const std::int64_t base = base_offset_of(head);
  return head[kMagicAt] == 2 && size >= kBatchMin && size <= room && base >= at_least &&
         base - at_least <= std::numeric_limits<std::int32_t>::max();
}

}  // namespace

Result<bool> in_order(const fs::File& file, const BatchScan& scan, std::uint64_t limit,
                      std::int64_t expected) {
  const record::BatchView& batch = scan.batch();
  const std::int64_t first = batch.magic() >= 2 ? batch.offset_field() : batch.last_offset();
  if (first < expected || batch.last_offset() < first) return false;
  if (first == expected || batch.magic() < 2 || scan.next_position() + kHead > limit) return true;
  std::string head(kHead, '\0');
  const auto got = file.pread(scan.next_position(), head);
  if (!got) return got.error();
  if (*got < kHead || head[kMagicAt] != 2) return true;
  return base_offset_of(head) >= batch.next_offset();
}

Result<bool> batch_behind(const fs::File& file, std::uint64_t begin, std::uint64_t end,
                          std::int64_t at_least) {
  std::string bytes(std::min(end - begin, kSearchedMax), '\0');
  const auto got = file.pread(begin, bytes);
  if (!got) return got.error();
  bytes.resize(*got);
  for (std::size_t at = 1; at + kHead <= bytes.size(); ++at) {
    if (!likely(std::string_view(bytes).substr(at), end - begin - at, at_least)) continue;
    BatchScan scan(file, begin + at, end, BatchScan::Mode::whole);
    if (scan.next() && scan.batch().is_valid()) return true;
    if (scan.error()) return *scan.error();
  }
  return false;
}

Status copy_aside(fs::Disk& disk, const fs::File& from, std::uint64_t begin, std::uint64_t end,
                  const std::string& path) {
  auto to = disk.open(path, fs::OpenMode::create);
  if (!to) return to.error();
  if (auto status = (*to)->truncate(0); !status) return status;
  (*to)->set_append_position(0);
  std::string chunk;
  while (begin < end) {
    chunk.resize(std::min(kAsideChunk, end - begin));
    const auto got = from.pread(begin, chunk);
    if (!got) return got.error();
    if (*got == 0) break;
    if (auto status = (*to)->append(std::string_view(chunk).substr(0, *got)); !status) return status;
    begin += *got;
  }
  return (*to)->datasync();
}

}  // namespace tandem::broker::log
