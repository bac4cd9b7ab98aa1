// Snapshots: any bytes of any compression are loaded or refused in bounded memory, and what was loaded is
// written and read back to the same tree. First byte: 0 plain, 1 gzip, 2 snappy, else the rest is put between
// a file header and the right seals, so that mutation reaches what the checksum protects.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/checksum.h"
#include "bytes/writer.h"
#include "coord/server/tree_restore.h"
#include "coord/shell/snapshot_writer.h"
#include "coord/storage/snapshot_file.h"
#include "tests/fuzz/memory_disk.h"

using namespace tandem;
using namespace tandem::coord;

namespace {

std::string sealed(std::string_view body) {
  std::string out = storage::encode_file_header(storage::kSnapshotMagic, storage::kSnapshotDbId);
  bytes::Writer writer(out);
  writer.bytes(body);
  writer.i32(1);
  writer.u8('/');
  writer.i64(base::adler32(out));
  writer.i32(1);
  writer.u8('/');
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr storage::Compression kCompressions[] = {storage::Compression::none, storage::Compression::gzip,
                                                    storage::Compression::snappy};
  const bool raw = data[0] < std::size(kCompressions);
  const storage::Compression compression = raw ? kCompressions[data[0]] : storage::Compression::none;
  fs::MemoryDisk disk;
  disk.put("d/in", raw ? std::string(input) : sealed(input));
  static_cast<void>(storage::looks_valid(disk, "d/in", compression));
  server::TreeRestore first({});
  const auto trailer = storage::read_snapshot(disk, "d/in", compression, first);
  if (!trailer || !first.on_snapshot_end(jute::Zxid(9), *trailer)) return 0;

  const auto tree = first.take_tree();
  const auto written = shell::SnapshotWriter::write_now(disk, {.directory = "d", .compression = compression},
                                                        {}, *tree, shell::SessionTimeouts());
  ENSURE(written.has_value());
  server::TreeRestore second({});
  const auto again = storage::read_snapshot(disk, written->path, compression, second);
  ENSURE(again.has_value(), "our own snapshot is refused: {}", again.error().context);
  ENSURE(second.on_snapshot_end(jute::Zxid(9), *again).has_value());
  ENSURE(!second.first_mismatch().has_value(), "the digest of our own snapshot differs");
  return 0;
}
