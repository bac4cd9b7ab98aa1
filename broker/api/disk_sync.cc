#include "broker/api/disk_sync.h"

#include "broker/api/replica.h"

namespace tandem::broker::api {

using base::Status;

DiskSync::DiskSync(net::Loop& loop, net::ThreadPool& pool, fs::Disk& disk, std::size_t dirs, Ended ended)
    : loop_(loop), pool_(pool), disk_(disk), ended_(std::move(ended)), lanes_(dirs) {}

void DiskSync::want(Replica& replica, std::function<void()> then) {
  Lane& lane = lanes_[replica.dir];
  if (then) lane.then.push_back(std::move(then));
  if (replica.sync_wanted) return;
  replica.sync_wanted = true;
  lane.wanted.push_back(replica.shared_from_this());
  if (lane.busy) return;
  lane.busy = true;
  // With all that this wake-up of the loop brings.
  loop_.defer([this, dir = replica.dir] { start(dir); });
}

void DiskSync::start(std::size_t dir) {
  Lane& lane = lanes_[dir];
  const auto batch = std::make_shared<Batch>();
  const std::int64_t now_ms = loop_.clock().wall().ms;
  for (auto& replica : std::exchange(lane.wanted, {})) {
    replica->sync_wanted = false;
    log::FlushWork work = replica->log->begin_data_flush(now_ms);
    const auto log = replica->log;
    batch->parts.push_back({std::move(replica), log, std::move(work), {}});
  }
  batch->then = std::exchange(lane.then, {});
  pool_.run(
      loop_, [batch, &disk = disk_] { run(disk, *batch); }, [this, batch, dir] { end(dir, *batch); });
}

void DiskSync::run(fs::Disk& disk, Batch& batch) {
  // Begun together, the writes end together, and one commit of the file system's journal serves them all.
  if (batch.parts.size() > 1) {
    for (const Part& part : batch.parts)
      for (const auto& file : part.work.files) file->write_back(0, 0);
  }
  Status outcome;
  for (Part& part : batch.parts) {
    // What cannot even begin is that log's own matter.
    if (outcome && part.work.begun) outcome = log::Log::run(disk, part.work);
    part.status = part.work.begun ? outcome : part.work.begun;
  }
}

void DiskSync::end(std::size_t dir, Batch& batch) {
  Lane& lane = lanes_[dir];
  bool failed = false;
  for (Part& part : batch.parts) {
    part.log->end_flush(part.work, part.status);
    failed = failed || !part.status;
  }
  const bool more = !lane.wanted.empty();
  lane.busy = more;
  // The disk goes on while those are answered that waited for it, but not before the owner knows of an error.
  if (more && !failed) start(dir);
  for (const Part& part : batch.parts)
    if (part.replica->log == part.log) ended_(*part.replica, part.status);
  for (const auto& then : batch.then) then();
  if (more && failed) start(dir);
}

}  // namespace tandem::broker::api
