// A tree that a leader sends inline: any bytes, in pieces of any size, are loaded or refused in bounded
// memory, the same way whatever the pieces, and a tree that was loaded leaves a snapshot file that gives it
// back. First byte: the size of the pieces.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "coord/server/tree_restore.h"
#include "coord/storage/snapshot_body.h"
#include "tests/fuzz/memory_disk.h"

using namespace tandem;
using namespace tandem::coord;

namespace {

constexpr std::size_t kItemMax = 1 << 16;

// Whether the whole tree came; `raw` is what goes to the file.
bool load(std::string_view input, std::size_t piece, server::TreeRestore& target, std::string& raw) {
  storage::SnapshotBodyReader reader(target, kItemMax);
  std::string waiting;
  while (!reader.done() && !input.empty()) {
    waiting.append(input.substr(0, piece));
    input.remove_prefix(std::min(piece, input.size()));
    const auto taken = reader.read(waiting);
    if (!taken) return false;
    raw.append(waiting, 0, taken->raw);
    waiting.erase(0, taken->total);
  }
  return reader.done();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  server::TreeRestore first({});
  server::TreeRestore in_pieces({});
  std::string raw;
  std::string raw_of_pieces;
  const bool loaded = load(input, input.size(), first, raw);
  ENSURE(load(input, std::size_t{data[0]} + 1, in_pieces, raw_of_pieces) == loaded, "the pieces matter");
  if (!loaded || !first.on_snapshot_end(jute::Zxid(9), {})) return 0;
  ENSURE(raw == raw_of_pieces);

  fs::MemoryDisk disk;
  auto writer = storage::SnapshotWriter::create(disk, {.directory = "d"}, jute::Zxid(9));
  ENSURE(writer.has_value() && (*writer)->write(raw).has_value() && (*writer)->finish({}).has_value());
  server::TreeRestore second({});
  const auto again = storage::read_snapshot(disk, (*writer)->path(), storage::Compression::none, second);
  ENSURE(again.has_value(), "the file of a tree that was received is refused: {}", again.error().context);
  ENSURE(second.on_snapshot_end(jute::Zxid(9), *again).has_value());
  ENSURE(first.take_tree()->digest() == second.take_tree()->digest(), "the file holds another tree");
  return 0;
}
