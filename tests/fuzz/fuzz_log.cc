// A partition's directory: whatever its files hold, it is loaded or refused; a second load agrees with the
// first and finds nothing more to mend; every offset in it can be read. The input is a list of files: {kind
// u8, size u8, bytes}; segment bytes are cut into records of batches framed here, so that recovery goes
// beyond the first checksum.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/checksum.h"
#include "broker/log/log.h"
#include "broker/record/builder.h"
#include "tests/fuzz/memory_disk.h"

using namespace tandem;
using namespace tandem::broker;

namespace {

constexpr const char* kFiles[] = {"00000000000000000000.log",
                                  "00000000000000000000.index",
                                  "00000000000000000000.timeindex",
                                  "00000000000000000000.txnindex",
                                  "00000000000000000003.log",
                                  "00000000000000000003.index",
                                  "00000000000000000003.timeindex",
                                  "00000000000000000003.snapshot",
                                  "leader-epoch-checkpoint",
                                  "00000000000000000000.log.swap",
                                  "partition.metadata",
                                  "00000000000000000006.snapshot"};

// Batches whose offset, epoch, producer and flags come from the input.
std::string segment_of(std::string_view input) {
  std::string out;
  while (input.size() >= 8) {
    const auto byte = [&input](std::size_t at) { return static_cast<std::uint8_t>(input[at]); };
    record::BatchOptions options{.base_offset = byte(0), .leader_epoch = byte(1) % 8};
    if (byte(2) % 4 != 0) {
      options.producer_id = byte(2) % 8;
      options.producer_epoch = byte(3) % 4;
      options.base_sequence = byte(4);
      options.transactional = byte(2) % 3 == 0;
    }
    std::string batch;
    if (byte(5) % 5 == 0) {
      batch = record::write_end_marker(options, byte(6), {record::ControlType(byte(6) % 2), 1});
    } else {
      record::BatchBuilder builder(options);
      for (std::int64_t i = 0; i < 1 + byte(6) % 3; ++i)
        builder.append(options.base_offset + i, byte(7) * 10 + i, "k", input.substr(0, 8));
      batch = *builder.finish();
    }
    if (byte(5) == 255) batch.resize(batch.size() - byte(6) % 40);
    out += batch;
    input.remove_prefix(8);
  }
  return out.append(input);
}

std::string framed(std::size_t kind, std::string_view bytes) {
  const std::string_view name = kFiles[kind];
  if (name.ends_with(".log") || name.ends_with(".swap")) return segment_of(bytes);
  if (!name.ends_with(".snapshot") || bytes.size() < 46) return std::string(bytes);
  std::string out(6, '\0');
  out[1] = 1;
  const std::size_t count = bytes.size() / 46;
  out.append(3, '\0').push_back(static_cast<char>(count));
  out.append(bytes.substr(0, count * 46));
  record::store_be(out.data() + 2, base::crc32c(std::string_view(out).substr(6)));
  return out;
}

std::vector<std::int64_t> walk(log::Log& log) {
  std::vector<std::int64_t> ends;
  std::int64_t from = log.start_offset();
  while (from < log.end_offset()) {
    const auto range = log.read(from, 100, log.end_offset(), true);
    if (!range || range->size == 0) break;
    std::string bytes(range->size, '\0');
    static_cast<void>(range->file->pread(range->position, bytes));
    record::BatchCursor cursor(bytes);
    if (!cursor.next()) break;
    ENSURE(cursor.batch().next_offset() > from, "a read at {} gives a batch that ends at {}", from,
           cursor.batch().next_offset());
    from = cursor.batch().next_offset();
    ends.push_back(from);
  }
  static_cast<void>(log.find_timestamp(500));
  static_cast<void>(log.find_max_timestamp());
  static_cast<void>(log.aborted_in(log.start_offset(), log.end_offset()));
  return ends;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  log::LoadOptions options{
      .clean = (data[0] & 1) != 0, .recovery_point = data[1] % 16, .log_start = data[1] / 32, .now_ms = 1000};
  options.config.index_interval_bytes = 50;
  input.remove_prefix(2);
  fs::MemoryDisk disk;
  while (input.size() > 2) {
    const std::size_t kind = static_cast<std::uint8_t>(input[0]) % std::size(kFiles);
    const std::size_t length = std::min<std::size_t>(static_cast<std::uint8_t>(input[1]), input.size() - 2);
    disk.put(std::string("d/t-0/") + kFiles[kind], framed(kind, input.substr(2, length)));
    input.remove_prefix(2 + length);
  }
  log::LoadReport report;
  auto first = log::Log::load(disk, "d/t-0", {"t", 0}, options, report);
  if (!first) return 0;
  const auto ends = walk(**first);
  const std::int64_t end = (*first)->end_offset();
  ENSURE((*first)->start_offset() <= end, "the log starts at {} and ends at {}", (*first)->start_offset(),
         end);
  if (!(*first)->failed()) ENSURE((*first)->close(false).has_value());
  first->reset();
  options.clean = true;
  log::LoadReport again;
  auto second = log::Log::load(disk, "d/t-0", {"t", 0}, options, again);
  ENSURE(second.has_value(), "a log that was loaded is refused: {}", second.error().context);
  ENSURE((*second)->end_offset() == end, "two loads end at {} and {}", end, (*second)->end_offset());
  ENSURE(again.truncated_bytes == 0 && walk(**second) == ends, "two loads differ");
  return 0;
}
