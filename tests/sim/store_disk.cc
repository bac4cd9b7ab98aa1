#include "tests/sim/store_disk.h"

#include <fmt/format.h>

#include <algorithm>

#include "coord/server/start_load.h"
#include "coord/server/tree_restore.h"
#include "coord/shell/snapshot_writer.h"
#include "coord/storage/durable_mark.h"
#include "coord/storage/epoch_files.h"
#include "coord/storage/log_range.h"
#include "coord/storage/purge.h"
#include "coord/storage/truncate.h"
#include "coord/storage/txn_log_reader.h"

namespace tandem::sim {

namespace storage = coord::storage;
namespace shell = coord::shell;
using base::Errc;
using base::Status;
using coord::server::TreeRestore;

namespace {

const std::string kDirectory = "/data/version-2";
constexpr std::uint64_t kStoreHashSeed = 7;
constexpr std::size_t kLogPiece = 2000;
constexpr std::size_t kItemMax = 1U << 20;
constexpr int kSnapshotsKept = 3;
constexpr std::uint64_t kDeathWithin = 12;  // changes of the disk
constexpr std::uint64_t kAlways = 1ULL << 40;
const coord::tree::TreeOptions kTree{.extended_types = true, .digest = true, .hash_seed = kStoreHashSeed};

// The first one behind `zxid`.
template <class Txns>
auto behind(Txns& txns, Zxid zxid) {
  return std::upper_bound(txns.begin(), txns.end(), zxid,
                          [](Zxid at, const TxnRef& txn) { return at < txn.zxid; });
}

Zxid last_of(const std::vector<TxnRef>& txns, Zxid through) {
  const auto next = behind(txns, through);
  return next == txns.begin() ? Zxid(0) : std::prev(next)->zxid;
}

class LoggedRange final : public LogSource {
 public:
  LoggedRange(std::unique_ptr<storage::LogRange> range, Zxid through)
      : range_(std::move(range)), through_(through) {}

  coord::zab::LogChunk next() override {
    auto txns = range_->next(kLogPiece, through_);
    coord::zab::LogChunk chunk;
    chunk.available = txns.has_value();
    chunk.last = !txns || txns->empty();
    if (txns) chunk.txns = std::move(*txns);
    return chunk;
  }

 private:
  std::unique_ptr<storage::LogRange> range_;
  Zxid through_;
};

class TreeWalk final : public BodySource {
 public:
  TreeWalk(coord::tree::DataTree& tree, const Sessions& sessions, std::uint64_t nodes)
      : view_(tree), head_(shell::encode_snapshot_head(view_, sessions)), nodes_(nodes) {}

  bool next(std::string& out) override {
    out += head_;
    head_.clear();
    coord::tree::SnapshotNode node;
    for (std::uint64_t i = 0; i < nodes_; ++i) {
      if (!view_.next(node)) {
        storage::encode_body_end(out);
        return false;
      }
      shell::encode_snapshot_node(out, node);
    }
    return true;
  }

 private:
  coord::tree::SnapshotView view_;
  std::string head_;
  std::uint64_t nodes_;
};

}  // namespace

StoreDisk::StoreDisk(Scheduler& scheduler, base::Random random, Mutant mutant, StoreOptions options,
                     Violated violated)
    : NodeDisk(scheduler, random, mutant),
      options_(options),
      violated_(std::move(violated)),
      disk_(random_.split(), options.lies),
      snapshot_options_{.directory = kDirectory, .past_cache = false},
      rule_(options.snap_count, 0, random_.split()) {}

StoreDisk::~StoreDisk() = default;

// ---- start and end
// ------------------------------------------------------------------------------------------

base::Result<StoreDisk::Database> StoreDisk::recover() {
  TreeRestore restore(kTree, options_.recent);
  const auto recovered = storage::recover(disk_,
                                          {.log_directory = kDirectory,
                                           .snapshot_directory = kDirectory,
                                           .doubt_is_damage = options_.others_suffice},
                                          restore);
  if (!recovered) return recovered.error();
  rule_.add(static_cast<std::int64_t>(recovered->txns), 0);
  Database database;
  database.tree = restore.take_tree();
  database.sessions = restore.sessions();
  database.recent = restore.take_recent();
  database.mixed_until = restore.comparable_from();
  settle_history(*recovered);
  comparable_from_ = std::max(comparable_from_, database.mixed_until);
  if (recovered->snapshot) return database;
  Sessions sessions;
  for (const auto& [id, timeout_ms] : database.sessions)
    sessions.emplace_back(jute::SessionId(id), timeout_ms);
  const auto written =
      shell::SnapshotWriter::write_now(disk_, snapshot_options_, {}, *database.tree, sessions);
  if (!written) return written.error();
  return database;
}

// D1: what was durable is found, and nothing that was never given.
void StoreDisk::settle_history(const storage::Recovered& recovered) {
  const Zxid last = recovered.last_zxid;
  snapshot_zxid_ = recovered.snapshot.value_or(Zxid(0));
  if (replacing_) settle_replacement(snapshot_zxid_);
  take_history(snapshot_zxid_);
  cut_histories(last);
  comparable_from_ = mixed_until_.contains(snapshot_zxid_) ? mixed_until_[snapshot_zxid_] : snapshot_zxid_;
  const Zxid known = history_.empty() ? Zxid(0) : history_.back().zxid;
  if (last < certain_ && !rotten_)
    violated_("D1", fmt::format("0x{:x} was durable, a start finds 0x{:x}", certain_.value, last.value));
  if (known != last && coord::records::counter_of(last) != 0)
    violated_("D1", fmt::format("a start finds 0x{:x}, which this server was never given", last.value));
  certain_ = last;
  whole_from_ = std::min(whole_from_, snapshot_zxid_);
  settled_ = true;
}

// The process died while a leader's snapshot took the place of the history. The log was cut at it first, then
// the snapshot was there, then all else went: the log from its end, and the snapshots, the newest last.
void StoreDisk::settle_replacement(Zxid found) {
  const auto snapshot = std::exchange(replacing_, nullptr);
  if (found >= snapshot->zxid) whole_from_ = found;
  if (!fs::exists(disk_,
                  fs::join(kDirectory, storage::snapshot_name(snapshot->zxid, storage::Compression::none))))
    return;
  mixed_until_[snapshot->zxid] = *snapshot->mixed_until;
  // A zxid stands for one history: one that has the snapshot's last transaction holds all of it.
  const Zxid had = snapshot->history.empty() ? Zxid(0) : snapshot->history.back().zxid;
  if (last_of(maybe_, snapshot->zxid) == had) return;
  beneath_[snapshot->zxid] = std::make_shared<History>(snapshot->history);
}

// The history that `snapshot` is of. What was there before may still be beneath it.
void StoreDisk::take_history(Zxid snapshot) {
  const auto found = beneath_.find(snapshot);
  if (found == beneath_.end()) {
    history_ = std::move(maybe_);
  } else {
    const auto history = found->second;
    keep_beneath(std::move(maybe_));
    std::erase_if(beneath_, [&](const auto& each) { return each.second == history; });
    history_ = *history;
  }
  maybe_.clear();
  beneath_.erase(beneath_.upper_bound(snapshot), beneath_.end());
}

void StoreDisk::keep_beneath(History history) {
  const auto kept = std::make_shared<History>(std::move(history));
  const auto snapshots = storage::list_snapshots(disk_, kDirectory);
  if (!snapshots) return;
  for (const auto& file : *snapshots) beneath_.try_emplace(file.zxid, kept);
}

// Of all that may be on the disk: a start replays the log to its end, a truncation cuts all of it.
void StoreDisk::cut_histories(Zxid last) {
  cut_history(last);
  for (auto& [snapshot, history] : beneath_) history->erase(behind(*history, last), history->end());
}

base::Result<coord::peer::PeerStart> StoreDisk::open(Failed failed) {
  failed_ = std::move(failed);
  const bool lies = mutant_ == Mutant::trusting_recovery;
  if (lies) disk_.set_lies({.no_file_syncs = true, .no_directory_syncs = true});
  coord::server::StartRules rules;
  rules.directories = {.log = kDirectory, .snapshot = kDirectory};
  rules.others_suffice = options_.others_suffice;
  coord::server::StartEvents events;
  events.recover = [this, lies] {
    auto database = recover();
    if (lies) disk_.set_lies(options_.lies);
    return database;
  };
  events.warn = [](const std::string&) {};
  events.damaged = [this](const std::string& text) {
    if (!rotten_) violated_("D2", text);
    set_aside_ = true;
    rotten_anew_ = false;
    unproven_.clear();
  };
  auto start = coord::server::load_start(disk_, rules, events);
  disk_.set_lies(options_.lies);
  if (!start) return start;
  if (start->accepted_epoch < accepted_ || start->current_epoch < current_)
    violated_("D1", fmt::format("epochs {}/{} were durable, a start finds {}/{}", accepted_, current_,
                                start->accepted_epoch, start->current_epoch));
  accepted_ = start->accepted_epoch;
  current_ = start->current_epoch;
  set_aside_ = set_aside_ || (rotten_ && start->incomplete && !vote_withheld_);
  const bool unsure = std::exchange(vote_unsure_, false);
  if (start->incomplete != vote_withheld_ && !set_aside_ && !unsure)
    violated_("D1", "whether it may vote is not what it was");
  vote_withheld_ = start->incomplete;
  return start;
}

void StoreDisk::withhold_vote(const std::string& reason) {
  vote_unsure_ = true;  // until it is written: a death on the way may leave either
  if (const Status status = storage::withhold_vote(disk_, kDirectory, reason); !status)
    return fail(status.error());
  vote_unsure_ = false;
  vote_withheld_ = true;
}

// All is here again, and what was set aside is what rotted: from now on it is judged as any other disk.
void StoreDisk::restore_vote() {
  vote_withheld_ = false;
  vote_unsure_ = true;
  if (const Status status = storage::restore_vote(disk_, kDirectory); !status) return fail(status.error());
  vote_unsure_ = false;
  if (!std::exchange(set_aside_, false)) return;
  rotten_ = std::exchange(rotten_anew_, false);
  ++healed_;
}

void StoreDisk::let_go() {
  ++life_;
  give_up_snapshot();
}

void StoreDisk::crash(Crash kind) {
  let_go();
  if (std::exchange(settled_, false)) maybe_ = given();  // else the start failed before
  coming_.reset();
  batches_.clear();
  busy_ = false;
  roll_next_ = false;
  unsettled_ = false;
  log_.reset();
  intake_.reset();
  // The mark is not synced: after a power cut it may prove less, and nobody could know of this any more.
  if (kind == Crash::power) {
    for (const Rot& rot : unproven_) disk_.rot(rot.path, rot.offset, rot.mask);
    unproven_.clear();
  }
  disk_.crash(kind);
  slow_ = {};
}

bool StoreDisk::die_soon(std::function<void()> died) {
  die_in(1 + random_.below(kDeathWithin), std::move(died));
  return true;
}

// In the way of a server: an error of the disk ends the process. A process that is gone says nothing.
void StoreDisk::fail(const base::Error& error) {
  if (disk_.dead()) return;
  disk_.die_after(1, nullptr);
  if (const auto failed = std::exchange(failed_, nullptr)) failed(error.context);
}

void StoreDisk::later(std::function<void()> task) {
  scheduler_.after(Duration{0}, [this, life = life_, task = std::move(task)] {
    if (life == life_ && !disk_.dead()) task();
  });
}

// ---- the log
// ------------------------------------------------------------------------------------------------

void StoreDisk::persist(std::shared_ptr<const TxnBatch> batch, std::function<void()> done) {
  if (mutant_ == Mutant::early_durable)
    scheduler_.after(std::chrono::microseconds(1), std::exchange(done, nullptr));
  std::string entries;
  batch->for_each([&](std::string_view payload) { storage::frame_entry(entries, payload); });
  const bool roll = std::exchange(roll_next_, false);
  if (!roll && batches_.size() > (busy_ ? 1U : 0U)) {
    Batch& last = batches_.back();
    last.bytes += entries;
    for (TxnRef& txn : refs_of(batch)) last.txns.push_back(std::move(txn));
    last.done = std::move(done);
  } else {
    batches_.push_back({roll, false, batch->first, std::move(entries), refs_of(batch), std::move(done)});
  }
  rule_.add(static_cast<std::int64_t>(batch->sizes.size()), static_cast<std::int64_t>(batch->bytes.size()));
  if (!busy_) begin_batch();
}

void StoreDisk::begin_batch() {
  busy_ = true;
  // Not told by its first zxid: behind a truncation the same transactions may come again.
  const auto still = [this, life = life_, work = ++work_] { return life == life_ && busy_ && work == work_; };
  const Duration wake = std::chrono::microseconds(random_.between(5, 100));
  const Duration time = work_time(random_) + std::exchange(slow_, Duration{});
  scheduler_.after(wake, [this, still, time] {
    if (!still() || !write_batch()) return;
    scheduler_.after(time, [this, still] {
      if (still()) end_batch();
    });
  });
}

bool StoreDisk::write_batch() {
  if (!log_)
    log_.emplace(disk_, storage::TxnLogOptions{.directory = kDirectory,
                                               .preallocate_bytes = options_.preallocate_bytes});
  Batch& batch = batches_.front();
  if (!settle_log()) return false;
  if (batch.roll) log_->roll();
  const auto status = log_->write(batch.first, batch.bytes);
  if (!status) fail(status.error());
  batch.written = status.has_value();
  return batch.written;
}

// Behind the acknowledgement of the batch before: a crash may come in between.
bool StoreDisk::settle_log() {
  if (!std::exchange(unsettled_, false)) return true;
  if (const auto status = log_->settle(); !status) {
    fail(status.error());
    return false;
  }
  if (options_.log_bytes_max > 0 && log_->file_size() > options_.log_bytes_max) log_->roll();
  return true;
}

bool StoreDisk::sync_batch() {
  if (const auto status = log_->make_durable(); !status) {
    fail(status.error());
    return false;
  }
  unsettled_ = true;
  const Batch& batch = batches_.front();
  history_.insert(history_.end(), batch.txns.begin(), batch.txns.end());
  certain_ = history_.back().zxid;
  return true;
}

void StoreDisk::end_batch() {
  if (!sync_batch()) return;
  const auto done = std::move(batches_.front().done);
  batches_.pop_front();
  busy_ = false;
  if (!batches_.empty()) begin_batch();
  if (done) done();
}

// The server waits for its log thread; nothing is reported any more.
bool StoreDisk::close_log() {
  while (!batches_.empty()) {
    if (!batches_.front().written && !write_batch()) return false;
    if (!sync_batch()) return false;
    batches_.pop_front();
  }
  if (!settle_log()) return false;
  busy_ = false;
  log_.reset();
  return true;
}

std::vector<TxnRef> StoreDisk::given() const {
  std::vector<TxnRef> all = history_;
  for (const Batch& batch : batches_) all.insert(all.end(), batch.txns.begin(), batch.txns.end());
  return all;
}

void StoreDisk::drain(std::function<void()> done) {
  give_up_snapshot();
  if (close_log()) later(std::move(done));
}

std::unique_ptr<LogSource> StoreDisk::read_log(Zxid from, Zxid through) {
  auto range = storage::LogRange::open(disk_, kDirectory, snapshot_zxid_, from, kAlways);
  if (!range || *range == nullptr) return nullptr;
  return std::make_unique<LoggedRange>(std::move(*range), through);
}

// ---- history
// ------------------------------------------------------------------------------------------------

void StoreDisk::truncate(Zxid zxid, std::function<void(Zxid, Database)> done) {
  give_up_snapshot();
  if (!close_log()) return;
  // Beneath a snapshot whose installation died nothing is sure, a truncation says what it left.
  const Zxid left = std::max(last_of(history_, zxid), snapshot_zxid_ <= zxid ? snapshot_zxid_ : Zxid(0));
  const Zxid all = std::exchange(certain_, zxid < whole_from_ ? Zxid(0) : std::min(certain_, left));
  const auto last = storage::truncate_history(disk_, kDirectory, kDirectory, zxid);
  if (!last && last.error().code == Errc::unsupported) certain_ = all;  // said before anything is done
  if (!last) return fail(last.error());
  cut_histories(zxid);
  maybe_ = history_;
  auto database = recover();
  if (!database) return fail(database.error());
  later([last = *last, done = std::move(done), held = std::make_shared<Database>(std::move(*database))] {
    done(last, std::move(*held));
  });
}

void StoreDisk::begin_install(std::shared_ptr<const Snapshot> snapshot) {
  give_up_snapshot();
  if (!close_log()) return;
  coming_ = std::move(snapshot);
  auto intake = shell::SnapshotIntake::begin(disk_, snapshot_options_, coming_->zxid,
                                             std::make_unique<TreeRestore>(kTree), kItemMax);
  if (!intake) return fail(intake.error());
  intake_ = std::move(*intake);
}

base::Result<bool> StoreDisk::take(std::string_view& bytes) {
  if (intake_ == nullptr) return base::make_error(Errc::closed, "a snapshot that was not asked for");
  const auto whole = intake_->take(bytes);
  if (!whole || !*whole) return whole;
  if (const auto status = intake_->close_tree(); !status) return status.error();
  return true;
}

void StoreDisk::finish_install(std::function<void(Zxid, Database)> done) {
  const Zxid zxid = intake_->zxid();
  replacing_ = std::move(coming_);
  // The log is cut there before anything else happens.
  certain_ = std::min(certain_, std::max(last_of(history_, zxid), std::min(snapshot_zxid_, zxid)));
  if (const auto status = intake_->replace_history(kDirectory, kDirectory); !status)
    return fail(status.error());
  history_ = replacing_->history;
  snapshot_zxid_ = zxid;
  certain_ = zxid;
  comparable_from_ = mixed_until_[zxid] = *replacing_->mixed_until;
  replacing_.reset();
  beneath_.clear();
  whole_from_ = Zxid(0);
  auto& restore = static_cast<TreeRestore&>(intake_->target());
  auto database = std::make_shared<Database>();
  database->tree = restore.take_tree();
  database->sessions = restore.sessions();
  intake_.reset();
  later([zxid, database, done = std::move(done)] { done(zxid, std::move(*database)); });
}

void StoreDisk::abort_install() {
  intake_.reset();
  coming_.reset();
}

void StoreDisk::epoch(bool accepted, std::int64_t epoch, std::function<void()> done) {
  const Status status = accepted ? storage::write_accepted_epoch(disk_, kDirectory, epoch)
                                 : storage::write_current_epoch(disk_, kDirectory, epoch);
  if (!status) return fail(status.error());
  (accepted ? accepted_ : current_) = epoch;
  if (done) later(std::move(done));
}

void StoreDisk::accepted_epoch(std::int64_t value, std::function<void()> done) {
  epoch(true, value, std::move(done));
}

void StoreDisk::current_epoch(std::int64_t value, std::function<void()> done) {
  epoch(false, value, std::move(done));
}

// ---- snapshots
// ------------------------------------------------------------------------------------------------

void StoreDisk::begin_snapshot(coord::tree::DataTree& tree, const Sessions& sessions) {
  rule_.reset();
  roll_next_ = true;
  snapshot_.emplace();
  snapshot_->tree = &tree;
  snapshot_->view = std::make_unique<coord::tree::SnapshotView>(tree);
  auto writer = storage::SnapshotWriter::create(disk_, snapshot_options_, snapshot_->view->last_zxid());
  if (!writer) return give_up_snapshot();
  snapshot_->writer = std::move(*writer);
  if (!snapshot_->writer->write(shell::encode_snapshot_head(*snapshot_->view, sessions)))
    return give_up_snapshot();
  write_slice();
}

// As the thread of the real one does: the log keeps everything when it fails.
void StoreDisk::write_slice() {
  std::string out;
  coord::tree::SnapshotNode node;
  bool more = true;
  for (std::uint64_t left = random_.between(1, 12); more && left > 0; --left) {
    more = snapshot_->view->next(node);
    if (more) shell::encode_snapshot_node(out, node);
  }
  if (!snapshot_->writer->write(out)) return give_up_snapshot();
  if (!more) {
    static_cast<void>(snapshot_->writer->finish(shell::trailer_of(*snapshot_->tree, {})));
    return give_up_snapshot();
  }
  const Duration pause = std::chrono::microseconds(random_.between(100, 20000));
  scheduler_.after(pause, [this, life = life_, writer = snapshot_->writer.get()] {
    if (life == life_ && snapshot_ && snapshot_->writer.get() == writer) write_slice();
  });
}

std::unique_ptr<BodySource> StoreDisk::read_tree(coord::tree::DataTree& tree, const Sessions& sessions) {
  return std::make_unique<TreeWalk>(tree, sessions, random_.between(1, 40));
}

void StoreDisk::purge() {
  static_cast<void>(storage::purge(disk_, kDirectory, kDirectory, kSnapshotsKept));
  const auto logs = storage::list_logs(disk_, kDirectory);
  if (mutant_ != Mutant::greedy_purge || !logs || logs->size() < 2) return;
  static_cast<void>(disk_.unlink(fs::join(kDirectory, logs->front().name)));
}

// A digit of a value becomes another one, and the entry's checksum that of what is there.
bool StoreDisk::rot_unseen(const std::string& path) {
  auto reader = storage::TxnLogReader::open(disk_, path);
  if (!reader) return false;
  for (auto payload = (*reader)->next(); payload && *payload; payload = (*reader)->next()) {
    const std::size_t colon = (*payload)->find(':');
    if (colon == std::string_view::npos || random_.chance(0.9)) continue;
    std::string other(**payload);
    other[colon + 1] = other[colon + 1] == '1' ? '2' : '1';
    std::string framed;
    storage::frame_entry(framed, other);
    return disk_.put(path, (*reader)->offset(), framed);
  }
  return false;
}

bool StoreDisk::rot() {
  const auto marks = storage::DurableMark::read(disk_, kDirectory);
  const auto logs = storage::list_logs(disk_, kDirectory);
  const auto snapshots = storage::list_snapshots(disk_, kDirectory);
  if (!logs || !snapshots || logs->size() + snapshots->size() == 0) return false;
  const std::size_t choice = random_.below(logs->size() + snapshots->size());
  const bool is_log = choice < logs->size();
  const auto& file = is_log ? (*logs)[choice] : (*snapshots)[choice - logs->size()];
  const std::string path = fs::join(kDirectory, file.name);
  const auto info = disk_.info(path);
  if (!info || info->size == 0) return false;
  const bool is_last = is_log && choice + 1 == logs->size();
  const bool marked = !marks.empty() && marks.back().log == file.zxid;
  const std::uint64_t known = !is_last ? info->size : marked ? marks.back().bytes : 0;
  if (known == 0) return false;
  if (mutant_ == Mutant::blind_checksums) return is_log && rot_unseen(path);
  const Rot rot{path, random_.below(known), static_cast<char>(random_.between(1, 127))};
  if (!disk_.rot(rot.path, rot.offset, rot.mask)) return false;
  if (is_last) unproven_.push_back(rot);
  rotten_ = true;
  rotten_anew_ = rotten_anew_ || set_aside_;
  return true;
}

}  // namespace tandem::sim
