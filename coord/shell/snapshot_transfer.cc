#include "coord/shell/snapshot_transfer.h"

#include "coord/storage/truncate.h"

namespace tandem::coord::shell {

namespace {

constexpr base::Duration kSlice = std::chrono::microseconds(150);
constexpr std::size_t kSliceBytes = 256U << 10;

}  // namespace

TreeBody::TreeBody(net::Loop& loop, tree::DataTree& tree, const SessionTimeouts& sessions)
    : loop_(loop), view_(tree), head_(encode_snapshot_head(view_, sessions)) {}

bool TreeBody::next_slice(std::string& out) {
  out += head_;
  head_ = std::string();
  const base::Instant end = loop_.clock().now() + kSlice;
  const std::size_t enough = out.size() + kSliceBytes;
  tree::SnapshotNode node;
  int count = 0;
  while (out.size() < enough) {
    if (!view_.next(node)) {
      storage::encode_body_end(out);
      return false;
    }
    encode_snapshot_node(out, node);
    if (++count % kNodesPerClockReading == 0 && loop_.clock().now() >= end) break;
  }
  return true;
}

base::Result<std::unique_ptr<SnapshotIntake>> SnapshotIntake::begin(
    fs::Disk& disk, const storage::SnapshotOptions& options, jute::Zxid zxid,
    std::unique_ptr<storage::RestoreTarget> target, std::size_t item_max) {
  auto writer = storage::SnapshotWriter::create(disk, options, zxid);
  if (!writer) return writer.error();
  target->reset();
  return std::unique_ptr<SnapshotIntake>(
      new SnapshotIntake(disk, zxid, std::move(target), std::move(*writer), item_max));
}

base::Result<bool> SnapshotIntake::take(std::string_view& bytes) {
  const auto taken = reader_.read(bytes);
  if (!taken) return taken.error();
  if (auto status = writer_->write(bytes.substr(0, taken->raw)); !status) return status.error();
  bytes.remove_prefix(taken->total);
  return reader_.done();
}

// The leader changed its tree while it sent it: no digest belongs to what came.
storage::SnapshotTrailer SnapshotIntake::trailer() const {
  storage::SnapshotTrailer trailer;
  trailer.digest = storage::ZxidDigest();
  trailer.last_processed = zxid_;
  return trailer;
}

base::Status SnapshotIntake::close_tree() { return target_->on_snapshot_end(zxid_, trailer()); }

// What the log has beyond the snapshot goes first: recovery would replay it over the snapshot. The rest of
// the old history goes when the snapshot is durable: it may hold what was never committed anywhere.
base::Status SnapshotIntake::replace_history(const std::string& log_directory,
                                             const std::string& snapshot_directory) {
  const auto cut = storage::truncate_log(disk_, log_directory, zxid_);
  if (!cut) return cut.error();
  if (auto status = writer_->finish(trailer()); !status) return status;
  return storage::drop_older_history(disk_, log_directory, snapshot_directory, zxid_);
}

}  // namespace tandem::coord::shell
