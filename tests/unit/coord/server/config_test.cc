#include "coord/server/config.h"

#include "fs/posix_disk.h"
#include "tests/unit/coord/storage/fixture.h"

using namespace tandem;
using namespace tandem::coord;
using namespace tandem::coord::server;

namespace {

base::Result<LoadedConfig> load(const std::string& text, const std::vector<conf::Entry>& properties = {}) {
  storage::TempDir dir;
  fs::PosixDisk disk;
  {
    auto file = disk.open(dir.path + "/zoo.cfg", fs::OpenMode::create);
    REQUIRE((*file)->append(text).has_value());
  }
  auto loaded = load_config(disk, dir.path + "/zoo.cfg", properties);
  // The directory's name is of no interest.
  if (loaded.has_error()) {
    auto error = loaded.error();
    if (const auto at = error.context.find(dir.path + "/"); at != std::string::npos)
      error.context.erase(at, dir.path.size() + 1);
    return error;
  }
  return loaded;
}

const std::string kBase = "dataDir=/d\nclientPort=2181\n";

bool warned(const LoadedConfig& loaded, std::string_view word) {
  for (const std::string& warning : loaded.warnings) {
    if (warning.find(word) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the sample configuration of Apache starts without a warning") {
  const auto loaded =
      load("tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=/tmp/zookeeper\nclientPort=2181\n");
  REQUIRE(loaded.has_value());
  CHECK(loaded->warnings.empty());
  CHECK(loaded->config.min_session_timeout() == 4000);
  CHECK(loaded->config.max_session_timeout() == 40000);
  CHECK(loaded->config.log_directory() == "/tmp/zookeeper/version-2");
}

TEST_CASE("a key that is only known as a system property is taken as one") {
  auto loaded = load(kBase + "forceSync=no\nextendedTypesEnabled=true\nsnapshot.compression.method=gz\n");
  REQUIRE(loaded.has_value());
  CHECK_FALSE(loaded->config.force_sync);
  CHECK(loaded->config.extended_types);
  CHECK(loaded->config.snapshot_compression == "gz");
  CHECK(warned(*loaded, "forceSync=no"));

  loaded =
      load(kBase, conf::parse_jvm_flags("-Xmx1g -Dzookeeper.extendedTypesEnabled=true -Djute.maxbuffer=5000 "
                                        "-Dcom.sun.management.jmxremote=x",
                                        "SERVER_JVMFLAGS"));
  REQUIRE(loaded.has_value());
  CHECK(loaded->config.extended_types);
  CHECK(loaded->config.jute_max_buffer == 5000);
  CHECK(loaded->warnings.empty());
}

TEST_CASE("what would weaken security is refused, what is only missing is named") {
  for (const char* key :
       {"sslQuorum", "quorum.auth.enableSasl", "enforce.auth.enabled", "sessionRequireClientSASLAuth"}) {
    const auto loaded = load(kBase + key + "=true\n");
    REQUIRE(loaded.has_error());
    CHECK(loaded.error().context.find(key) != std::string::npos);
    CHECK(load(kBase + key + "=false\n").has_value());
  }
  const auto loaded =
      load(kBase + "secureClientPort=2281\nauthProvider.sasl=org.x.Y\naudit.enable=true\nwhatever=1\n");
  REQUIRE(loaded.has_value());
  CHECK(warned(*loaded, "2281 stays shut"));
  CHECK(warned(*loaded, "authProvider.sasl"));
  CHECK(warned(*loaded, "audit.enable"));
  CHECK(warned(*loaded, "unknown key whatever"));
}

TEST_CASE("several servers are an ensemble with limits and a myid, one is a server that stands alone") {
  CHECK(load(kBase + "server.1=a:2888:3888\n").has_value());
  const auto loaded = load(kBase + "server.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=c:2888:3888\n");
  REQUIRE(loaded.has_error());
  CHECK(loaded.error().context.find("initLimit is not set") != std::string::npos);
  const auto port = load("dataDir=/d\nserver.1=a:2888:3888:participant;0.0.0.0:2185\n");
  REQUIRE(port.has_value());
  CHECK(port->config.client_port == 2185);
}

TEST_CASE("how long a server looks for work before it sleeps is a setting with a default, zero and an end") {
  CHECK(load(kBase)->config.spin_us == 200);
  CHECK(load(kBase + "tandem.spinMicros=0\n")->config.spin_us == 0);
  CHECK(load(kBase, conf::parse_jvm_flags("-Dtandem.spinMicros=70", "test"))->config.spin_us == 70);
  CHECK(load(kBase + "tandem.spinMicros=1001\n").has_error());
}

TEST_CASE("malformed values stop the start with file, line and key") {
  CHECK(load(kBase + "tickTime=fast\n").error().context.starts_with("zoo.cfg line 3: tickTime: "));
  CHECK(load("clientPort=2181\n").error().context == "zoo.cfg: dataDir is not set");
  CHECK(load("dataDir=/d\n").error().context == "zoo.cfg: clientPort is not set");
  CHECK(load(kBase + "minSessionTimeout=9000\nmaxSessionTimeout=8000\n").has_error());
  CHECK(load(kBase + "clientPort=70000\n").has_error());
}

TEST_CASE("the reference names every key once") {
  const std::string text = describe_config();
  CHECK(text.find("snapshot.compression.method") != std::string::npos);
  CHECK(text.find("zookeeper.forceSync") != std::string::npos);
}
