#include "base/random.h"
#include "coord/storage/purge.h"
#include "tests/unit/coord/storage/fixture.h"

using namespace tandem;
using namespace tandem::coord::storage;

namespace {

std::vector<NumberedFile> numbered(const char* kind, std::initializer_list<std::int64_t> zxids) {
  std::vector<NumberedFile> files;
  for (const std::int64_t zxid : zxids) files.push_back({Zxid(zxid), kind + std::to_string(zxid)});
  return files;
}

}  // namespace

TEST_CASE("a snapshot of every compression gives back what was written") {
  fs::PosixDisk disk;
  for (const Compression compression : {Compression::none, Compression::gzip, Compression::snappy}) {
    TempDir dir;
    auto writer =
        SnapshotWriter::create(disk, {.directory = dir.path, .compression = compression}, Zxid(0x123));
    REQUIRE(writer.has_value());
    std::string out;
    encode_session_count(out, 2);
    encode_session(out, jute::SessionId(5), 4000);
    encode_session(out, jute::SessionId(-7), 8000);
    encode_acl_count(out, 1);
    encode_acl(out, 3, {{.perms = 31, .id = {"digest", "bob:x"}}, {.perms = 1, .id = {"world", "anyone"}}});
    base::Random random(3);
    std::map<std::string, RecordingTarget::Node> expected;
    for (int i = 0; i < 3000; ++i) {
      RecordingTarget::Node node;
      if (i % 10 != 0) node.data = std::string(random.below(400), static_cast<char>('a' + i % 26));
      node.acl_id = i % 2 == 0 ? -1 : 3;
      node.stat = {
          .czxid = Zxid(i), .mzxid = Zxid(i * 2), .ctime = 7, .mtime = 8, .version = i, .pzxid = Zxid(9)};
      const std::string path = i == 0 ? "" : "/n" + std::to_string(i);
      encode_node(out, {path, node.data ? std::optional<std::string_view>(*node.data) : std::nullopt,
                        node.acl_id, node.stat});
      expected[path] = node;
      if (out.size() > 50'000) {
        REQUIRE((*writer)->write(out).has_value());
        out.clear();
      }
    }
    REQUIRE((*writer)->write(out).has_value());
    const SnapshotTrailer trailer{ZxidDigest{Zxid(0x125), 2, 0x77}, Zxid(0x126)};
    REQUIRE((*writer)->finish(trailer).has_value());

    const std::string path = (*writer)->path();
    CHECK(path == dir.path + "/" + snapshot_name(Zxid(0x123), compression));
    CHECK(looks_valid(disk, path, compression).value());
    RecordingTarget target;
    const auto back = read_snapshot(disk, path, compression, target);
    REQUIRE(back.has_value());
    CHECK(bool(*back == trailer));
    CHECK(target.sessions == std::map<std::int64_t, std::int32_t>{{5, 4000}, {-7, 8000}});
    CHECK(target.acls.at(3).size() == 2);
    CHECK(bool(target.nodes == expected));
    CHECK(disk.list(dir.path)->size() == 1);
  }
}

TEST_CASE("every single flipped or missing byte of a snapshot is found out") {
  fs::PosixDisk disk;
  TempDir dir;
  write_empty_snapshot(disk, dir.path, 1);
  const std::string path = dir.path + "/snapshot.1";
  const std::string good = *fs::read_file(disk, path);
  for (std::size_t i = 8; i < good.size();
       ++i) {  // version and dbid in front are covered by the checksum too
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    auto file = disk.open(path, fs::OpenMode::write);
    REQUIRE((*file)->pwrite(0, bad).has_value());
    RecordingTarget target;
    const bool seal_path = i + 1 == good.size() || good.size() - i == 22;  // the "/" of a seal is not checked
    if (!seal_path && read_snapshot(disk, path, Compression::none, target).has_value())
      CHECK_MESSAGE(good.size() - i <= 26, "offset " << i << " of " << good.size());
    REQUIRE((*file)->truncate(i).has_value());
    const auto cut = read_snapshot(disk, path, Compression::none, target);
    CHECK((cut.has_error() || !cut->last_processed.has_value()));
  }
}

TEST_CASE("an unfinished snapshot leaves nothing behind") {
  fs::PosixDisk disk;
  TempDir dir;
  {
    auto writer = SnapshotWriter::create(disk, {.directory = dir.path}, Zxid(1));
    REQUIRE(writer.has_value());
  }
  CHECK(disk.list(dir.path)->empty());
}

TEST_CASE("purge keeps the newest snapshots and every log they need") {
  const auto snapshots = numbered("s", {10, 20, 30, 40, 50});
  const auto logs = numbered("l", {1, 11, 19, 25, 31, 45});
  CHECK(purgeable_snapshots(snapshots, 3) == std::vector<std::string>{"s10", "s20"});
  // Kept: 30, 40, 50. The log that starts at 25 may reach behind 30.
  CHECK(purgeable_logs(logs, snapshots, 3) == std::vector<std::string>{"l1", "l11", "l19"});
  CHECK(purgeable_snapshots(snapshots, 5).empty());
  CHECK(purgeable_logs(logs, snapshots, 5).empty());
  CHECK(purgeable_snapshots(snapshots, 1).size() == 2);  // fewer than three are never kept
}

TEST_CASE("file names are parsed as strictly as they are written") {
  CHECK(parse_log_name("log.1f")->zxid == Zxid(0x1f));
  CHECK_FALSE(parse_log_name("log.").has_value());
  CHECK_FALSE(parse_log_name("log.1.fixed").has_value());
  CHECK(parse_snapshot_name("snapshot.100000001.gz")->compression == Compression::gzip);
  CHECK_FALSE(parse_snapshot_name("snapshot.1.tmp").has_value());
  CHECK(log_name(Zxid(0x100000001)) == "log.100000001");
}
