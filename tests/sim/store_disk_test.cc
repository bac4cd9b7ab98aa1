// The model of what a disk should hold is right about the real storage code, wherever that dies, and rejects
// a disk that lost what it had synced.
#include "tests/sim/store_disk.h"

#include <doctest/doctest.h>

#include "coord/records/txn.h"

using namespace tandem;
using namespace tandem::sim;
using coord::records::make_zxid;

namespace {

constexpr auto kLong = std::chrono::hours(1);
constexpr std::int64_t kEpochMax = 100;
const std::vector<Zxid> kOurs = {make_zxid(1, 1), make_zxid(1, 2), make_zxid(1, 3), make_zxid(1, 4),
                                 make_zxid(1, 5), make_zxid(1, 6), make_zxid(1, 7), make_zxid(1, 8)};
const std::vector<Zxid> kTheirs = {make_zxid(1, 1), make_zxid(1, 2), make_zxid(1, 3), make_zxid(1, 4),
                                   make_zxid(1, 5), make_zxid(2, 1), make_zxid(2, 2), make_zxid(2, 3)};

std::shared_ptr<const TxnBatch> batch_of(Zxid zxid) {
  auto batch = std::make_shared<TxnBatch>();
  batch->first = batch->last = zxid;
  coord::records::encode_payload(
      batch->bytes, {.zxid = zxid, .time = 1, .type = jute::OpCode::create},
      coord::records::CreateTxn{.path = "/" + std::to_string(zxid.value), .data = "x", .acl = {}}, nullptr);
  batch->sizes = {static_cast<std::uint32_t>(batch->bytes.size())};
  return batch;
}

std::unique_ptr<coord::tree::DataTree> tree_of(const std::vector<Zxid>& zxids) {
  auto tree = std::make_unique<coord::tree::DataTree>(
      coord::tree::TreeOptions{.extended_types = true, .digest = true, .hash_seed = 7});
  for (const Zxid each : zxids) {
    coord::tree::ApplyResult result;
    REQUIRE(tree->apply(batch_of(each)->bytes, nullptr, result).has_value());
  }
  return tree;
}

std::shared_ptr<const Snapshot> snapshot_of(const std::vector<Zxid>& zxids, Zxid zxid) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->zxid = *snapshot->mixed_until = zxid;
  snapshot->has_body = true;
  for (const Zxid each : zxids) snapshot->history.push_back(refs_of(batch_of(each)).front());
  return snapshot;
}

// A server's disk, and what it was found to have done wrong.
class Server {
 public:
  explicit Server(std::uint64_t seed, DiskLies lies = {})
      : disk_(scheduler_, base::Random(seed), Mutant::none, {.lies = lies},
              [this](const std::string& invariant, const std::string& text) {
                wrong += invariant + ": " + text + "\n";
              }) {
    start();
    disk_.accepted_epoch(kEpochMax, [] {});
    disk_.current_epoch(kEpochMax, [] {});
    run();
  }

  // What a start finds; nothing when it fails.
  std::optional<Zxid> start() {
    auto start = disk_.open([](const std::string&) {});
    if (!start) wrong += "D2: " + start.error().context + "\n";
    if (!start) return std::nullopt;
    return took(std::move(start->database));
  }
  std::optional<Zxid> restart(Crash kind) {
    disk_.let_go();
    database_ = {};
    disk_.crash(kind);
    return start();
  }
  void log(std::span<const Zxid> zxids) {
    for (const Zxid zxid : zxids) {
      const auto batch = batch_of(zxid);
      coord::tree::ApplyResult result;
      REQUIRE(database_.tree->apply(batch->bytes, nullptr, result).has_value());
      disk_.persist(batch, [] {});
      run();
    }
  }
  void purge() { disk_.purge(); }
  void snapshot() {
    disk_.begin_snapshot(*database_.tree, {});
    run();
  }
  // Whether it came to its end.
  bool install(const std::vector<Zxid>& zxids, Zxid zxid, std::uint64_t death) {
    const auto tree = tree_of(zxids);
    const auto source = disk_.read_tree(*tree, {});
    std::string body;
    while (source->next(body)) {
    }
    std::string_view bytes = body;
    disk_.begin_install(snapshot_of(zxids, zxid));
    for (auto whole = disk_.take(bytes); !*whole;) whole = disk_.take(bytes);
    die_in(death);
    bool done = false;
    disk_.finish_install([&](Zxid, NodeDisk::Database database) {
      took(std::move(database));
      done = true;
    });
    run();
    return done;
  }
  std::optional<Zxid> truncate(Zxid zxid, std::uint64_t death) {
    die_in(death);
    std::optional<Zxid> found;
    disk_.truncate(zxid, [&](Zxid last, NodeDisk::Database database) {
      took(std::move(database));
      found = last;
    });
    run();
    return found;
  }
  std::vector<Zxid> holds() const {
    std::vector<Zxid> zxids;
    for (const TxnRef& txn : disk_.history()) zxids.push_back(txn.zxid);
    return zxids;
  }

  std::string wrong;

 private:
  void die_in(std::uint64_t changes) {
    if (changes > 0) disk_.die_in(changes, [] {});
  }
  Zxid took(NodeDisk::Database database) {
    database_ = std::move(database);
    if (database_.tree->digest() != tree_of(holds())->digest()) wrong += "the tree is of another history\n";
    return database_.tree->last_zxid();
  }
  void run() {
    while (scheduler_.run_one(scheduler_.now() + kLong)) {
    }
  }

  Scheduler scheduler_;
  StoreDisk disk_;
  NodeDisk::Database database_;
};

std::span<const Zxid> part(const std::vector<Zxid>& zxids, std::size_t from, std::size_t to) {
  return std::span(zxids).subspan(from, to - from);
}

// Two log files, snapshots at their begin, between and at their end.
void fill(Server& server) {
  server.log(part(kOurs, 0, 4));
  server.snapshot();
  server.log(part(kOurs, 4, 8));
  server.snapshot();
}

bool begins(const std::vector<Zxid>& zxids, const std::vector<Zxid>& whole) {
  return zxids.size() <= whole.size() && std::equal(zxids.begin(), zxids.end(), whole.begin());
}

}  // namespace

TEST_CASE(
    "a leader's snapshot whose installation dies anywhere, and that is to be cut, is dropped, and the "
    "history before it is what is left") {
  int dropped = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    for (std::uint64_t death = 1; death <= 40; ++death) {
      for (std::uint64_t second = 0; second <= 30; ++second) {
        const Crash kind = seed % 2 == 0 ? Crash::kill : Crash::power;
        CAPTURE(seed);
        CAPTURE(death);
        CAPTURE(second);
        Server server(seed + 1);
        fill(server);
        if (server.install(kTheirs, kTheirs.back(), death)) break;
        const auto found = server.restart(kind);
        REQUIRE_MESSAGE(server.wrong.empty(), server.wrong);
        if (found == kTheirs.back()) {
          const Zxid behind[] = {kTheirs.back().next(), kTheirs.back().next().next()};
          server.log(behind);
          server.snapshot();
        }
        const Zxid target = make_zxid(2, 1);
        if (!server.truncate(target, second)) {
          server.restart(kind);
          REQUIRE_MESSAGE(server.wrong.empty(), server.wrong);
          if (!server.truncate(target, 0)) server.restart(kind);
        }
        REQUIRE_MESSAGE(server.wrong.empty(), server.wrong);
        const bool ours = begins(server.holds(), kOurs);
        const bool theirs = begins(server.holds(), kTheirs);
        REQUIRE((ours || theirs || server.holds().size() == kTheirs.size() + 2));
        dropped += found == kTheirs.back() && ours ? 1 : 0;
        const auto again = server.holds();
        server.restart(Crash::power);
        REQUIRE_MESSAGE(server.wrong.empty(), server.wrong);
        CHECK(server.holds() == again);
      }
    }
  }
  CHECK(dropped > 100);
}

// Each zxid stands for one history, as leaders see to it.
TEST_CASE("a disk holds what its model says, whatever leaders tell it and wherever it dies") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    base::Random random(seed);
    Server server(seed);
    std::vector<std::vector<Zxid>> histories = {{}};
    for (std::int64_t step = 1; step <= 40; ++step) {
      CAPTURE(step);
      const auto& any = histories[random.below(histories.size())];
      const std::size_t length = random.below(any.size() + 1);
      const std::uint64_t death = random.chance(0.5) ? 0 : 1 + random.below(30);
      bool lives = true;
      switch (random.below(6)) {
        case 0:
        case 1: {  // its leader's transactions, or its own
          std::vector<Zxid> more;
          for (std::uint32_t i = 1; i <= 1 + random.below(4); ++i) more.push_back(make_zxid(step, i));
          server.log(more);
          histories.push_back(server.holds());
          break;
        }
        case 2:
          server.snapshot();
          if (random.chance(0.3)) server.purge();
          break;
        case 3: {  // of the leader of this epoch, before its first transaction, or of what it began with
          const std::vector<Zxid> part(any.begin(), any.begin() + static_cast<std::ptrdiff_t>(length));
          const bool whole = length > 0 && random.chance(0.7);
          lives = server.install(part, whole ? part.back() : make_zxid(step, 0), death);
          break;
        }
        case 4:
          if (length > 0) lives = server.truncate(any[length - 1], death).has_value();
          break;
        default:
          lives = false;
      }
      if (!lives || death > 0) server.restart(random.chance(0.5) ? Crash::kill : Crash::power);
      REQUIRE_MESSAGE(server.wrong.empty(), server.wrong);
      const auto holds = server.holds();
      REQUIRE(std::any_of(histories.begin(), histories.end(),
                          [&](const auto& history) { return begins(holds, history); }));
    }
  }
}

TEST_CASE("a disk that lost the snapshot that it had synced, or holds what was cut off, is rejected") {
  int lost = 0;
  int held = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Server installed(seed, {.no_directory_syncs = true});
    fill(installed);
    REQUIRE(installed.install(kTheirs, kTheirs.back(), 0));
    installed.restart(Crash::power);
    lost += installed.wrong.empty() ? 0 : 1;

    Server cut(seed, {.no_file_syncs = true});
    fill(cut);
    cut.truncate(make_zxid(1, 3), 0);
    cut.restart(Crash::power);
    held += cut.wrong.empty() ? 0 : 1;
  }
  CHECK(lost > 5);
  CHECK(held > 5);
}
