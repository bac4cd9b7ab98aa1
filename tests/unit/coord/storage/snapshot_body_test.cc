#include "coord/storage/snapshot_body.h"

#include "base/random.h"
#include "tests/unit/coord/storage/fixture.h"

using namespace tandem;
using namespace tandem::coord::storage;

namespace {

constexpr std::size_t kItemMax = 1 << 20;

// Sessions, ACLs and nodes as SnapshotWriter takes them.
std::string raw_body(int nodes) {
  std::string out;
  encode_session_count(out, 2);
  encode_session(out, jute::SessionId(5), 4000);
  encode_session(out, jute::SessionId(-7), 8000);
  encode_acl_count(out, 1);
  encode_acl(out, 3, {{.perms = 31, .id = {"digest", "bob:x"}}, {.perms = 1, .id = {"world", "anyone"}}});
  for (int i = 0; i < nodes; ++i) {
    const std::string path = i == 0 ? "" : "/n" + std::to_string(i);
    const std::string data(static_cast<std::size_t>(i) * 7 % 300, 'd');
    encode_node(
        out, {path,
              i % 9 == 0 ? std::nullopt : std::optional<std::string_view>(data),
              i % 2 == 0 ? -1 : 3,
              {.czxid = Zxid(i), .mzxid = Zxid(i), .ctime = 7, .mtime = 8, .version = i, .pzxid = Zxid(9)}});
  }
  return out;
}

}  // namespace

TEST_CASE("a tree that arrives in pieces of any size is the same tree, and its file the same file") {
  const std::string raw = raw_body(200);
  std::string stream = raw;
  encode_body_end(stream);
  stream += "next packet";
  fs::PosixDisk disk;
  RecordingTarget whole;
  SnapshotBodyReader reader(whole, kItemMax);
  REQUIRE(reader.read(stream).has_value());
  REQUIRE(reader.done());
  CHECK(reader.nodes() == 200);

  base::Random random(7);
  for (int round = 0; round < 20; ++round) {
    RecordingTarget target;
    SnapshotBodyReader in_pieces(target, kItemMax);
    std::string waiting;
    std::string to_file;
    std::size_t at = 0;
    while (!in_pieces.done()) {
      REQUIRE(at < stream.size());
      const std::size_t size = std::min<std::size_t>(stream.size() - at, 1 + random.below(round * 20 + 1));
      waiting += stream.substr(at, size);
      at += size;
      const auto taken = in_pieces.read(waiting);
      REQUIRE(taken.has_value());
      to_file += waiting.substr(0, taken->raw);
      waiting.erase(0, taken->total);
    }
    CHECK(to_file == raw);
    CHECK(std::string("next packet").starts_with(waiting));
    CHECK(target.nodes == whole.nodes);
    CHECK(target.acls == whole.acls);
    CHECK(target.sessions == whole.sessions);
  }
}

TEST_CASE("a tree with impossible lengths or without its end is refused") {
  const auto error_of = [](const std::string& bytes) {
    RecordingTarget target;
    SnapshotBodyReader reader(target, 1000);
    const auto taken = reader.read(bytes);
    return taken ? std::string(reader.done() ? "done" : "waiting") : taken.error().context;
  };
  std::string stream = raw_body(3);
  CHECK(error_of(stream) == "waiting");
  CHECK(error_of(std::string("\xff\xff\xff\xff", 4)).find("negative count") != std::string::npos);
  const std::string none("\0\0\0\0\0\0\0\0", 8);
  CHECK(error_of(none + std::string("\x7f\xff\xff\xff", 4)).find("bad path length") != std::string::npos);
  CHECK(error_of(none + std::string("\0\0\0\0\x7f\xff\xff\xff", 8)).find("bad data length") !=
        std::string::npos);
  encode_body_end(stream);
  CHECK(error_of(stream) == "done");
  stream.back() = 'x';
  CHECK(error_of(stream).find("its end is missing") != std::string::npos);
}

TEST_CASE("an ACL list that never ends is refused once it is larger than any item") {
  RecordingTarget target;
  SnapshotBodyReader reader(target, 1000);
  std::string bytes("\0\0\0\0\0\0\0\1", 8);
  REQUIRE(reader.read(bytes)->total == 8);
  std::string list(8, '\0');
  list += std::string("\x7f\xff\xff\xff", 4);
  bool refused = false;
  while (list.size() < 100'000 && !refused) {
    list += std::string(500, '\0');
    refused = reader.read(list).has_error();
  }
  CHECK(refused);
  CHECK(list.size() < 5000);
}
