#include "coord/zab/commit_log.h"

namespace tandem::coord::zab {

void CommitLog::add(records::TxnRef txn) {
  if (!txns_.empty() && !records::follows(txn.zxid, max())) clear();
  bytes_ += txn.payload.size();
  txns_.push_back(std::move(txn));
  while (txns_.size() > 1 && (txns_.size() > count_max_ || bytes_ > bytes_max_)) {
    bytes_ -= txns_.front().payload.size();
    txns_.pop_front();
  }
}

void CommitLog::clear() {
  txns_.clear();
  bytes_ = 0;
}

}  // namespace tandem::coord::zab
