// The tree as a leader sends it to a learner, behind the packet SNAP on the same stream: sessions, ACL lists,
// nodes, "/", as in a snapshot file (docs/format-snapshot.md) but without header, seals and digest, then the
// string "BenWasHere". The parts are those of snapshot_file.h; this is how they end, and a reader that takes
// them as they arrive. It asks for no memory: what is not whole stays with the caller, bounded by item_max.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "coord/storage/snapshot_file.h"

namespace tandem::coord::storage {

// Behind the last node.
void encode_body_end(std::string& out);

class SnapshotBodyReader {
 public:
  // No path, datum or ACL list may be longer than `item_max`.
  SnapshotBodyReader(SnapshotVisitor& visitor, std::size_t item_max)
      : visitor_(visitor), item_max_(item_max) {}

  struct Taken {
    std::size_t total = 0;  // bytes to drop from the front
    std::size_t raw = 0;    // of them, those to give to SnapshotWriter::write
  };
  // Visits the whole items at the start of `bytes`. An error is final, the tree is to be thrown away.
  base::Result<Taken> read(std::string_view bytes);

  bool done() const { return part_ == Part::done; }
  std::uint64_t nodes() const { return nodes_; }

 private:
  enum class Part : std::uint8_t { session_count, sessions, acl_count, acls, nodes, signature, done };

  // The size of the next item; 0 while it is not whole.
  base::Result<std::size_t> step(std::string_view bytes);
  base::Result<std::size_t> count(std::string_view bytes, Part items);
  base::Result<std::size_t> session(std::string_view bytes);
  base::Result<std::size_t> acl(std::string_view bytes);
  base::Result<std::size_t> node(std::string_view bytes);
  base::Result<std::size_t> signature(std::string_view bytes);

  SnapshotVisitor& visitor_;
  std::size_t item_max_;
  Part part_ = Part::session_count;
  std::int32_t left_ = 0;              // sessions or ACL lists
  std::size_t acl_seen_ = 0;           // bytes of the list in front that were looked at
  std::int64_t acl_strings_left_ = 0;  // of it, schemes and ids
  std::uint64_t nodes_ = 0;
};

}  // namespace tandem::coord::storage
