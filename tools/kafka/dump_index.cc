#include <fmt/core.h>

#include <algorithm>

#include "broker/record/record.h"
#include "tools/kafka/dump_log.h"

namespace tandem::tools::kafka {

namespace {

namespace record = broker::record;

// Sizes of entries in Kafka's files.
constexpr std::size_t kIndexEntry = 8;
constexpr std::size_t kTimeEntry = 12;
constexpr std::size_t kProducerEntry = 46;
constexpr std::size_t kTxnEntry = 34;

// The last offset of the batch at a position, -1 when there is none.
std::int64_t last_offset_at(std::string_view log, std::size_t position) {
  if (position >= log.size()) return -1;
  record::BatchCursor cursor(log.substr(position));
  return cursor.next() ? cursor.batch().last_offset() : -1;
}

// The position of the greatest indexed offset at or before `relative`.
std::size_t position_before(std::string_view index, std::int32_t relative) {
  std::size_t position = 0;
  for (bytes::Reader in(index); in.remaining() >= kIndexEntry;) {
    const std::int32_t offset = in.i32();
    const std::int32_t at = in.i32();
    if (offset > relative || (offset == 0 && position > 0)) break;
    position = static_cast<std::size_t>(at);
  }
  return position;
}

void check_time_entry(const std::string& path, std::string_view from, std::int64_t offset,
                      std::int64_t timestamp, std::int64_t previous, DumpFaults& faults) {
  record::BatchCursor cursor(from);
  while (cursor.next() && cursor.batch().last_offset() < offset) {
  }
  if (cursor.ended() != record::CursorEnd::none || cursor.batch().last_offset() != offset) {
    const std::int64_t found = cursor.ended() == record::CursorEnd::none ? cursor.batch().last_offset() : -1;
    faults.time_not_found[path].emplace_back(offset, found);
    return;
  }
  std::int64_t newest = record::kNoTimestamp;
  record::RecordReader reader(cursor.batch());
  for (record::RecordView view; reader.next(view);) newest = std::max(newest, view.timestamp);
  if (newest != timestamp) faults.time_mismatches[path].emplace_back(timestamp, newest);
  if (previous >= timestamp) faults.time_order[path].emplace_back(timestamp, previous);
}

}  // namespace

base::Status dump_offset_index(const std::string& path, const DumpMode& mode, DumpFaults& faults) {
  const auto index = MappedFile::open(path);
  if (!index) return index.error();
  const auto log = MappedFile::open(sibling(path, ".log"));
  if (!log) return log.error();
  const std::int64_t base_offset = base_offset_of(path);
  if (index->view().size() < kIndexEntry) {
    fmt::print("{} is empty.\n", path);
    return {};
  }
  if (mode.sanity_only) {
    if (index->view().size() % kIndexEntry != 0)
      return base::make_error(base::Errc::corrupt,
                              "Index file {} is corrupt, found {} bytes which is neither positive "
                              "nor a multiple of {}.",
                              path, index->view().size(), kIndexEntry);
    fmt::print("{} passed sanity check.\n", path);
    return {};
  }
  bool first = true;
  for (bytes::Reader in(index->view()); in.remaining() >= kIndexEntry; first = false) {
    const std::int64_t offset = base_offset + in.i32();
    const std::int32_t position = in.i32();
    if (offset == base_offset && !first) return {};  // room that was set aside
    const std::int64_t found = last_offset_at(log->view(), static_cast<std::size_t>(position));
    if (found != offset) faults.index_mismatches[path].emplace_back(offset, found);
    if (!mode.verify_only) fmt::print("offset: {} position: {}\n", offset, position);
  }
  return {};
}

base::Status dump_time_index(const std::string& path, const DumpMode& mode, DumpFaults& faults) {
  const auto times = MappedFile::open(path);
  if (!times) return times.error();
  const auto log = MappedFile::open(sibling(path, ".log"));
  if (!log) return log.error();
  const auto index = MappedFile::open(sibling(path, ".index"));
  if (!index) return index.error();
  if (mode.sanity_only) {
    if (times->view().size() % kTimeEntry != 0)
      return base::make_error(base::Errc::corrupt,
                              "Time index file {} is corrupt, found {} bytes which is neither "
                              "positive nor a multiple of {}.",
                              path, times->view().size(), kTimeEntry);
    fmt::print("{} passed sanity check.\n", path);
    return {};
  }
  const std::int64_t base_offset = base_offset_of(path);
  std::int64_t previous = record::kNoTimestamp;
  bool first = true;
  for (bytes::Reader in(times->view()); in.remaining() >= kTimeEntry; first = false) {
    const std::int64_t timestamp = in.i64();
    const std::int32_t relative = in.i32();
    if (relative == 0 && !first) return {};
    const std::size_t position = std::min(position_before(index->view(), relative), log->view().size());
    check_time_entry(path, log->view().substr(position), base_offset + relative, timestamp, previous, faults);
    if (!mode.verify_only) fmt::print("timestamp: {} offset: {}\n", timestamp, base_offset + relative);
    previous = timestamp;
  }
  return {};
}

base::Status dump_producer_snapshot(const std::string& path) {
  const auto file = MappedFile::open(path);
  if (!file) return file.error();
  bytes::Reader in(file->view());
  const std::int16_t version = in.i16();
  in.u32();  // checksum
  in.i32();  // entries
  if (!in.ok() || version != 1)
    return base::make_error(base::Errc::corrupt, "Snapshot contained an unknown file version {}", version);
  while (in.remaining() >= kProducerEntry) {
    const std::int64_t producer = in.i64();
    const std::int16_t epoch = in.i16();
    const std::int32_t sequence = in.i32();
    const std::int64_t offset = in.i64();
    const std::int32_t delta = in.i32();
    const std::int64_t timestamp = in.i64();
    const std::int32_t coordinator = in.i32();
    const std::int64_t txn_first = in.i64();
    fmt::print(
        "producerId: {} producerEpoch: {} coordinatorEpoch: {} currentTxnFirstOffset: {} lastTimestamp: {} ",
        producer, epoch, coordinator,
        txn_first >= 0 ? fmt::format("OptionalLong[{}]", txn_first) : "OptionalLong.empty", timestamp);
    if (offset >= 0) {
      const std::int64_t before = static_cast<std::int64_t>(sequence) - delta;
      fmt::print("firstSequence: {} lastSequence: {} lastOffset: {} offsetDelta: {} timestamp: {}",
                 before >= 0 ? before : before + INT32_MAX + 1, sequence, offset, delta, timestamp);
    }
    fmt::print("\n");
  }
  return {};
}

base::Status dump_txn_index(const std::string& path) {
  const auto file = MappedFile::open(path);
  if (!file) return file.error();
  for (bytes::Reader in(file->view()); in.remaining() >= kTxnEntry;) {
    const std::int16_t version = in.i16();
    const std::int64_t producer = in.i64();
    const std::int64_t first = in.i64();
    const std::int64_t last = in.i64();
    fmt::print("version: {} producerId: {} firstOffset: {} lastOffset: {} lastStableOffset: {}\n", version,
               producer, first, last, in.i64());
  }
  return {};
}

}  // namespace tandem::tools::kafka
