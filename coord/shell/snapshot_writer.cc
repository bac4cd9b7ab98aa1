#include "coord/shell/snapshot_writer.h"

#include "base/check.h"
#include "net/executors.h"
#include "net/loop.h"

namespace tandem::coord::shell {

using base::Result;
using base::Status;
using jute::Zxid;

storage::SnapshotTrailer trailer_of(const tree::DataTree& tree, SnapshotParts parts) {
  storage::SnapshotTrailer trailer;
  if (parts.digest)
    trailer.digest =
        storage::ZxidDigest{.zxid = tree.last_zxid(), .digest = static_cast<std::int64_t>(tree.digest())};
  if (parts.last_processed) trailer.last_processed = tree.last_zxid();
  return trailer;
}

std::string encode_snapshot_head(const tree::SnapshotView& view, const SessionTimeouts& sessions) {
  std::string out;
  storage::encode_session_count(out, sessions.size());
  for (const auto& [id, timeout_ms] : sessions) storage::encode_session(out, id, timeout_ms);
  storage::encode_acl_count(out, view.acl_count());
  view.for_each_acl(
      [&out](std::int64_t id, std::string_view acl) { storage::encode_encoded_acl(out, id, acl); });
  return out;
}

void encode_snapshot_node(std::string& out, const tree::SnapshotNode& node) {
  storage::encode_node(out, {.path = node.path, .data = node.data, .acl_id = node.acl_id, .stat = node.stat});
}

SnapshotWriter::SnapshotWriter(net::Loop& loop, fs::Disk& disk, storage::SnapshotOptions options,
                               SnapshotParts parts, SnapshotPace pace)
    : loop_(loop), disk_(disk), options_(std::move(options)), parts_(parts), pace_(pace) {}

SnapshotWriter::~SnapshotWriter() {
  *alive_ = false;
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool SnapshotWriter::start(tree::DataTree& tree, const SessionTimeouts& sessions, Done done) {
  if (running()) return false;
  if (thread_.joinable()) thread_.join();
  tree_ = &tree;
  done_ = std::move(done);
  view_ = std::make_unique<tree::SnapshotView>(tree);
  slice_ = encode_snapshot_head(*view_, sessions);
  slice_ready_ = true;
  slice_last_ = false;
  nodes_ = 0;
  thread_ = std::thread([this, zxid = view_->last_zxid()] { run(zxid); });
  return true;
}

// On the loop's thread: as many nodes as fit in a slice.
void SnapshotWriter::next_slice() {
  if (view_ == nullptr) return;
  std::string out = std::move(spare_);
  out.clear();
  const base::Instant end = loop_.clock().now() + pace_.slice;
  tree::SnapshotNode node;
  bool more = true;
  std::uint64_t count = 0;
  while (out.size() < pace_.slice_bytes && (more = view_->next(node))) {
    encode_snapshot_node(out, node);
    if (++count % kNodesPerClockReading == 0 && loop_.clock().now() >= end) break;
  }
  {
    const std::lock_guard lock(mutex_);
    ENSURE(!slice_ready_);
    spare_ = std::move(slice_);
    slice_ = std::move(out);
    slice_ready_ = true;
    slice_last_ = !more;
    nodes_ += count;
    if (!more) trailer_ = trailer_of(*tree_, parts_);
  }
  changed_.notify_all();
}

bool SnapshotWriter::wait_for_slice(std::string& slice, bool& last) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return slice_ready_ || cancelled_; });
  if (cancelled_) return false;
  slice.swap(slice_);
  slice_ready_ = false;
  last = slice_last_;
  return true;
}

// Waits after a write for as long as so much may take; false when cancelled. What the disk held up is not
// caught up with: then most of all others wait for it.
bool SnapshotWriter::pace(std::uint64_t bytes) {
  if (pace_.bytes_per_second == 0) return true;
  const auto share = std::chrono::nanoseconds(bytes * 1'000'000'000ULL / pace_.bytes_per_second);
  const base::Instant due = loop_.clock().now() + share;
  std::unique_lock lock(mutex_);
  for (;;) {
    const base::Instant now = loop_.clock().now();
    if (cancelled_) return false;
    if (now >= due) return true;
    changed_.wait_for(lock, due - now);
  }
}

Status SnapshotWriter::write_all(Zxid zxid, SnapshotResult& result) {
  const Status cancelled = base::make_error(base::Errc::closed, "snapshot given up");
  auto writer = storage::SnapshotWriter::create(disk_, options_, zxid);
  if (!writer) return writer.error();
  std::string slice;
  for (bool last = false; !last;) {
    if (!wait_for_slice(slice, last)) return cancelled;
    if (!last) {
      loop_.post([this, alive = alive_] {
        if (*alive) next_slice();
      });
    }
    if (auto status = (*writer)->write(slice); !status) return status;
    if (!pace(slice.size())) return cancelled;
  }
  if (auto status = (*writer)->finish(trailer_); !status) return status;
  result.path = (*writer)->path();
  result.file_bytes = (*writer)->file_bytes();
  return {};
}

void SnapshotWriter::run(Zxid zxid) {
  net::name_this_thread("snapshot");
  started_ = loop_.clock().now();
  SnapshotResult result{.zxid = zxid};
  const auto status = write_all(zxid, result);
  result.nodes = nodes_;
  result.took = loop_.clock().now() - started_;
  auto outcome = status ? Result<SnapshotResult>(std::move(result)) : Result<SnapshotResult>(status.error());
  loop_.post([this, alive = alive_, outcome = std::move(outcome)] {
    if (*alive) finish(outcome);
  });
}

void SnapshotWriter::finish(Result<SnapshotResult> result) {
  thread_.join();
  view_.reset();
  slice_ready_ = false;
  spare_ = std::string();
  slice_ = std::string();
  const Done done = std::exchange(done_, nullptr);
  done(std::move(result));
}

Result<SnapshotResult> SnapshotWriter::write_now(fs::Disk& disk, const storage::SnapshotOptions& options,
                                                 SnapshotParts parts, tree::DataTree& tree,
                                                 const SessionTimeouts& sessions) {
  tree::SnapshotView view(tree);
  SnapshotResult result{.zxid = view.last_zxid()};
  auto writer = storage::SnapshotWriter::create(disk, options, view.last_zxid());
  if (!writer) return writer.error();
  std::string out = encode_snapshot_head(view, sessions);
  tree::SnapshotNode node;
  constexpr std::size_t kPart = 256U << 10;
  while (view.next(node)) {
    encode_snapshot_node(out, node);
    ++result.nodes;
    if (out.size() < kPart) continue;
    if (auto status = (*writer)->write(out); !status) return status.error();
    out.clear();
  }
  if (auto status = (*writer)->write(out); !status) return status.error();
  if (auto status = (*writer)->finish(trailer_of(tree, parts)); !status) return status.error();
  result.path = (*writer)->path();
  result.file_bytes = (*writer)->file_bytes();
  return result;
}

}  // namespace tandem::coord::shell
