// StagedAppends: what the produce requests of one receive have appended on their shard and not yet written,
// so that several batches of one log become one write. The connection that gathers (Call::gathers) calls
// finish() when it has handed out the last frame of its receive, and before any request that does not stage:
// nothing else runs on the shard's thread between an append and its write. Nothing is acknowledged, and
// nobody who waits for a log is told, before all of it is written.
#pragma once

#include <memory>
#include <vector>

namespace tandem::broker::api {

struct Replica;

class StagedAppends {
 public:
  // A request that has appended. Its bytes stay in place until written() is called.
  class Request {
   public:
    virtual ~Request() = default;
    virtual void written() = 0;  // or the log has failed
  };

  void add(Replica& replica);  // which was appended to
  void add(std::shared_ptr<Request> request);
  void finish();

 private:
  std::vector<std::shared_ptr<Replica>> replicas_;
  std::vector<std::shared_ptr<Request>> requests_;
};

}  // namespace tandem::broker::api
