#include "tests/sim/list_disk.h"

#include <algorithm>

#include "base/check.h"

namespace tandem::sim {

namespace {

constexpr std::uint64_t kHashSeed = 7;
constexpr std::size_t kChunk = 20;  // transactions of an answer to ReadLog
constexpr std::size_t kRecentOfATruncation = 64;
constexpr Duration kAtOnce = std::chrono::microseconds(1);

// What applying `history` leads to.
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

class ListedLog final : public LogSource {
 public:
  explicit ListedLog(std::vector<TxnRef> txns) : txns_(std::move(txns)) {}

  coord::zab::LogChunk next() override {
    coord::zab::LogChunk chunk;
    while (at_ < txns_.size() && chunk.txns.size() < kChunk) chunk.txns.push_back(txns_[at_++]);
    chunk.last = at_ == txns_.size();
    return chunk;
  }

 private:
  std::vector<TxnRef> txns_;
  std::size_t at_ = 0;
};

}  // namespace

base::Result<coord::peer::PeerStart> ListDisk::open(Failed failed) {
  failed_ = std::move(failed);
  coord::peer::PeerStart start;
  start.database = replay(history_, snapshot_zxid_, recent_, Zxid(INT64_MAX));
  start.accepted_epoch = accepted_;
  start.current_epoch = current_;
  return start;
}

void ListDisk::add(Queue& queue, Work work) {
  queue.work.push_back(std::move(work));
  if (!std::exchange(queue.busy, true)) run(queue);
}

void ListDisk::run(Queue& queue) {
  const Duration time = work_time(random_) + std::exchange(slow_, Duration{});
  scheduler_.after(time, [this, &queue, life = life_] {
    if (life == life_) finish(queue);
  });
}

void ListDisk::finish(Queue& queue) {
  if (std::exchange(fail_, false)) return failed_("a sync failed");
  const Work work = std::move(queue.work.front());
  queue.work.pop_front();
  work.apply(1);
  queue.busy = !queue.work.empty();
  if (queue.busy) run(queue);
  if (work.done) work.done();
}

void ListDisk::persist(std::shared_ptr<const TxnBatch> batch, std::function<void()> done) {
  if (mutant_ == Mutant::early_durable) scheduler_.after(kAtOnce, std::exchange(done, nullptr));
  if (in_groups_ && log_.work.size() > 1 && log_.work.back().may_grow) {
    Work& last = log_.work.back();
    for (TxnRef& txn : refs_of(batch)) last.txns.push_back(std::move(txn));
    last.apply = append(last.txns);
    last.done = std::move(done);
    return;
  }
  std::vector<TxnRef> txns = refs_of(batch);
  add(log_, {txns, append(txns), std::move(done), true});
}

std::function<void(double share)> ListDisk::append(std::vector<TxnRef> txns) {
  return [this, txns = std::move(txns)](double share) {
    const auto count = static_cast<std::size_t>(share * static_cast<double>(txns.size()));
    for (std::size_t i = 0; i < count; ++i) {
      ENSURE(history_.empty() || history_.back().zxid < txns[i].zxid, "0x{:x} is logged behind 0x{:x}",
             txns[i].zxid.value, history_.back().zxid.value);
      history_.push_back(txns[i]);
    }
  };
}

std::vector<TxnRef> ListDisk::given() const {
  std::vector<TxnRef> all = history_;
  for (const Work& work : log_.work) all.insert(all.end(), work.txns.begin(), work.txns.end());
  return all;
}

void ListDisk::drain(std::function<void()> done) {
  if (mutant_ == Mutant::undrained_log) return scheduler_.after(kAtOnce, std::move(done));
  // A server writes its epochs before it does anything else: a role that begins finds them as they were asked
  // for.
  const auto nothing = [](double) {};
  add(epochs_, {{}, nothing, [this, nothing, done = std::move(done)] { add(log_, {{}, nothing, done}); }});
}

void ListDisk::truncate(Zxid zxid, std::function<void(Zxid, Database)> done) {
  std::shared_ptr<std::vector<TxnRef>> kept;
  if (mutant_ == Mutant::kept_tree) kept = std::make_shared<std::vector<TxnRef>>(given());
  add(log_, {{},
             [this, zxid](double share) {
               if (share < 1 || mutant_ == Mutant::no_truncate) return;
               cut_history(zxid);
               if (snapshot_zxid_ > zxid) snapshot_zxid_ = zxid;
             },
             [this, zxid, kept, done = std::move(done)] {
               auto database = replay(kept ? *kept : history_, std::min(snapshot_zxid_, zxid),
                                      kRecentOfATruncation, kept ? Zxid(INT64_MAX) : zxid);
               if (kept) database.tree->set_last_zxid(zxid);
               done(zxid, std::move(database));
             }});
}

void ListDisk::finish_install(std::function<void(Zxid, Database)> done) {
  const auto snapshot = std::exchange(coming_, nullptr);
  add(log_, {{},
             [this, snapshot](double share) {
               if (share < 1) return;
               if (mutant_ == Mutant::unsaved_snapshot) return cut_history(snapshot->zxid);
               history_ = snapshot->history;
               if (mutant_ == Mutant::short_snapshot && !history_.empty()) history_.pop_back();
               snapshot_zxid_ = snapshot->zxid;
               log_floor_ = snapshot->zxid;
             },
             [snapshot, done = std::move(done)] {
               done(snapshot->zxid, replay(snapshot->history, snapshot->zxid, 1, snapshot->zxid));
             }});
}

void ListDisk::accepted_epoch(std::int64_t epoch, std::function<void()> done) {
  if (mutant_ == Mutant::early_accepted_ack) scheduler_.after(kAtOnce, std::exchange(done, nullptr));
  add(epochs_, {{},
                [this, epoch](double share) {
                  if (share >= 1) accepted_ = epoch;
                },
                std::move(done)});
}

void ListDisk::current_epoch(std::int64_t epoch, std::function<void()> done) {
  if (mutant_ == Mutant::early_current_ack && done) scheduler_.after(kAtOnce, std::exchange(done, nullptr));
  add(epochs_, {{},
                [this, epoch](double share) {
                  if (share >= 1) current_ = epoch;
                },
                std::move(done)});
}

void ListDisk::purge() {
  if (!history_.empty()) log_floor_ = std::max(log_floor_, history_[random_.below(history_.size())].zxid);
}

// From the last transaction at or before `from`.
std::unique_ptr<LogSource> ListDisk::read_log(Zxid from, Zxid through) {
  const auto all = given();
  auto first = std::upper_bound(all.begin(), all.end(), from,
                                [](Zxid zxid, const TxnRef& txn) { return zxid < txn.zxid; });
  if (first == all.begin() || std::prev(first)->zxid < log_floor_) return nullptr;
  std::vector<TxnRef> txns;
  for (--first; first != all.end() && first->zxid <= through; ++first) txns.push_back(*first);
  return std::make_unique<ListedLog>(std::move(txns));
}

// Of what was under way a part may have reached the disk; what waited behind it did not begin. After a kill
// the cache of the system still writes what it was given.
void ListDisk::crash(Crash kind) {
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
  fail_ = false;
  coming_.reset();
  if (mutant_ == Mutant::lost_accepted) accepted_ = current_;
  if (mutant_ == Mutant::lost_current) current_ = std::max<std::int64_t>(current_ - 1, 0);
}

}  // namespace tandem::sim
