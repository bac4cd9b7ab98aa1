#include "logging/log.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

using namespace tandem;
using logging::Level;

namespace {

struct Fixture {
  base::ManualClock clock;
  std::vector<std::string> lines;
  logging::Log log{std::make_unique<logging::MemoryOutput>(lines), clock};
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a line looks like log4j's") {
  log.logger("kafka.server.KafkaServer").info("[KafkaServer id={}] started", 1);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].substr(20) == ",000] INFO [KafkaServer id=1] started (kafka.server.KafkaServer)\n");
  CHECK(lines[0][0] == '[');
}

TEST_CASE_FIXTURE(Fixture, "bytes of a peer cannot forge a line") {
  log.logger("m").warn("client {}", "a\n[x] ERROR\x1b[0m\xff\tz");
  CHECK(lines[0].find("client a\\n[x] ERROR\\x1b[0m\\xff\\tz (m)\n") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "levels are set by module or prefix, before and after the logger is made") {
  log.set_level("kafka", Level::error);
  const auto logger = log.logger("kafka.server.KafkaServer");
  logger.info("hidden");
  CHECK(lines.empty());
  log.set_level("kafka.server", Level::debug);
  logger.debug("shown");
  log.logger("kafka.log.LogManager").warn("hidden");
  log.logger("kafkaesque").info("shown");
  CHECK(lines.size() == 2);
  logging::Logger().error("a logger of nothing discards");
}

TEST_CASE_FIXTURE(Fixture, "threads do not mix their lines") {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto logger = log.logger("m").named("t" + std::to_string(t));
      for (int i = 0; i < 100; ++i) logger.info("line {}", i);
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(lines.size() == 400);
}

TEST_CASE("a file rotates at its size and keeps so many backups") {
  std::string root = "/tmp/tandem-log-XXXXXX";
  REQUIRE(::mkdtemp(root.data()) != nullptr);
  const std::string path = root + "/server.log";
  {
    logging::FileOutput output(path, 25, 2);
    for (int i = 0; i < 10; ++i) output.write("0123456789\n");
  }
  struct stat info {};
  CHECK(::stat(path.c_str(), &info) == 0);
  CHECK(info.st_size == 22);
  CHECK(::stat((path + ".2").c_str(), &info) == 0);
  CHECK(::stat((path + ".3").c_str(), &info) != 0);
  for (const char* suffix : {"", ".1", ".2"}) ::unlink((path + suffix).c_str());
  ::rmdir(root.c_str());
}

TEST_CASE("level names are log4j's in any case") {
  Level level = Level::off;
  CHECK(logging::parse_level("debug", level));
  CHECK(level == Level::debug);
  CHECK(logging::parse_level("WARNING", level));
  CHECK(level == Level::warn);
  CHECK(!logging::parse_level("loud", level));
}
