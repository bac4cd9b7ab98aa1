// A snapshot on its way between leader and learner, at either end: the tree in slices of the loop's thread,
// encoded as it is sent; and what arrives, written to a snapshot file while it builds a new tree. Owned by
// the connection, or by the server for the time of the transfer.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "coord/shell/quorum_link.h"
#include "coord/shell/snapshot_writer.h"
#include "coord/storage/recovery.h"
#include "coord/storage/snapshot_body.h"
#include "coord/tree/snapshot_view.h"
#include "net/loop.h"

namespace tandem::coord::shell {

// The tree must outlive it; transactions may be applied between slices.
class TreeBody final : public BodySource {
 public:
  TreeBody(net::Loop& loop, tree::DataTree& tree, const SessionTimeouts& sessions);
  bool next_slice(std::string& out) override;

 private:
  net::Loop& loop_;
  tree::SnapshotView view_;
  std::string head_;
};

class SnapshotIntake {
 public:
  // `target` is reset; no item may be longer than `item_max`.
  static base::Result<std::unique_ptr<SnapshotIntake>> begin(fs::Disk& disk,
                                                             const storage::SnapshotOptions& options,
                                                             jute::Zxid zxid,
                                                             std::unique_ptr<storage::RestoreTarget> target,
                                                             std::size_t item_max);

  jute::Zxid zxid() const { return zxid_; }
  storage::RestoreTarget& target() { return *target_; }
  // Takes whole items off the front; true when that was the end of it.
  base::Result<bool> take(std::string_view& bytes);
  // The tree is whole: to be called first. An error is the sender's fault, nothing on disk has changed.
  base::Status close_tree();
  // The history on disk is the snapshot and nothing else, durably. An error leaves one that must not be voted
  // with, whatever is in memory.
  base::Status replace_history(const std::string& log_directory, const std::string& snapshot_directory);

 private:
  SnapshotIntake(fs::Disk& disk, jute::Zxid zxid, std::unique_ptr<storage::RestoreTarget> target,
                 std::unique_ptr<storage::SnapshotWriter> writer, std::size_t item_max)
      : disk_(disk),
        zxid_(zxid),
        target_(std::move(target)),
        writer_(std::move(writer)),
        reader_(*target_, item_max) {}

  storage::SnapshotTrailer trailer() const;

  fs::Disk& disk_;
  jute::Zxid zxid_;
  std::unique_ptr<storage::RestoreTarget> target_;
  std::unique_ptr<storage::SnapshotWriter> writer_;
  storage::SnapshotBodyReader reader_;
};

}  // namespace tandem::coord::shell
