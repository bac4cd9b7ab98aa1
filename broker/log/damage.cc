#include "broker/log/damage.h"

#include <algorithm>
#include <array>
#include <limits>

namespace tandem::broker::log {

using base::Result;
using base::Status;

namespace {

using record::kHeaderPrefix;
using record::kMagicAt;

constexpr std::uint64_t kChunk = std::uint64_t{1} << 20;
constexpr std::uint64_t kSearchedMax = std::uint64_t{16} << 20;  // of what may be a torn end
constexpr char kMagic = 2;

// A head that a batch could have, before its CRC is asked.
bool likely(std::string_view head, std::uint64_t room, std::int64_t at_least) {
  const std::uint64_t size = record::batch_size_from_prefix(head);
  const std::int64_t base = record::BatchView(head).offset_field();
  return size > 0 && size <= room && base >= at_least &&
         base - at_least <= std::numeric_limits<std::int32_t>::max();
}

using Prefix = std::array<char, kHeaderPrefix>;

// The head of the batch there, in `bytes`; none at the end, or where it is of an older format.
Result<std::optional<record::BatchView>> head_at(const fs::File& file, std::uint64_t position,
                                                 std::uint64_t limit, Prefix& bytes) {
  if (position + kHeaderPrefix > limit) return std::optional<record::BatchView>{};
  const auto got = file.pread(position, bytes);
  if (!got) return got.error();
  const record::BatchView head(std::string_view(bytes.data(), *got));
  if (*got < kHeaderPrefix || head.magic() != kMagic) return std::optional<record::BatchView>{};
  return std::optional(head);
}

}  // namespace

Result<bool> in_order(const fs::File& file, const BatchScan& scan, std::uint64_t limit,
                      std::int64_t expected) {
  const record::BatchView& batch = scan.batch();
  const std::int64_t first = batch.magic() >= 2 ? batch.offset_field() : batch.last_offset();
  if (first < expected || batch.last_offset() < first) return false;
  if (first == expected || batch.magic() < 2) return true;
  Prefix bytes;
  const auto head = head_at(file, scan.next_position(), limit, bytes);
  if (!head) return head.error();
  return !*head || (*head)->offset_field() >= batch.next_offset();
}

Result<bool> of_its_epoch(const fs::File& file, const BatchScan& scan, std::uint64_t limit,
                          std::optional<std::int32_t> before, const LeaderEpochs& epochs) {
  const record::BatchView& batch = scan.batch();
  if (batch.magic() < 2 || batch.leader_epoch() == record::kNoLeaderEpoch || batch.leader_epoch() == before)
    return true;
  const auto known = epochs.epoch_of(batch.offset_field());
  if (!known || known == batch.leader_epoch()) return true;
  Prefix bytes;
  const auto head = head_at(file, scan.next_position(), limit, bytes);
  if (!head) return head.error();
  return *head && (*head)->leader_epoch() == batch.leader_epoch();
}

Result<bool> batch_behind(const fs::File& file, std::uint64_t begin, std::uint64_t end,
                          std::int64_t at_least) {
  const std::uint64_t until = begin + std::min(end - begin, kSearchedMax);
  std::string chunk;
  for (std::uint64_t from = begin + 1; from + kHeaderPrefix <= until;) {
    chunk.resize(std::min(kChunk, until - from));
    const auto got = file.pread(from, chunk);
    if (!got) return got.error();
    if (*got < kHeaderPrefix) break;
    // The magic is looked for first: in most bytes there is nothing more to be done.
    const std::string_view bytes(chunk.data(), *got);
    for (auto magic = bytes.find(kMagic, kMagicAt); magic != bytes.npos;
         magic = bytes.find(kMagic, magic + 1)) {
      const std::size_t at = magic - kMagicAt;
      if (!likely(bytes.substr(at, kHeaderPrefix), end - from - at, at_least)) continue;
      BatchScan scan(file, from + at, end, BatchScan::Mode::whole);
      if (scan.next() && scan.batch().is_valid()) return true;
      if (scan.error()) return *scan.error();
    }
    from += *got - (kHeaderPrefix - 1);  // a head may lie across two chunks
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
    chunk.resize(std::min(kChunk, end - begin));
    const auto got = from.pread(begin, chunk);
    if (!got) return got.error();
    if (*got == 0) break;
    if (auto status = (*to)->append(std::string_view(chunk).substr(0, *got)); !status) return status;
    begin += *got;
  }
  return (*to)->datasync();
}

}  // namespace tandem::broker::log
