// The transaction log: any bytes are recovered from or refused, a second recovery finds a clean log with the
// same transactions, and whatever transactions a log holds, applying them does not fail the tree. First byte
// even: the rest is the file. Odd: the rest is payloads of a byte of length each, framed here, so that
// mutation reaches what the checksum protects.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "bytes/writer.h"
#include "coord/server/tree_restore.h"
#include "coord/storage/recovery.h"
#include "coord/storage/txn_log.h"
#include "tests/fuzz/memory_disk.h"

using namespace tandem;
using namespace tandem::coord;

namespace {

std::string framed(std::string_view input) {
  std::string out = storage::encode_file_header(storage::kLogMagic, storage::kLogDbId);
  for (std::int64_t zxid = 1; !input.empty(); ++zxid) {
    const std::size_t size =
        std::min<std::size_t>(static_cast<std::uint8_t>(input.front()), input.size() - 1);
    // Header: client id, cxid, zxid in order, time, and the type from the input.
    std::string payload;
    bytes::Writer writer(payload);
    writer.i64(7);
    writer.i32(1);
    writer.i64(zxid);
    writer.i64(1);
    writer.bytes(input.substr(1, size));
    storage::frame_entry(out, payload);
    input.remove_prefix(1 + size);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  fs::MemoryDisk disk;
  disk.put("d/log.1", data[0] % 2 == 0 ? std::string(input) : framed(input));
  const storage::RecoveryOptions options{
      .log_directory = "d", .snapshot_directory = "d", .trust_empty_snapshot = true};
  server::TreeRestore first({.extended_types = true});
  const auto result = storage::recover(disk, options, first);
  if (!result) return 0;
  server::TreeRestore second({.extended_types = true});
  const auto again = storage::recover(disk, options, second);
  ENSURE(again.has_value(), "a log that was recovered from is refused: {}", again.error().context);
  ENSURE(again->warnings.empty(), "the log is not clean after a recovery: {}", again->warnings.front());
  ENSURE(again->txns == result->txns && again->last_zxid == result->last_zxid, "two recoveries differ");
  ENSURE(first.take_tree()->digest() == second.take_tree()->digest(), "two replays differ");
  return 0;
}
