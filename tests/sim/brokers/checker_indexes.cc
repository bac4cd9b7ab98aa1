// What the Checker knows of the indexes beside a log: K10 of docs/simulation.md. They are read as they lie on
// the disk, which is when a segment is full and after a start; of the last one some entries are in memory
// yet.
#include <fmt/format.h>

#include <algorithm>

#include "broker/log/file_names.h"
#include "broker/record/batch.h"
#include "tests/sim/brokers/checker.h"

namespace tandem::sim::brokers {

namespace blog = broker::log;
namespace record = broker::record;

namespace {

struct BatchPlace {
  std::int64_t position = 0;
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
  std::int64_t max_timestamp = 0;
};

std::vector<BatchPlace> places_of(std::string_view bytes) {
  std::vector<BatchPlace> out;
  record::BatchCursor cursor(bytes);
  while (cursor.next()) {
    const auto& batch = cursor.batch();
    out.push_back({static_cast<std::int64_t>(cursor.position()), batch.offset_field(), batch.last_offset(),
                   batch.max_timestamp()});
  }
  return out;
}

using IndexFault = std::optional<std::string>;

// Each entry {offset - base, position} is of a batch that begins there and holds nothing behind the offset's.
IndexFault fault_of_offsets(std::string_view index, std::int64_t base,
                            const std::vector<BatchPlace>& batches) {
  std::int64_t last_offset = base - 1;
  std::int64_t last_position = -1;
  for (std::size_t at = 0; at + blog::OffsetIndex::kEntrySize <= index.size();
       at += blog::OffsetIndex::kEntrySize) {
    const std::int64_t offset = base + record::load_be<std::int32_t>(index.data() + at);
    const std::int64_t position = record::load_be<std::int32_t>(index.data() + at + sizeof(std::int32_t));
    const auto text = fmt::format("entry {} at {}", offset, position);
    if (offset <= last_offset || position <= last_position) return text + " does not ascend";
    const auto batch = std::find_if(batches.begin(), batches.end(),
                                    [&](const BatchPlace& each) { return each.position == position; });
    if (batch == batches.end()) return text + " where no batch begins";
    if (offset < batch->first_offset) return fmt::format("{} of the batch of {}", text, batch->first_offset);
    if (offset > batches.back().last_offset) return text + " behind the last batch";
    last_offset = offset;
    last_position = position;
  }
  return {};
}

// Each entry {timestamp, offset - base} is of the batch that ends there and is the latest up to it.
IndexFault fault_of_times(std::string_view index, std::int64_t base, const std::vector<BatchPlace>& batches) {
  std::int64_t last = -1;
  for (std::size_t at = 0; at + blog::TimeIndex::kEntrySize <= index.size();
       at += blog::TimeIndex::kEntrySize) {
    const auto time = record::load_be<std::int64_t>(index.data() + at);
    const std::int64_t offset = base + record::load_be<std::int32_t>(index.data() + at + sizeof time);
    const auto text = fmt::format("time {} of offset {}", time, offset);
    if (time <= last) return text + " does not ascend";
    last = time;
    bool found = false;
    for (const BatchPlace& batch : batches) {
      if (batch.last_offset > offset) break;
      if (batch.max_timestamp > time) return fmt::format("{} behind {}", text, batch.max_timestamp);
      found = batch.last_offset == offset && batch.max_timestamp == time;
    }
    if (!found) return text + " where no batch ends that has it";
  }
  return {};
}

}  // namespace

void Checker::look_at_indexes(Watched& watched, const api::Replica& replica, Seen& seen, const Say& say) {
  const auto& log = *replica.log;
  if (log.segment_count() == seen.segments && log.end_offset() >= seen.end) return;
  const auto files = watched.disk().list(log.dir());
  if (!files) return;
  std::vector<std::int64_t> bases;
  for (const auto& file : *files)
    if (const auto name = blog::parse_segment_file(file.name); name && name->suffix == blog::kLogSuffix)
      bases.push_back(name->base_offset);
  if (bases.empty()) return;
  std::sort(bases.begin(), bases.end());
  for (const std::int64_t base : bases) {
    // The last one may have been appended to since.
    if (base < seen.indexed && base != bases.back()) continue;
    const auto path = [&](std::string_view suffix) {
      return fs::join(log.dir(), blog::segment_file(base, suffix));
    };
    const auto bytes = fs::read_file(watched.disk(), path(blog::kLogSuffix));
    const auto offsets = fs::read_file(watched.disk(), path(blog::kIndexSuffix));
    const auto times = fs::read_file(watched.disk(), path(blog::kTimeIndexSuffix));
    if (!bytes || !offsets || !times) continue;
    const auto batches = places_of(*bytes);
    auto fault = fault_of_offsets(*offsets, base, batches);
    if (!fault) fault = fault_of_times(*times, base, batches);
    if (fault) say("K10", fmt::format("segment {}: {}", base, *fault));
  }
  seen.segments = log.segment_count();
  seen.indexed = bases.back();
}

}  // namespace tandem::sim::brokers
