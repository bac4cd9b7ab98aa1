// Snapshot files in Apache's format (docs/format-snapshot.md): sessions, ACL lists, nodes, each part closed
// by a seal (Adler-32 of all bytes so far, and "/"); plain, gzip or snappy with xerial's framing. The writer
// works beside the final name and takes it only when every byte is durable, so a snapshot that can be seen is
// whole. The reader streams: its memory is one window and one node, whatever a damaged file claims.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "coord/storage/files.h"
#include "fs/disk.h"
#include "jute/data.h"

namespace tandem::coord::storage {

constexpr std::size_t kNodeFixedSize = 8 + 60;  // of a node, behind its datum: ACL id and StatPersisted

// A node as a snapshot keeps it; the root is "" and parents come before children.
struct SnapshotNode {
  std::string_view path;
  std::optional<std::string_view> data;
  std::int64_t acl_id = -1;  // -1 = world:anyone:cdrwa, else an id of the ACL part
  jute::StatPersisted stat;
};

// The digest of the tree as it was after `zxid`.
struct ZxidDigest {
  Zxid zxid;
  std::int32_t version = 2;
  std::int64_t digest = 0;
  bool operator==(const ZxidDigest&) const = default;
};

struct SnapshotTrailer {
  std::optional<ZxidDigest> digest;    // 3.6 and later
  std::optional<Zxid> last_processed;  // 3.9 and later; the tree holds at least this
  bool operator==(const SnapshotTrailer&) const = default;
};

// ---- the raw parts, appended to `out`; SnapshotWriter::write takes them in this order ----
void encode_session_count(std::string& out, std::size_t count);
void encode_session(std::string& out, jute::SessionId id, std::int32_t timeout_ms);
void encode_acl_count(std::string& out, std::size_t count);
void encode_acl(std::string& out, std::int64_t id, const std::vector<jute::ACL>& acl);
// `acl` is a vector<ACL> on the wire.
void encode_encoded_acl(std::string& out, std::int64_t id, std::string_view acl);
void encode_node(std::string& out, const SnapshotNode& node);

struct SnapshotOptions {
  std::string directory;
  Compression compression = Compression::none;
  bool past_cache = true;  // so that the log's syncs do not wait for it; fs/sequential_writer.h
};

class SnapshotOutput;  // compression and checksum; snapshot_stream.h

class SnapshotWriter {
 public:
  // Opens the temporary file of snapshot.<zxid> and writes the file header.
  static base::Result<std::unique_ptr<SnapshotWriter>> create(fs::Disk& disk, const SnapshotOptions& options,
                                                              Zxid zxid);
  // Removes the temporary file unless finish succeeded.
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  base::Status write(std::string_view raw);
  // Ends the tree, writes the trailer, syncs, renames, syncs the directory.
  base::Status finish(const SnapshotTrailer& trailer);

  std::uint64_t file_bytes() const;  // written to the file so far
  const std::string& path() const { return path_; }

 private:
  SnapshotWriter(fs::Disk& disk, SnapshotOptions options, std::string path);
  base::Status seal();

  fs::Disk& disk_;
  SnapshotOptions options_;
  std::string path_;
  std::string temporary_;
  std::unique_ptr<fs::File> file_;
  std::unique_ptr<SnapshotOutput> output_;
  bool finished_ = false;
};

// Receives what a snapshot holds. Views are valid during the call.
class SnapshotVisitor {
 public:
  virtual ~SnapshotVisitor() = default;
  virtual void on_session(jute::SessionId id, std::int32_t timeout_ms) = 0;
  virtual void on_acl(std::int64_t id, std::vector<jute::ACL> acl) = 0;
  virtual void on_estimate(std::uint64_t /*nodes*/) {}         // after the first nodes: about so many in all
  virtual base::Status on_node(const SnapshotNode& node) = 0;  // an error stops the reading
};

// Errors name the file; corrupt or truncated when its bytes cannot be right.
base::Result<SnapshotTrailer> read_snapshot(fs::Disk& disk, const std::string& path, Compression compression,
                                            SnapshotVisitor& visitor);

// Cheap check of the ends of a file (magic in front, a seal's "/" behind, where it is not compressed).
// A file that cannot be read is an error, not an invalid one.
base::Result<bool> looks_valid(fs::Disk& disk, const std::string& path, Compression compression);

}  // namespace tandem::coord::storage
