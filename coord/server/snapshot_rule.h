// When a snapshot is due: after a random number of transactions between half of snapCount and snapCount, or
// of bytes of log between half of the size limit and the limit, so that servers of one ensemble do not all
// write theirs at once. Pure; the server counts what it logs. Source: Apache's SyncRequestProcessor.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace tandem::coord::server {

class SnapshotRule {
 public:
  // `bytes_max` 0 or less: no rule for bytes.
  SnapshotRule(std::int64_t txns_max, std::int64_t bytes_max, base::Random random)
      : txns_max_(txns_max), bytes_max_(bytes_max), random_(random) {
    reset();
  }

  void add(std::int64_t txns, std::int64_t bytes) {
    txns_ += txns;
    bytes_ += bytes;
  }
  bool due() const { return txns_ > txns_due_ || (bytes_max_ > 0 && bytes_ > bytes_due_); }
  // A snapshot begins.
  void reset() {
    txns_ = bytes_ = 0;
    txns_due_ = draw(txns_max_);
    bytes_due_ = draw(bytes_max_);
  }

 private:
  std::int64_t draw(std::int64_t maximum) {
    const std::int64_t half = maximum / 2;
    return half <= 0 ? maximum
                     : half + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(half)));
  }

  std::int64_t txns_max_;
  std::int64_t bytes_max_;
  base::Random random_;
  std::int64_t txns_ = 0;
  std::int64_t bytes_ = 0;
  std::int64_t txns_due_ = 0;
  std::int64_t bytes_due_ = 0;
};

}  // namespace tandem::coord::server
