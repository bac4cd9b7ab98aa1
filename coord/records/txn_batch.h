// Transactions that were proposed, or received, together, and a reference to one of them. A payload is what
// the log keeps and a proposal carries: header, body, digest (txn.h). Bytes are shared and immutable once the
// batch is: log, learners' outputs and the list of recent transactions look at the same block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bytes/slice.h"
#include "jute/ids.h"

namespace tandem::coord::records {

// In zxid order.
struct TxnBatch {
  jute::Zxid first;
  jute::Zxid last;
  std::string bytes;                 // the payloads, back to back
  std::vector<std::uint32_t> sizes;  // of each

  template <class Visit>  // visit(payload)
  void for_each(Visit&& visit) const {
    std::size_t at = 0;
    for (const std::uint32_t size : sizes) {
      visit(std::string_view(bytes).substr(at, size));
      at += size;
    }
  }
};

// One transaction; keeps the block it is in alive.
struct TxnRef {
  jute::Zxid zxid;
  bytes::Slice payload;

  bool operator==(const TxnRef&) const = default;
};

// What a zxid is made of.
inline constexpr int kEpochShift = 32;
inline std::int64_t epoch_of(jute::Zxid zxid) { return zxid.value >> kEpochShift; }
inline std::uint32_t counter_of(jute::Zxid zxid) { return static_cast<std::uint32_t>(zxid.value); }
inline jute::Zxid make_zxid(std::int64_t epoch, std::uint32_t counter) {
  return jute::Zxid(static_cast<std::int64_t>(static_cast<std::uint64_t>(epoch) << kEpochShift | counter));
}

// Whether `zxid` can be the transaction right after `last`: no hole within an epoch, a new epoch from its 1.
inline bool follows(jute::Zxid zxid, jute::Zxid last) {
  if (epoch_of(zxid) == epoch_of(last)) return zxid.value == last.value + 1;
  return zxid > last && counter_of(zxid) == 1;
}

}  // namespace tandem::coord::records
