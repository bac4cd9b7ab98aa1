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
constexpr std::uint64_t kNodesForEstimate = 1000;

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
    const auto bytes = exactly_or_more(count);
    return bytes ? Result<std::string_view>(bytes->substr(0, count)) : bytes;
  }

  Result<std::string_view> exactly_or_more(std::size_t count) {
    auto bytes = input_.peek(count);
    if (bytes && bytes->size() < count)
      return base::make_error(Errc::truncated, "snapshot {} ends in the middle", input_.path());
    return bytes;
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

  enum class Cut { whole, more, end, bad };
  struct NodeBytes {
    SnapshotNode node;
    std::size_t size = 0;  // with Cut::more: how many are needed to go on
    const char* fault = "";
  };

  // The first node of `bytes`, if all of it is there.
  static Cut cut_node(std::string_view bytes, NodeBytes& out) {
    const auto lacks = [&](std::size_t size) {
      out.size = size;
      return bytes.size() < size;
    };
    const auto bad = [&](const char* fault) {
      out.fault = fault;
      return Cut::bad;
    };
    bytes::Reader reader(bytes);
    if (lacks(4)) return Cut::more;
    const std::int32_t path_size = reader.i32();
    if (path_size < 0 || path_size > kItemMax) return bad("bad path length");
    const auto path_bytes = static_cast<std::size_t>(path_size);
    if (lacks(4 + path_bytes)) return Cut::more;
    out.node.path = reader.bytes(path_bytes);
    if (out.node.path == "/") return Cut::end;
    if (lacks(4 + path_bytes + 4)) return Cut::more;
    const std::int32_t data_size = reader.i32();
    if (data_size > kItemMax) return bad("bad data length");
    const auto data_bytes = static_cast<std::size_t>(std::max(data_size, 0));
    if (lacks(4 + path_bytes + 4 + data_bytes + kNodeFixedSize)) return Cut::more;
    const std::string_view data = reader.bytes(data_bytes);
    out.node.data = data_size >= 0 ? std::optional(data) : std::nullopt;
    out.node.acl_id = reader.i64();
    read_stat(reader, out.node.stat);
    return Cut::whole;
  }

  // All nodes that are in the buffer, then all of the next one.
  Status nodes() {
    NodeBytes next;
    for (std::size_t want = 4;;) {
      const auto bytes = exactly_or_more(want);
      if (!bytes) return bytes.error();
      std::string_view rest = *bytes;
      Cut cut = cut_node(rest, next);
      for (; cut == Cut::whole; cut = cut_node(rest, next)) {
        if (auto status = visitor_.on_node(next.node); !status) return status;
        rest.remove_prefix(next.size);
        node_bytes_ += next.size;
        if (++nodes_ == kNodesForEstimate)
          visitor_.on_estimate(input_.raw_bytes() / (node_bytes_ / kNodesForEstimate));
      }
      input_.consume(bytes->size() - rest.size());
      if (cut == Cut::bad) return corrupt(next.fault);
      if (cut == Cut::end) {
        input_.consume(next.size);
        return {};
      }
      want = next.size;
    }
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
  std::uint64_t nodes_ = 0;
  std::uint64_t node_bytes_ = 0;
};

}  // namespace

Result<SnapshotTrailer> read_snapshot(fs::Disk& disk, const std::string& path, Compression compression,
                                      SnapshotVisitor& visitor) {
  auto file = disk.open(path, fs::OpenMode::read);
  if (!file) return file.error();
  SnapshotInput input(std::move(*file), compression);
  return Parser(input, visitor).run();
}

Result<bool> looks_valid(fs::Disk& disk, const std::string& path, Compression compression) {
  constexpr std::string_view kSealEnd("\0\0\0\1/", 5);
  const auto file = disk.open(path, fs::OpenMode::read);
  if (!file) return file.error();
  const auto size = (*file)->size();
  if (!size) return size.error();
  if (*size < kFileHeaderSize) return false;
  std::string ends(kSealEnd.size(), '\0');
  const std::uint64_t at = compression == Compression::none ? *size - ends.size() : 0;
  const auto got = (*file)->pread(at, ends);
  if (!got) return got.error();
  if (*got != ends.size()) return false;
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
