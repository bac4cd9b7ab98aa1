#include "coord/server/start_load.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "coord/storage/epoch_files.h"
#include "fs/checkpoint.h"
#include "fs/posix_disk.h"

namespace tandem::coord::server {
namespace {

// A server's directory; what recovery says is the test's.
struct Server {
  Server() {
    char name[] = "/tmp/start_loadXXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    home = name;
    rules.directories = {.log = home + "/version-2", .snapshot = home + "/version-2"};
    rules.others_suffice = true;
    REQUIRE(disk.make_dirs(rules.directories.log).has_value());
    events.recover = [this]() -> base::Result<peer::Database> {
      ++recoveries;
      if (has("log.100000001") && damaged)
        return base::make_error(base::Errc::corrupt, "log.100000001 is damaged at offset 77");
      peer::Database database;
      database.tree = std::make_unique<tree::DataTree>(tree::TreeOptions{});
      if (has("log.100000001")) database.tree->set_last_zxid(jute::Zxid(0x100000005));
      return database;
    };
    events.warn = [this](const std::string& text) { said += text; };
    events.damaged = events.warn;
  }
  ~Server() { std::filesystem::remove_all(home); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  bool has(const std::string& name) { return fs::exists(disk, rules.directories.log + "/" + name); }
  void put(const std::string& name, const std::string& text = "x") {
    REQUIRE(fs::write_checkpoint(disk, rules.directories.log + "/" + name, text).has_value());
  }
  base::Result<peer::PeerStart> load() { return load_start(disk, rules, events); }

  fs::PosixDisk disk;
  std::string home;
  StartRules rules;
  StartEvents events;
  bool damaged = false;
  int recoveries = 0;
  std::string said;
};

}  // namespace

TEST_CASE("a whole history is begun with as it is") {
  Server server;
  server.put("log.100000001");
  REQUIRE(storage::write_accepted_epoch(server.disk, server.rules.directories.snapshot, 3).has_value());
  REQUIRE(storage::write_current_epoch(server.disk, server.rules.directories.snapshot, 2).has_value());
  const auto start = server.load();
  REQUIRE(start.has_value());
  CHECK(start->accepted_epoch == 3);
  CHECK(start->current_epoch == 2);
  CHECK(!start->incomplete);
  CHECK(server.said.empty());
}

TEST_CASE(
    "a damaged history is set aside where the others can do without this server, and it gives no vote") {
  Server server;
  server.put("log.100000001");
  server.put("snapshot.0");
  server.damaged = true;
  const auto start = server.load();
  REQUIRE(start.has_value());
  CHECK(start->incomplete);
  CHECK(start->database.tree->last_zxid() == jute::Zxid(0));
  CHECK(server.recoveries == 2);
  CHECK(server.has("tandem.damaged/log.100000001"));
  CHECK(server.has("tandem.damaged/snapshot.0"));
  CHECK(server.said.find("offset 77") != std::string::npos);
  const auto again = server.load();
  REQUIRE(again.has_value());
  CHECK(again->incomplete);
}

TEST_CASE("a damaged history stays where it is when the others are no quorum") {
  Server server;
  server.put("log.100000001");
  server.damaged = true;
  server.rules.others_suffice = false;
  const auto start = server.load();
  REQUIRE(!start.has_value());
  CHECK(start.error().code == base::Errc::corrupt);
  CHECK(server.has("log.100000001"));
}

TEST_CASE("an error of the disk is no damage") {
  Server server;
  server.put("log.100000001");
  server.events.recover = []() -> base::Result<peer::Database> {
    return base::make_error(base::Errc::io, "read failed");
  };
  REQUIRE(!server.load().has_value());
  CHECK(server.has("log.100000001"));
}

TEST_CASE("without db.autocreate an empty server votes only when it is told that it is new") {
  Server server;
  server.rules.autocreate = false;
  auto start = server.load();
  REQUIRE(start.has_value());
  CHECK(start->incomplete);
  REQUIRE(fs::write_checkpoint(server.disk, server.home + "/initialize", "").has_value());
  start = server.load();
  REQUIRE(start.has_value());
  CHECK(!start->incomplete);
  CHECK(!fs::exists(server.disk, server.home + "/initialize"));
}

TEST_CASE("a server that is told so only after a start that made an empty database votes all the same") {
  Server server;
  server.rules.autocreate = false;
  REQUIRE(server.load().has_value());
  server.put("snapshot.0");
  CHECK(server.load()->incomplete);
  REQUIRE(fs::write_checkpoint(server.disk, server.home + "/initialize", "").has_value());
  CHECK(!server.load()->incomplete);
}

}  // namespace tandem::coord::server
