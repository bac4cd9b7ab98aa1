// Recovery's target: builds the tree and the table of sessions from a snapshot and the logs behind it, and
// compares the digests that they carry. Owned by the start of the server, given up when it serves.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "coord/records/txn_batch.h"
#include "coord/storage/recovery.h"
#include "coord/tree/data_tree.h"

namespace tandem::coord::server {

class TreeRestore final : public storage::RestoreTarget {
 public:
  using Sessions = std::unordered_map<std::int64_t, std::int32_t>;  // id, timeout in ms

  // Keeps the last `recent_max` transactions (that many at least, twice as many at most).
  explicit TreeRestore(const tree::TreeOptions& options, std::size_t recent_max = 0)
      : options_(options), recent_max_(recent_max) {
    reset();
  }

  void reset() override;
  void on_session(jute::SessionId id, std::int32_t timeout_ms) override { sessions_[id.value] = timeout_ms; }
  void on_acl(std::int64_t id, std::vector<jute::ACL> acl) override;
  void on_estimate(std::uint64_t nodes) override { tree_->expect_nodes(nodes); }
  base::Status on_node(const storage::SnapshotNode& node) override;
  base::Status on_snapshot_end(jute::Zxid zxid, const storage::SnapshotTrailer& trailer) override;
  base::Status apply(const records::TxnHeader& header, std::string_view payload) override;
  bool differs() const override { return first_mismatch_.has_value(); }
  bool agrees() const override { return applied_.digest_match && applied_.header.zxid > comparable_from_; }

  std::unique_ptr<tree::DataTree> take_tree() { return std::move(tree_); }
  const Sessions& sessions() const { return sessions_; }
  std::vector<records::TxnRef> take_recent() { return std::move(recent_); }
  // Where the tree is one state: a snapshot that was made while transactions went on is a mixture up to
  // there, which may be further than the log reaches.
  jute::Zxid comparable_from() const { return comparable_from_; }
  // The first transaction after which the tree was not what its proposer's was.
  std::optional<jute::Zxid> first_mismatch() const { return first_mismatch_; }

 private:
  void start_loading();

  tree::TreeOptions options_;
  std::size_t recent_max_;
  std::vector<records::TxnRef> recent_;
  std::unique_ptr<tree::DataTree> tree_;
  bool loading_ = false;
  Sessions sessions_;
  // Until the snapshot's own digest the tree is a mixture of states, and digests mean nothing.
  jute::Zxid comparable_from_;
  std::optional<jute::Zxid> first_mismatch_;
  tree::ApplyResult applied_;
};

}  // namespace tandem::coord::server
