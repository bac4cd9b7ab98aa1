#include "tests/sim/node_disk.h"

#include <algorithm>

#include "bytes/reader.h"

namespace tandem::sim {

namespace {

constexpr std::size_t kZxidAt = 12;  // in TxnHeader: client id, cxid, zxid

bool before(const TxnRef& txn, Zxid zxid) { return txn.zxid < zxid; }

Zxid zxid_of(std::string_view payload) {
  bytes::Reader reader(payload);
  reader.skip(kZxidAt);
  return Zxid(reader.i64());
}

}  // namespace

std::vector<TxnRef> refs_of(const std::shared_ptr<const TxnBatch>& batch) {
  std::vector<TxnRef> txns;
  batch->for_each([&](std::string_view payload) {
    txns.push_back({zxid_of(payload), bytes::Slice(batch, payload)});
  });
  return txns;
}

Duration work_time(base::Random& random) { return std::chrono::microseconds(random.between(50, 3000)); }

const TxnRef* NodeDisk::find(Zxid zxid) const {
  const auto it = std::lower_bound(history_.begin(), history_.end(), zxid, before);
  return it != history_.end() && it->zxid == zxid ? &*it : nullptr;
}

void NodeDisk::cut_history(Zxid last) {
  history_.erase(std::lower_bound(history_.begin(), history_.end(), last.next(), before), history_.end());
}

std::uint64_t NodeDisk::fingerprint() const {
  std::uint64_t state = static_cast<std::uint64_t>(accepted_ * 1000 + current_) * 100 + work_left();
  const auto mix = [&state](Zxid zxid) {
    state = (state ^ static_cast<std::uint64_t>(zxid.value)) * 0x100000001b3ULL;
  };
  for (const TxnRef& txn : history_) mix(txn.zxid);
  mix(snapshot_zxid_);
  return state;
}

}  // namespace tandem::sim
