// DiskSync: makes durable what was appended to the logs of one shard, for acknowledgements that wait for the
// disk (tandem.log.flush.on.ack). One batch at a time for each log directory: a disk thread writes back the
// logs that grew since the last one together and then syncs them; what is appended meanwhile is the next
// batch. No timer. The first error ends a batch and is the outcome of every log behind it: none is tried
// again. Owned by Replicas; everything on the shard's thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "broker/log/log.h"
#include "fs/disk.h"
#include "net/executors.h"
#include "net/loop.h"

namespace tandem::broker::api {

struct Replica;

class DiskSync {
 public:
  // A log's part of a batch has ended, and the log knows.
  using Ended = std::function<void(Replica& replica, const base::Status& status)>;

  DiskSync(net::Loop& loop, net::ThreadPool& pool, fs::Disk& disk, std::size_t dirs, Ended ended);

  // All that the replica's log has now; `then` once that batch has ended, well or not.
  void want(Replica& replica, std::function<void()> then = {});

 private:
  struct Lane {  // of one directory
    bool busy = false;
    std::vector<std::shared_ptr<Replica>> wanted;
    std::vector<std::function<void()>> then;
  };
  struct Part {
    std::shared_ptr<Replica> replica;
    std::shared_ptr<log::Log> log;  // what it was then
    log::FlushWork work;
    base::Status status;
  };
  struct Batch {
    std::vector<Part> parts;
    std::vector<std::function<void()>> then;
  };

  void start(std::size_t dir);
  static void run(fs::Disk& disk, Batch& batch);
  void end(std::size_t dir, Batch& batch);

  net::Loop& loop_;
  net::ThreadPool& pool_;
  fs::Disk& disk_;
  Ended ended_;
  std::vector<Lane> lanes_;
};

}  // namespace tandem::broker::api
