// Writes a snapshot while requests go on: the loop's thread copies a slice of the tree at a time, a thread of
// its own seals, compresses and writes at a bounded rate, and asks for the next slice when it has room.
// Owned by the loop's thread; done() comes there too. One snapshot at a time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "coord/storage/snapshot_file.h"
#include "coord/tree/snapshot_view.h"
#include "fs/disk.h"

namespace tandem::net {
class Loop;
}

namespace tandem::coord::shell {

constexpr int kNodesPerClockReading = 32;  // of a walk through the tree in slices of time

using SessionTimeouts = std::vector<std::pair<jute::SessionId, std::int32_t>>;

// The parts of a snapshot: sessions and ACL lists, then nodes.
std::string encode_snapshot_head(const tree::SnapshotView& view, const SessionTimeouts& sessions);
void encode_snapshot_node(std::string& out, const tree::SnapshotNode& node);

struct SnapshotPace {
  base::Duration slice = std::chrono::microseconds(150);  // of the loop's thread
  std::size_t slice_bytes = 256U << 10;
  std::uint64_t bytes_per_second = 80U << 20;  // raw, at most; 0 = as fast as the disk takes it
};

struct SnapshotParts {
  bool digest = true;          // digest.enabled
  bool last_processed = true;  // serializeLastProcessedZxid.enabled
};

// What ends the file: the tree as it is now, which the log reaches too.
storage::SnapshotTrailer trailer_of(const tree::DataTree& tree, SnapshotParts parts);

struct SnapshotResult {
  std::string path;
  jute::Zxid zxid;
  std::uint64_t nodes = 0;
  std::uint64_t file_bytes = 0;
  base::Duration took{};
};

class SnapshotWriter {
 public:
  using Done = std::function<void(base::Result<SnapshotResult>)>;

  SnapshotWriter(net::Loop& loop, fs::Disk& disk, storage::SnapshotOptions options, SnapshotParts parts,
                 SnapshotPace pace = {});
  ~SnapshotWriter();  // gives up the one that is being written
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  // The tree must outlive it. False when one is being written already.
  bool start(tree::DataTree& tree, const SessionTimeouts& sessions, Done done);
  bool running() const { return view_ != nullptr; }

  // The whole snapshot at once on this thread: the first one of a new directory, before anything is served.
  static base::Result<SnapshotResult> write_now(fs::Disk& disk, const storage::SnapshotOptions& options,
                                                SnapshotParts parts, tree::DataTree& tree,
                                                const SessionTimeouts& sessions);

 private:
  void next_slice();
  void run(jute::Zxid zxid);
  base::Status write_all(jute::Zxid zxid, SnapshotResult& result);
  bool wait_for_slice(std::string& slice, bool& last);
  bool pace(std::uint64_t bytes);
  void finish(base::Result<SnapshotResult> result);

  net::Loop& loop_;
  fs::Disk& disk_;
  storage::SnapshotOptions options_;
  SnapshotParts parts_;
  SnapshotPace pace_;

  // The loop's thread.
  tree::DataTree* tree_ = nullptr;
  std::unique_ptr<tree::SnapshotView> view_;
  Done done_;
  std::string spare_;
  std::thread thread_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  // The snapshot thread.
  base::Instant started_{};

  std::mutex mutex_;
  std::condition_variable changed_;
  // Under the mutex.
  std::string slice_;
  bool slice_ready_ = false;
  bool slice_last_ = false;
  bool cancelled_ = false;
  std::uint64_t nodes_ = 0;
  storage::SnapshotTrailer trailer_;
};

}  // namespace tandem::coord::shell
