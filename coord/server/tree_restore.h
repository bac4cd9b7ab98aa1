// Recovery's target: builds the tree and the table of sessions from a snapshot and the logs behind it, and
// compares the digests that they carry. Owned by the start of the server, given up when it serves.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

#include "coord/storage/recovery.h"
#include "coord/tree/data_tree.h"

namespace tandem::coord::server {

class TreeRestore final : public storage::RestoreTarget {
 public:
  explicit TreeRestore(const tree::TreeOptions& options) : options_(options) { reset(); }

  void reset() override;
  void on_session(jute::SessionId id, std::int32_t timeout_ms) override { sessions_[id.value] = timeout_ms; }
  void on_acl(std::int64_t id, std::vector<jute::ACL> acl) override;
  base::Status on_node(const storage::SnapshotNode& node) override;
  base::Status on_snapshot_end(jute::Zxid zxid, const storage::SnapshotTrailer& trailer) override;
  base::Status apply(const records::TxnHeader& header, std::string_view payload) override;

  std::unique_ptr<tree::DataTree> take_tree() { return std::move(tree_); }
  const std::unordered_map<std::int64_t, std::int32_t>& sessions() const { return sessions_; }
  // The first transaction after which the tree was not what its proposer's was.
  std::optional<jute::Zxid> first_mismatch() const { return first_mismatch_; }

 private:
  void start_loading();

  tree::TreeOptions options_;
  std::unique_ptr<tree::DataTree> tree_;
  bool loading_ = false;
  std::unordered_map<std::int64_t, std::int32_t> sessions_;
  // Until the snapshot's own digest the tree is a mixture of states, and digests mean nothing.
  jute::Zxid comparable_from_;
  std::optional<jute::Zxid> first_mismatch_;
  tree::ApplyResult applied_;
};

}  // namespace tandem::coord::server
