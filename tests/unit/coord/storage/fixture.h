// What the storage tests share: a directory that goes away, a target that remembers what it was told, and
// transactions to write.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "coord/storage/recovery.h"
#include "coord/storage/txn_log.h"
#include "fs/posix_disk.h"

namespace tandem::coord::storage {

class TempDir {
 public:
  TempDir() {
    char name[] = "/tmp/tandem-storage-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path = name;
  }
  ~TempDir() {
    fs::PosixDisk disk;
    static_cast<void>(fs::remove_tree(disk, path));
  }
  std::string path;
};

class RecordingTarget final : public RestoreTarget {
 public:
  struct Node {
    std::optional<std::string> data;
    std::int64_t acl_id = 0;
    jute::StatPersisted stat;
    bool operator==(const Node&) const = default;
  };

  void reset() override {
    const bool agreeing_all = agreeing;
    *this = RecordingTarget();
    agreeing = agreeing_all;
  }
  bool agrees() const override { return agreeing; }
  void on_session(jute::SessionId id, std::int32_t timeout_ms) override { sessions[id.value] = timeout_ms; }
  void on_acl(std::int64_t id, std::vector<jute::ACL> acl) override { acls[id] = std::move(acl); }
  base::Status on_node(const SnapshotNode& node) override {
    nodes[std::string(node.path)] = {node.data ? std::optional<std::string>(*node.data) : std::nullopt,
                                     node.acl_id, node.stat};
    return {};
  }
  base::Status on_snapshot_end(Zxid zxid, const SnapshotTrailer& end) override {
    snapshot = zxid;
    trailer = end;
    return {};
  }
  base::Status apply(const records::TxnHeader&, std::string_view payload) override {
    auto txn = records::decode_payload(payload);
    if (!txn) return txn.error();
    txns.push_back(std::move(*txn));
    return {};
  }

  std::map<std::int64_t, std::int32_t> sessions;
  std::map<std::int64_t, std::vector<jute::ACL>> acls;
  std::map<std::string, Node> nodes;
  Zxid snapshot;
  SnapshotTrailer trailer;
  std::vector<records::LoggedTxn> txns;
  bool agreeing = false;  // every transaction carries a digest, which fits
};

inline std::string entry(std::int64_t zxid, std::size_t data_size = 20) {
  std::string payload;
  records::encode_payload(
      payload, {.zxid = Zxid(zxid), .time = 1, .type = jute::OpCode::set_data},
      records::SetDataTxn{"/a", std::string(data_size, static_cast<char>('a' + zxid % 26)), 1}, nullptr);
  std::string out;
  frame_entry(out, payload);
  return out;
}

// A snapshot of an empty tree at `zxid`.
inline void write_empty_snapshot(fs::Disk& disk, const std::string& directory, std::int64_t zxid,
                                 Compression compression = Compression::none) {
  auto writer =
      SnapshotWriter::create(disk, {.directory = directory, .compression = compression}, Zxid(zxid));
  REQUIRE(writer.has_value());
  std::string out;
  encode_session_count(out, 0);
  encode_acl_count(out, 0);
  encode_node(out, {.path = "", .data = "", .acl_id = -1, .stat = {}});
  REQUIRE((*writer)->write(out).has_value());
  REQUIRE((*writer)->finish({.digest = std::nullopt, .last_processed = Zxid(zxid)}).has_value());
}

inline base::Result<Recovered> recover_all(fs::Disk& disk, const std::string& directory,
                                           RestoreTarget& target) {
  return recover(disk, {.log_directory = directory, .snapshot_directory = directory}, target);
}

}  // namespace tandem::coord::storage
