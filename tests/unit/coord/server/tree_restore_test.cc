#include "coord/server/tree_restore.h"

#include "coord/shell/snapshot_writer.h"
#include "tests/unit/coord/storage/fixture.h"

using namespace tandem;
using namespace tandem::coord;
using namespace tandem::coord::server;
using jute::Zxid;

namespace {

constexpr const char* kGolden = "tests/golden/coord-3.9.5";

// The bytes of a plain snapshot of the tree.
std::string snapshot_of(tree::DataTree& tree, const shell::SessionTimeouts& sessions) {
  storage::TempDir dir;
  fs::PosixDisk disk;
  const auto result = shell::SnapshotWriter::write_now(disk, {.directory = dir.path}, {}, tree, sessions);
  REQUIRE(result.has_value());
  return *fs::read_file(disk, result->path);
}

storage::RecordingTarget contents(const std::string& path) {
  fs::PosixDisk disk;
  storage::RecordingTarget target;
  REQUIRE(storage::read_snapshot(disk, path, storage::Compression::none, target).has_value());
  return target;
}

}  // namespace

TEST_CASE("a new tree is written as Apache's first snapshot") {
  fs::PosixDisk disk;
  tree::DataTree tree({});
  const std::string apache = *fs::read_file(disk, std::string(kGolden) + "/snapshot.0");
  const std::string ours = snapshot_of(tree, {});
  CHECK(ours.size() == apache.size());
  storage::TempDir dir;
  {
    auto file = disk.open(dir.path + "/ours", fs::OpenMode::create);
    REQUIRE((*file)->append(ours).has_value());
  }
  const auto a = contents(std::string(kGolden) + "/snapshot.0");
  const auto b = contents(dir.path + "/ours");
  CHECK(a.acls == b.acls);
  CHECK(bool(a.nodes == b.nodes));
}

TEST_CASE("Apache's log replayed over its first snapshot gives the tree of its last snapshot") {
  fs::PosixDisk disk;
  storage::TempDir dir;
  for (const char* name : {"snapshot.0", "log.1", "log.25", "log.27"}) {
    auto file = disk.open(dir.path + "/" + name, fs::OpenMode::create);
    REQUIRE((*file)->append(*fs::read_file(disk, std::string(kGolden) + "/" + name)).has_value());
  }
  TreeRestore restore({.extended_types = true});
  const auto result = storage::recover_all(disk, dir.path, restore);
  REQUIRE_MESSAGE(result.has_value(), (result.has_error() ? result.error().context : ""));
  CHECK(result->txns == 0x28);
  CHECK_FALSE(restore.first_mismatch().has_value());
  CHECK(restore.sessions().size() == 2);

  shell::SessionTimeouts sessions;
  for (const auto& [id, timeout] : restore.sessions()) sessions.emplace_back(jute::SessionId(id), timeout);
  const auto tree = restore.take_tree();
  const auto written = shell::SnapshotWriter::write_now(disk, {.directory = dir.path}, {}, *tree, sessions);
  REQUIRE(written.has_value());
  const auto ours = contents(written->path);
  const auto apache = contents(std::string(kGolden) + "/snapshot.28");
  CHECK(ours.sessions == apache.sessions);
  REQUIRE(ours.nodes.size() == apache.nodes.size());
  for (const auto& [path, node] : apache.nodes) {
    CAPTURE(path);
    const auto it = ours.nodes.find(path);
    REQUIRE(it != ours.nodes.end());
    CHECK(bool(it->second.stat == node.stat));
    CHECK(it->second.data == node.data);
    const auto list = [](const storage::RecordingTarget& from, std::int64_t id) {
      return id == -1 ? jute::open_acl() : from.acls.at(id);
    };
    CHECK(bool(list(ours, it->second.acl_id) == list(apache, node.acl_id)));
  }
  const auto trailer = [&](const std::string& path) {
    storage::RecordingTarget target;
    return *storage::read_snapshot(disk, path, storage::Compression::none, target);
  };
  CHECK(bool(trailer(written->path) == trailer(std::string(kGolden) + "/snapshot.28")));
}

TEST_CASE("every snapshot of Apache's loads, of whatever compression, with the digest that it carries") {
  fs::PosixDisk disk;
  for (const char* name : {"snapshot.0", "snapshot.24.gz", "snapshot.26.snappy", "snapshot.28"}) {
    const auto file = storage::parse_snapshot_name(name);
    TreeRestore restore({.extended_types = true});
    const auto trailer =
        storage::read_snapshot(disk, std::string(kGolden) + "/" + name, file->compression, restore);
    REQUIRE(trailer.has_value());
    REQUIRE(restore.on_snapshot_end(file->zxid, *trailer).has_value());
    CAPTURE(name);
    CHECK_FALSE(restore.first_mismatch().has_value());
  }
}
