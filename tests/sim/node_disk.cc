#include "tests/sim/node_disk.h"

#include <algorithm>

#include "base/check.h"
#include "bytes/reader.h"

namespace tandem::sim {

namespace {

constexpr std::uint64_t kHashSeed = 7;

constexpr std::size_t kZxidAt = 12;  // in TxnHeader: client id, cxid, zxid

bool before(const TxnRef& txn, Zxid zxid) { return txn.zxid < zxid; }

Zxid zxid_of(std::string_view payload) {
  bytes::Reader reader(payload);
  reader.skip(kZxidAt);
  return Zxid(reader.i64());
}

std::vector<TxnRef> refs_of(const std::shared_ptr<const TxnBatch>& batch) {
  std::vector<TxnRef> txns;
  batch->for_each([&](std::string_view payload) {
    txns.push_back({zxid_of(payload), bytes::Slice(batch, payload)});
  });
  return txns;
}

}  // namespace

void NodeDisk::add(Queue& queue, Work work) {
  queue.work.push_back(std::move(work));
  if (!std::exchange(queue.busy, true)) run(queue);
}

void NodeDisk::run(Queue& queue) {
  Duration time = std::chrono::microseconds(random_.between(50, 3000)) + std::exchange(slow_, Duration{});
  scheduler_.after(time, [this, &queue, life = life_] {
    if (life == life_) finish(queue);
  });
}

void NodeDisk::finish(Queue& queue) {
  if (fail_) return std::exchange(fail_, nullptr)();
  const Work work = std::move(queue.work.front());
  queue.work.pop_front();
  work.apply(1);
  queue.busy = !queue.work.empty();
  if (queue.busy) run(queue);
  if (work.done) work.done();
}

void NodeDisk::persist(std::shared_ptr<const TxnBatch> batch, std::function<void()> done) {
  if (mutant_ == Mutant::early_durable)
    scheduler_.after(std::chrono::microseconds(1), std::exchange(done, nullptr));
  Work work;
  work.txns = refs_of(batch);
  work.apply = [this, txns = work.txns](double share) {
    const auto count = static_cast<std::size_t>(share * static_cast<double>(txns.size()));
    for (std::size_t i = 0; i < count; ++i) {
      ENSURE(history_.empty() || history_.back().zxid < txns[i].zxid, "0x{:x} is logged behind 0x{:x}",
             txns[i].zxid.value, history_.back().zxid.value);
      history_.push_back(txns[i]);
    }
  };
  work.done = std::move(done);
  add(log_, std::move(work));
}

std::vector<TxnRef> NodeDisk::given() const {
  std::vector<TxnRef> all = history_;
  for (const Work& work : log_.work) all.insert(all.end(), work.txns.begin(), work.txns.end());
  return all;
}

void NodeDisk::drain(std::function<void()> done) {
  add(log_, {{}, [](double) {}, std::move(done)});
}

void NodeDisk::truncate(Zxid zxid, std::function<void()> done) {
  add(log_, {{},
             [this, zxid](double share) {
               if (share < 1 || mutant_ == Mutant::no_truncate) return;
               const auto cut = std::lower_bound(history_.begin(), history_.end(), zxid.next(), before);
               history_.erase(cut, history_.end());
               if (snapshot_zxid_ > zxid) snapshot_zxid_ = zxid;
             },
             std::move(done)});
}

void NodeDisk::install(std::shared_ptr<const Snapshot> snapshot, std::function<void()> done) {
  add(log_, {{},
             [this, snapshot](double share) {
               if (share < 1) return;
               history_ = snapshot->history;
               if (mutant_ == Mutant::short_snapshot && !history_.empty()) history_.pop_back();
               snapshot_zxid_ = snapshot->zxid;
               log_floor_ = snapshot->zxid;
             },
             std::move(done)});
}

void NodeDisk::accepted_epoch(std::int64_t epoch, std::function<void()> done) {
  add(epochs_, {{},
                [this, epoch](double share) {
                  if (share >= 1) accepted_ = epoch;
                },
                std::move(done)});
}

void NodeDisk::current_epoch(std::int64_t epoch, std::function<void()> done) {
  add(epochs_, {{},
                [this, epoch](double share) {
                  if (share >= 1) current_ = epoch;
                },
                std::move(done)});
}

// Of what was under way a part may have reached the disk; what waited behind it did not begin. After a kill
// the cache of the system still writes what it was given.
void NodeDisk::crash(Crash kind) {
  ++life_;
  for (Queue* queue : {&log_, &epochs_}) {
    if (!queue->work.empty()) {
      const double share = static_cast<double>(random_.below(1001)) / 1000;
      queue->work.front().apply(kind == Crash::kill && random_.chance(0.5) ? 1 : share);
    }
    queue->work.clear();
    queue->busy = false;
  }
  slow_ = {};
  fail_ = nullptr;
  if (mutant_ == Mutant::lost_accepted) accepted_ = current_;
}

const TxnRef* NodeDisk::find(Zxid zxid) const {
  const auto it = std::lower_bound(history_.begin(), history_.end(), zxid, before);
  return it != history_.end() && it->zxid == zxid ? &*it : nullptr;
}

coord::peer::Database NodeDisk::database(std::size_t recent, Zxid through) const {
  return replay(history_, std::min(snapshot_zxid_, through), recent, through);
}

coord::peer::Database replay(const std::vector<TxnRef>& history, Zxid snapshot_zxid, std::size_t recent,
                             Zxid through) {
  coord::peer::Database database;
  database.tree = std::make_unique<coord::tree::DataTree>(
      coord::tree::TreeOptions{.extended_types = true, .digest = true, .hash_seed = kHashSeed});
  for (const TxnRef& txn : history) {
    if (txn.zxid > through) break;
    coord::tree::ApplyResult result;
    const base::Status status = database.tree->apply(txn.payload.view(), nullptr, result);
    ENSURE(status.has_value(), "{}", status.error().context);
    if (result.header.type == jute::OpCode::create_session)
      database.sessions[result.header.client_id.value] = result.session_timeout_ms;
    if (result.header.type == jute::OpCode::close_session)
      database.sessions.erase(result.header.client_id.value);
    database.recent.push_back(txn);
    if (database.recent.size() > 2 * recent + 64)
      database.recent.erase(database.recent.begin(),
                            database.recent.end() - static_cast<std::ptrdiff_t>(recent));
  }
  if (database.tree->last_zxid() < snapshot_zxid) database.tree->set_last_zxid(snapshot_zxid);
  return database;
}

}  // namespace tandem::sim
