#include <algorithm>

#include "bytes/reader.h"
#include "coord/storage/snapshot_file.h"
#include "coord/storage/snapshot_stream.h"
#include "jute/codec.h"

namespace tandem::coord::storage {

using base::Errc;
using base::Result;
using base::Status;

namespace {

// No path, datum or ACL list is longer; jute.maxbuffer is far below. Bounds what damaged bytes can ask for.
constexpr std::int32_t kItemMax = 256 << 20;
constexpr std::size_t kSealSize = 13;
constexpr std::size_t kDigestSize = 20;
constexpr std::size_t kLastProcessedSize = 8;
constexpr std::size_t kNodeFixedSize = 8 + 60;  // ACL id and StatPersisted

class Parser {
 public:
  Parser(SnapshotInput& input, SnapshotVisitor& visitor) : input_(input), visitor_(visitor) {}

  Result<SnapshotTrailer> run() {
    for (const auto part :
         {&Parser::header, &Parser::sessions, &Parser::acls, &Parser::nodes, &Parser::seal}) {
      if (auto status = (this->*part)(); !status) return status.error();
    }
    return trailer();
  }

 private:
  base::Error corrupt(const char* what) const {
    return base::make_error(Errc::corrupt, "snapshot {} is damaged: {}", input_.path(), what);
  }

  // Exactly `count` bytes, consumed by the caller.
  Result<std::string_view> exactly(std::size_t count) {
    const auto bytes = input_.peek(count);
    if (!bytes) return bytes.error();
    if (bytes->size() < count)
      return base::make_error(Errc::truncated, "snapshot {} ends in the middle", input_.path());
    return bytes->substr(0, count);
  }

  Result<std::int32_t> i32() {
    const auto bytes = exactly(4);
    if (!bytes) return bytes.error();
    const std::int32_t value = bytes::Reader(*bytes).i32();
    input_.consume(4);
    return value;
  }

  Status header() {
    const auto bytes = exactly(kFileHeaderSize);
    if (!bytes) return bytes.error();
    if (bytes::Reader(*bytes).i32() != kSnapshotMagic) return corrupt("no snapshot header");
    input_.consume(kFileHeaderSize);
    return {};
  }

  Status sessions() {
    const auto count = i32();
    if (!count) return count.error();
    for (std::int32_t i = 0; i < *count; ++i) {
      const auto bytes = exactly(12);
      if (!bytes) return bytes.error();
      bytes::Reader reader(*bytes);
      const jute::SessionId id(reader.i64());
      visitor_.on_session(id, reader.i32());
      input_.consume(12);
    }
    return {};
  }

  Status acls() {
    const auto count = i32();
    if (!count) return count.error();
    for (std::int32_t i = 0; i < *count; ++i) {
      if (auto status = acl(); !status) return status;
    }
    return {};
  }

  // A list has no length in bytes: ask for more until it fits.
  Status acl() {
    for (std::size_t want = 256;; want *= 2) {
      const auto bytes = input_.peek(want);
      if (!bytes) return bytes.error();
      bytes::Reader reader(*bytes);
      const std::int64_t id = reader.i64();
      std::vector<jute::ACL> list;
      jute::Decoder decoder(reader);
      decoder("acls", list);
      if (reader.ok()) {
        visitor_.on_acl(id, std::move(list));
        input_.consume(reader.position());
        return {};
      }
      if (bytes->size() < want || want > static_cast<std::size_t>(kItemMax)) return corrupt("bad ACL list");
    }
  }

  Status nodes() {
    for (;;) {
      const auto head = exactly(4);
      if (!head) return head.error();
      const std::int32_t path_size = bytes::Reader(*head).i32();
      if (path_size < 0 || path_size > kItemMax) return corrupt("bad path length");
      const auto path_bytes = static_cast<std::size_t>(path_size);
      const auto start = exactly(4 + path_bytes);
      if (!start) return start.error();
      if (start->substr(4) == "/") {
        input_.consume(4 + path_bytes);
        return {};
      }
      if (auto status = node(path_bytes); !status) return status;
    }
  }

  Status node(std::size_t path_size) {
    const auto head = exactly(4 + path_size + 4);
    if (!head) return head.error();
    const std::int32_t data_size = bytes::Reader(head->substr(4 + path_size)).i32();
    if (data_size > kItemMax) return corrupt("bad data length");
    const auto data_bytes = static_cast<std::size_t>(std::max(data_size, 0));
    const std::size_t size = head->size() + data_bytes + kNodeFixedSize;
    const auto bytes = exactly(size);
    if (!bytes) return bytes.error();
    SnapshotNode node;
    bytes::Reader reader(*bytes);
    reader.skip(4);
    node.path = reader.bytes(path_size);
    reader.skip(4);
    const std::string_view data = reader.bytes(data_bytes);
    if (data_size >= 0) node.data = data;
    node.acl_id = reader.i64();
    read_stat(reader, node.stat);
    if (auto status = visitor_.on_node(node); !status) return status;
    input_.consume(size);
    return {};
  }

  static void read_stat(bytes::Reader& reader, jute::StatPersisted& stat) {
    stat.czxid = Zxid(reader.i64());
    stat.mzxid = Zxid(reader.i64());
    stat.ctime = reader.i64();
    stat.mtime = reader.i64();
    stat.version = reader.i32();
    stat.cversion = reader.i32();
    stat.aversion = reader.i32();
    stat.ephemeral_owner = reader.i64();
    stat.pzxid = Zxid(reader.i64());
  }

  Status seal() {
    const std::uint32_t sum = input_.checksum();
    const auto bytes = exactly(kSealSize);
    if (!bytes) return bytes.error();
    if (bytes::Reader(*bytes).i64() != static_cast<std::int64_t>(sum))
      return corrupt("checksum does not match");
    input_.consume(kSealSize);
    return {};
  }

  // Which parts are there follows from how many bytes are left: each part and its seal have one size.
  Result<SnapshotTrailer> trailer() {
    constexpr std::size_t kDigestPart = kDigestSize + kSealSize;
    constexpr std::size_t kLastPart = kLastProcessedSize + kSealSize;
    SnapshotTrailer trailer;
    const auto left = input_.peek(kDigestPart + kLastPart + 1);
    if (!left) return left.error();
    const std::size_t size = left->size();
    if (size != 0 && size != kDigestPart && size != kLastPart && size != kDigestPart + kLastPart)
      return corrupt("unknown bytes behind the tree");
    if (size >= kDigestPart) {
      bytes::Reader reader(*left);
      ZxidDigest digest;
      digest.zxid = Zxid(reader.i64());
      digest.version = reader.i32();
      digest.digest = reader.i64();
      trailer.digest = digest;
      input_.consume(kDigestSize);
      if (auto status = seal(); !status) return status.error();
    }
    if (size == kLastPart || size == kDigestPart + kLastPart) {
      const auto bytes = exactly(kLastProcessedSize);
      if (!bytes) return bytes.error();
      trailer.last_processed = Zxid(bytes::Reader(*bytes).i64());
      input_.consume(kLastProcessedSize);
      if (auto status = seal(); !status) return status.error();
    }
    return trailer;
  }

  SnapshotInput& input_;
  SnapshotVisitor& visitor_;
};

}  // namespace

Result<SnapshotTrailer> read_snapshot(fs::Disk& disk, const std::string& path, Compression compression,
                                      SnapshotVisitor& visitor) {
  auto file = disk.open(path, fs::OpenMode::read);
  if (!file) return file.error();
  SnapshotInput input(std::move(*file), compression);
  return Parser(input, visitor).run();
}

bool looks_valid(fs::Disk& disk, const std::string& path, Compression compression) {
  constexpr std::string_view kSealEnd("\0\0\0\1/", 5);
  const auto file = disk.open(path, fs::OpenMode::read);
  if (!file) return false;
  const auto size = (*file)->size();
  if (!size || *size < kFileHeaderSize) return false;
  std::string ends(kSealEnd.size(), '\0');
  const std::uint64_t at = compression == Compression::none ? *size - ends.size() : 0;
  const auto got = (*file)->pread(at, ends);
  if (!got || *got != ends.size()) return false;
  switch (compression) {
    case Compression::none:
      return ends == kSealEnd;
    case Compression::gzip:
      return ends.starts_with("\x1f\x8b");
    case Compression::snappy:
      return ends.starts_with("\x82SNAP");
  }
  UNREACHABLE("compression {}", static_cast<int>(compression));
}

}  // namespace tandem::coord::storage
