#include "coord/server/tree_restore.h"

namespace tandem::coord::server {

using base::Status;
using jute::Zxid;

void TreeRestore::reset() {
  tree_ = std::make_unique<tree::DataTree>(options_);
  loading_ = false;
  sessions_.clear();
  recent_.clear();
  comparable_from_ = Zxid(0);
  first_mismatch_.reset();
}

void TreeRestore::start_loading() {
  if (loading_) return;
  tree_->begin_load();
  loading_ = true;
}

void TreeRestore::on_acl(std::int64_t id, std::vector<jute::ACL> acl) {
  start_loading();
  tree_->load_acl(id, acl);
}

Status TreeRestore::on_node(const storage::SnapshotNode& node) {
  start_loading();
  return tree_->load_node(node.path, node.data, node.acl_id, node.stat);
}

Status TreeRestore::on_snapshot_end(Zxid zxid, const storage::SnapshotTrailer& trailer) {
  start_loading();
  if (auto status = tree_->finish_load(zxid); !status) return status;
  comparable_from_ = zxid;
  // Zxid 0 is Apache's way to say that it has none yet.
  if (!trailer.digest || trailer.digest->zxid < zxid || trailer.digest->zxid == Zxid(0)) return {};
  if (trailer.digest->zxid == zxid && trailer.digest->version == records::TxnDigest().version &&
      static_cast<std::uint64_t>(trailer.digest->digest) != tree_->digest())
    first_mismatch_ = zxid;
  comparable_from_ = trailer.digest->zxid;
  return {};
}

Status TreeRestore::apply(const records::TxnHeader& header, std::string_view payload) {
  if (auto status = tree_->apply(payload, nullptr, applied_); !status) return status;
  if (header.type == jute::OpCode::create_session)
    sessions_[header.client_id.value] = applied_.session_timeout_ms;
  if (header.type == jute::OpCode::close_session) sessions_.erase(header.client_id.value);
  if (applied_.digest_mismatch && !first_mismatch_ && header.zxid > comparable_from_)
    first_mismatch_ = header.zxid;
  if (recent_max_ == 0) return {};
  if (recent_.size() == 2 * recent_max_)
    recent_.erase(recent_.begin(), recent_.begin() + static_cast<std::ptrdiff_t>(recent_max_));
  recent_.push_back({header.zxid, bytes::Slice::own(std::string(payload))});
  return {};
}

}  // namespace tandem::coord::server
