// The most recent committed transactions, from which a learner that missed little is brought up to date
// without the disk. Owned by the peer for the life of the process: recovery fills it, both roles add to it.
// Bounded by count and bytes (limits.h); payloads are shared with the log and the proposals.
#pragma once

#include <deque>

#include "coord/records/txn_batch.h"
#include "coord/zab/limits.h"

namespace tandem::coord::zab {

class CommitLog {
 public:
  explicit CommitLog(std::size_t count_max = kCommitLogCount, std::size_t bytes_max = kCommitLogBytes)
      : count_max_(count_max), bytes_max_(bytes_max) {}

  // The next committed transaction. One that does not follow the last (a snapshot came between) starts the
  // list anew: it never has a hole.
  void add(records::TxnRef txn);
  void clear();

  bool empty() const { return txns_.empty(); }
  std::size_t size() const { return txns_.size(); }
  std::size_t bytes() const { return bytes_; }
  jute::Zxid min() const { return txns_.front().zxid; }
  jute::Zxid max() const { return txns_.back().zxid; }
  const std::deque<records::TxnRef>& txns() const { return txns_; }

 private:
  std::size_t count_max_;
  std::size_t bytes_max_;
  std::deque<records::TxnRef> txns_;
  std::size_t bytes_ = 0;
};

}  // namespace tandem::coord::zab
