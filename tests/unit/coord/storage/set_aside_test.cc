#include "coord/storage/set_aside.h"

#include "coord/storage/epoch_files.h"
#include "coord/storage/files.h"
#include "tests/unit/coord/storage/fixture.h"

namespace tandem::coord::storage {

namespace {

void put(fs::Disk& disk, const std::string& path, std::string_view bytes) {
  auto file = disk.open(path, fs::OpenMode::create);
  REQUIRE(file.has_value());
  REQUIRE((*file)->truncate(0).has_value());
  REQUIRE((*file)->append(bytes).has_value());
}

// As a medium does it: nobody wrote, the time of the last change stays.
void rot(fs::Disk& disk, const std::string& path, std::string_view bytes) {
  const auto info = disk.info(path);
  REQUIRE(info.has_value());
  put(disk, path, bytes);
  REQUIRE(disk.set_modified(path, info->modified_ms).has_value());
}

std::vector<std::string> names_in(fs::Disk& disk, const std::string& directory) {
  std::vector<std::string> names;
  const auto entries = disk.list(directory);
  if (!entries) return names;
  for (const fs::DirEntry& entry : *entries) names.push_back(entry.name);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a history that is set aside leaves an empty server that does not vote, and says why") {
  fs::PosixDisk disk;
  TempDir dir;
  const DataDirectories both{.log = dir.path, .snapshot = dir.path};
  for (const char* name :
       {"snapshot.0", "snapshot.100000005", "log.100000001", "currentEpoch", "tandem.durable"})
    put(disk, fs::join(dir.path, name), "x");
  REQUIRE(set_history_aside(disk, both, "log.100000001: checksum").has_value());
  CHECK(names_in(disk, dir.path) ==
        Names{"currentEpoch", "tandem.damaged", "tandem.durable", "tandem.novote"});
  CHECK(names_in(disk, fs::join(dir.path, "tandem.damaged")) ==
        Names{"log.100000001", "snapshot.0", "snapshot.100000005"});
  CHECK(**vote_withheld(disk, dir.path) == "log.100000001: checksum");
  REQUIRE(restore_vote(disk, dir.path).has_value());
  REQUIRE(restore_vote(disk, dir.path).has_value());
  CHECK_FALSE(vote_withheld(disk, dir.path)->has_value());
}

TEST_CASE("what was set aside stays while the damage is not mended, and goes with the next one after") {
  fs::PosixDisk disk;
  TempDir dir;
  const DataDirectories both{.log = dir.path, .snapshot = dir.path};
  const std::string aside = fs::join(dir.path, "tandem.damaged");
  put(disk, fs::join(dir.path, "log.1"), "x");
  REQUIRE(set_history_aside(disk, both, "first").has_value());
  put(disk, fs::join(dir.path, "currentEpoch"), "x");
  REQUIRE(set_epochs_aside(disk, both, "second").has_value());
  CHECK(names_in(disk, aside) == Names{"currentEpoch", "log.1"});
  CHECK(**vote_withheld(disk, dir.path) == "first");
  REQUIRE(restore_vote(disk, dir.path).has_value());
  put(disk, fs::join(dir.path, "log.7"), "x");
  REQUIRE(set_history_aside(disk, both, "third").has_value());
  CHECK(names_in(disk, aside) == Names{"log.7"});
}

TEST_CASE("an epoch that rotted into another number is found, one that another server wrote is believed") {
  fs::PosixDisk disk;
  TempDir dir;
  REQUIRE(write_accepted_epoch(disk, dir.path, 9).has_value());
  REQUIRE(write_current_epoch(disk, dir.path, 5).has_value());
  REQUIRE(load_epochs(disk, dir.path, Zxid(0)).has_value());
  const std::string current = fs::join(dir.path, "currentEpoch");
  rot(disk, current, "7");
  const auto epochs = load_epochs(disk, dir.path, Zxid(0));
  REQUIRE_FALSE(epochs.has_value());
  CHECK(epochs.error().code == base::Errc::corrupt);
  CHECK(epochs.error().context == current + " holds 7, but 5 was written to it");
  REQUIRE(disk.set_modified(current, 1'000'000).has_value());
  CHECK(load_epochs(disk, dir.path, Zxid(0))->current == 7);
}

TEST_CASE("without the proof, or with a damaged one, the epoch files are believed") {
  fs::PosixDisk disk;
  TempDir dir;
  const std::string proof = fs::join(dir.path, "tandem.epochs");
  REQUIRE(write_accepted_epoch(disk, dir.path, 9).has_value());
  REQUIRE(write_current_epoch(disk, dir.path, 5).has_value());
  rot(disk, fs::join(dir.path, "currentEpoch"), "7");
  std::string bytes = *fs::read_file(disk, proof);
  bytes[30] ^= 4;
  put(disk, proof, bytes);
  CHECK(load_epochs(disk, dir.path, Zxid(0))->current == 7);
  REQUIRE(disk.unlink(proof).has_value());
  CHECK(load_epochs(disk, dir.path, Zxid(0))->current == 7);
}

}  // namespace tandem::coord::storage
