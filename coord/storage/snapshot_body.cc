#include "coord/storage/snapshot_body.h"

#include <algorithm>

#include "base/check.h"
#include "bytes/reader.h"
#include "bytes/writer.h"
#include "jute/codec.h"

namespace tandem::coord::storage {

using base::Errc;
using base::Result;

namespace {

constexpr std::string_view kTreeEnd("\0\0\0\1/", 5);
constexpr std::string_view kSignature = "BenWasHere";
constexpr std::size_t kSessionSize = 12;
constexpr std::size_t kAclIdSize = 8;
constexpr std::size_t kPermsSize = 4;

base::Error corrupt(const char* what) {
  return base::make_error(Errc::corrupt, "the leader's snapshot is damaged: {}", what);
}

}  // namespace

void encode_body_end(std::string& out) {
  bytes::Writer writer(out);
  writer.bytes(kTreeEnd);
  writer.i32(static_cast<std::int32_t>(kSignature.size()));
  writer.bytes(kSignature);
}

Result<SnapshotBodyReader::Taken> SnapshotBodyReader::read(std::string_view bytes) {
  Taken taken;
  while (!done()) {
    const Part part = part_;
    const auto size = step(bytes.substr(taken.total));
    if (!size) return size.error();
    if (*size == 0) break;
    taken.total += *size;
    // The end of the tree and the signature are not the file's: its writer puts its own end.
    const bool tree_ended = part == Part::nodes && part_ == Part::signature;
    if (part != Part::signature && !tree_ended) taken.raw += *size;
  }
  return taken;
}

Result<std::size_t> SnapshotBodyReader::step(std::string_view bytes) {
  switch (part_) {
    case Part::session_count:
      return count(bytes, Part::sessions);
    case Part::sessions:
      return session(bytes);
    case Part::acl_count:
      return count(bytes, Part::acls);
    case Part::acls:
      return acl(bytes);
    case Part::nodes:
      return node(bytes);
    case Part::signature:
      return signature(bytes);
    case Part::done:
      return std::size_t{0};
  }
  UNREACHABLE("part {}", static_cast<int>(part_));
}

Result<std::size_t> SnapshotBodyReader::count(std::string_view bytes, Part items) {
  bytes::Reader reader(bytes);
  left_ = reader.i32();
  if (!reader.ok()) return std::size_t{0};
  if (left_ < 0) return corrupt("negative count");
  part_ = items;
  if (left_ == 0) part_ = items == Part::sessions ? Part::acl_count : Part::nodes;
  return reader.position();
}

Result<std::size_t> SnapshotBodyReader::session(std::string_view bytes) {
  if (bytes.size() < kSessionSize) return std::size_t{0};
  bytes::Reader reader(bytes);
  const jute::SessionId id(reader.i64());
  visitor_.on_session(id, reader.i32());
  if (--left_ == 0) part_ = Part::acl_count;
  return kSessionSize;
}

// A list has no length in bytes: how far it was seen is kept, so that its bytes are looked at once.
Result<std::size_t> SnapshotBodyReader::acl(std::string_view bytes) {
  if (acl_seen_ == 0) {
    bytes::Reader reader(bytes);
    reader.skip(kAclIdSize);
    acl_strings_left_ = 2 * static_cast<std::int64_t>(std::max(reader.i32(), 0));
    if (!reader.ok()) return std::size_t{0};
    acl_seen_ = reader.position();
  }
  for (; acl_strings_left_ > 0; --acl_strings_left_) {
    bytes::Reader reader(bytes.substr(acl_seen_));
    if (acl_strings_left_ % 2 == 0) reader.skip(kPermsSize);
    const std::int32_t size = reader.i32();
    if (size > 0) reader.skip(static_cast<std::size_t>(size));
    if (acl_seen_ > item_max_ || (size > 0 && static_cast<std::size_t>(size) > item_max_))
      return corrupt("bad ACL list");
    if (!reader.ok()) return std::size_t{0};
    acl_seen_ += reader.position();
  }
  bytes::Reader reader(bytes);
  const std::int64_t id = reader.i64();
  std::vector<jute::ACL> list;
  jute::Decoder decoder(reader);
  decoder("acls", list);
  if (!reader.ok() || reader.position() != acl_seen_) return corrupt("bad ACL list");
  acl_seen_ = 0;
  visitor_.on_acl(id, std::move(list));
  if (--left_ == 0) part_ = Part::nodes;
  return reader.position();
}

Result<std::size_t> SnapshotBodyReader::node(std::string_view bytes) {
  bytes::Reader reader(bytes);
  SnapshotNode node;
  const std::int32_t path_size = reader.i32();
  if (!reader.ok()) return std::size_t{0};
  if (path_size < 0 || static_cast<std::size_t>(path_size) > item_max_) return corrupt("bad path length");
  node.path = reader.bytes(static_cast<std::size_t>(path_size));
  if (!reader.ok()) return std::size_t{0};
  if (node.path == "/") {
    part_ = Part::signature;
    return reader.position();
  }
  const std::int32_t data_size = reader.i32();
  if (!reader.ok()) return std::size_t{0};
  if (data_size < -1 || (data_size > 0 && static_cast<std::size_t>(data_size) > item_max_))
    return corrupt("bad data length");
  const auto data_bytes = static_cast<std::size_t>(std::max(data_size, 0));
  if (reader.remaining() < data_bytes + kNodeFixedSize) return std::size_t{0};
  const std::string_view data = reader.bytes(data_bytes);
  if (data_size >= 0) node.data = data;
  node.acl_id = reader.i64();
  jute::decode(reader, node.stat);
  if (auto status = visitor_.on_node(node); !status) return status.error();
  ++nodes_;
  return reader.position();
}

Result<std::size_t> SnapshotBodyReader::signature(std::string_view bytes) {
  bytes::Reader reader(bytes);
  const std::int32_t size = reader.i32();
  if (!reader.ok()) return std::size_t{0};
  if (size != static_cast<std::int32_t>(kSignature.size())) return corrupt("its end is missing");
  const std::string_view text = reader.bytes(kSignature.size());
  if (!reader.ok()) return std::size_t{0};
  if (text != kSignature) return corrupt("its end is missing");
  part_ = Part::done;
  return reader.position();
}

}  // namespace tandem::coord::storage
