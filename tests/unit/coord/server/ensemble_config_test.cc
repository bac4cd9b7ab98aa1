#include "coord/server/ensemble_config.h"

#include "coord/server/parts.h"
#include "fs/posix_disk.h"
#include "tests/unit/coord/storage/fixture.h"

using namespace tandem;
using namespace tandem::coord;
using namespace tandem::coord::server;
using quorum::Role;
using quorum::ServerId;

namespace {

const std::map<std::string, std::string> kThree = {
    {"1", "a:2888:3888"}, {"2", "b:2888:3888"}, {"3", "c:2888:3888"}};

Config three() {
  Config config;
  config.data_dir = "/d";
  config.client_port = 2181;
  config.init_limit = 10;
  config.sync_limit = 5;
  config.servers = kThree;
  return config;
}

std::string refusal(const Config& config) {
  std::vector<std::string> warnings;
  const auto members = read_members(config, "zoo.cfg", warnings);
  return members ? std::string("accepted") : members.error().context;
}

struct Joined {
  base::Result<Ensemble> result;
  Config config;
  std::vector<std::string> warnings;
};

Joined join(Config config, std::string_view my_id) {
  storage::TempDir dir;
  fs::PosixDisk disk;
  config.data_dir = dir.path;
  if (!my_id.empty()) {
    auto file = disk.open(dir.path + "/myid", fs::OpenMode::create);
    REQUIRE((*file)->append(my_id).has_value());
  }
  std::vector<std::string> warnings;
  auto members = read_members(config, "zoo.cfg", warnings);
  REQUIRE(members.has_value());
  auto result = join_ensemble(disk, config, std::move(*members), "zoo.cfg", warnings);
  return {std::move(result), std::move(config), std::move(warnings)};
}

}  // namespace

TEST_CASE("three servers are an ensemble, one participant is only when it must not stand alone") {
  std::vector<std::string> warnings;
  Config config = three();
  CHECK(is_distributed(config, *read_members(config, "zoo.cfg", warnings)));
  CHECK(warnings.empty());
  config.servers = {{"1", "a:2888:3888"}};
  CHECK_FALSE(is_distributed(config, *read_members(config, "zoo.cfg", warnings)));
  config.standalone_enabled = false;
  CHECK(is_distributed(config, *read_members(config, "zoo.cfg", warnings)));
  config.servers.clear();
  config.standalone_enabled = true;
  CHECK_FALSE(is_distributed(config, *read_members(config, "zoo.cfg", warnings)));
}

TEST_CASE("two participants and even numbers are warned of") {
  const auto warned = [](std::map<std::string, std::string> servers) {
    Config config = three();
    config.servers = std::move(servers);
    std::vector<std::string> warnings;
    REQUIRE(read_members(config, "zoo.cfg", warnings).has_value());
    return warnings.empty() ? std::string() : warnings.front();
  };
  CHECK(warned(kThree).empty());
  CHECK(warned({{"1", "a:1:2"}, {"2", "b:1:2"}}).starts_with("no server failure will be tolerated"));
  CHECK(
      warned({{"1", "a:1:2"}, {"2", "b:1:2"}, {"3", "c:1:2"}, {"4", "d:1:2"}}).starts_with("4 participants"));
  CHECK(warned({{"1", "a:1:2"}, {"2", "b:1:2"}, {"3", "c:1:2"}, {"4", "d:1:2:observer"}}).empty());
}

TEST_CASE("lines that make no ensemble are refused in one sentence") {
  Config config = three();
  config.servers = {{"1", "a:1:2:observer"}};
  CHECK(refusal(config) == "zoo.cfg: there are observers and no participants to observe");
  config.standalone_enabled = false;
  CHECK(refusal(config) ==
        "zoo.cfg: standaloneEnabled=false needs at least one server.N line that is a participant");
  config = three();
  config.servers = {{"1", "a:1:2"}, {"2", "b:1:2:observer"}};
  CHECK(refusal(config).starts_with("zoo.cfg: one participant is a server alone"));
  config = three();
  config.servers["2"] = "b:1:2|c:1:2";
  CHECK(refusal(config).starts_with(
      "zoo.cfg: server.2 has several addresses, which needs multiAddress.enabled"));
  config.multi_address_enabled = true;
  CHECK(refusal(config) == "accepted");
  config.servers["x"] = "b:1:2";
  CHECK(refusal(config) == "zoo.cfg: server.x=b:1:2: a number must follow the dot");
  config = three();
  config.groups = {{"1", "1:2"}};
  CHECK(refusal(config) == "server 3 is not in a group");
}

TEST_CASE("myid names us; without it, with anything else in it, or not listed the start ends") {
  CHECK(join(three(), "2\n").result->self == ServerId(2));
  CHECK(join(three(), " 3 \r\nrest").result->self == ServerId(3));
  CHECK(join(three(), "").result.error().context.find("myid is missing") != std::string::npos);
  for (const char* text : {"\n", "two", "1x", "-1", "99999999999999999999"})
    CHECK(join(three(), text).result.error().context.find("is not a number") != std::string::npos);
  CHECK(check_listed(*join(three(), "2").result).has_value());
  const auto stranger = join(three(), "7").result;
  REQUIRE(stranger.has_value());
  CHECK(check_listed(*stranger).error().context ==
        "my id 7 (from myid) is not in the list of server.N lines");
}

TEST_CASE("the limits of an ensemble must be set") {
  Config config = three();
  config.init_limit = 0;
  CHECK(join(config, "1").result.error().context == "zoo.cfg: initLimit is not set");
  config = three();
  config.sync_limit = 0;
  CHECK(join(config, "1").result.error().context == "zoo.cfg: syncLimit is not set");
}

TEST_CASE("each server has its share of the requests that may wait, and a small limit stays one") {
  Joined joined = join(three(), "1");
  joined.config.ensemble = *joined.result;
  const auto share = [&joined](std::int32_t limit) {
    joined.config.global_outstanding_limit = limit;
    return pipeline_options(joined.config).global_outstanding_limit;
  };
  CHECK(share(1000) == 500);
  CHECK(share(1) == 1);
  CHECK(share(0) == 0);
  joined.config.ensemble.reset();
  CHECK(share(1000) == 1000);
}

TEST_CASE("the list decides about the role, and a different peerType is warned of") {
  Config config = three();
  config.servers["4"] = "d:1:2:observer";
  config.peer_type = "observer";
  auto joined = join(config, "4");
  CHECK(joined.result->role == Role::observer);
  CHECK(joined.warnings.empty());
  joined = join(config, "1");
  CHECK(joined.result->role == Role::participant);
  CHECK(joined.warnings ==
        std::vector<std::string>{"peerType is observer and server.1 says participant: the latter holds"});
}

TEST_CASE("clients connect to the address of our line, which zoo.cfg may repeat but not contradict") {
  Config config = three();
  config.servers["1"] = "a:2888:3888;10.0.0.1:2191";
  config.client_port.reset();
  auto joined = join(config, "1");
  CHECK(joined.config.client_port == 2191);
  CHECK(joined.config.client_port_address == "10.0.0.1");
  config.client_port = 2191;
  CHECK(join(config, "1").result.has_value());
  config.client_port = 2192;
  CHECK(join(config, "1").result.error().context ==
        "zoo.cfg: clientPort says that clients connect to :2192, and server.1 says to 10.0.0.1:2191");

  joined = join(three(), "1");
  CHECK(joined.config.client_port == 2181);
  CHECK(joined.result->members.find(ServerId(1))->client->port == 2181);
  CHECK(joined.result->members.text().find("2181") == std::string::npos);
}

TEST_CASE("the version of a dynamic file is the end of its name") {
  CHECK(version_of_dynamic_file("/etc/zoo.cfg.dynamic.100000000") == 0x100000000);
  CHECK(version_of_dynamic_file("/etc/zoo.cfg.dynamic") == 0);
  CHECK(version_of_dynamic_file("/etc/zoo") == 0);
  Config config = three();
  config.dynamic_config_file = "zoo.cfg.dynamic.1f";
  std::vector<std::string> warnings;
  CHECK(read_members(config, "zoo.cfg", warnings)->version() == 0x1f);
}
