// What a start believes of its log directories, on a disk that forgets what was not synced.
#include "broker/log/log_set.h"

#include <doctest/doctest.h>

#include "tests/unit/fs/forgetful_disk.h"

using namespace tandem;
using namespace tandem::broker::log;

namespace {

class Directories {
 public:
  Directories() {
    LogSet first = start();
    REQUIRE(first.mark_clean(0, 1).has_value());
  }
  // As far as it needs no logs.
  LogSet start() {
    LogSet set(disk, {"/d"});
    REQUIRE(set.open().has_value());
    return set;
  }

  fs::ForgetfulDisk disk;
};

}  // namespace

TEST_CASE_FIXTURE(Directories, "the marker of a clean stop that a start could not remove for good is none") {
  disk.fault = [](std::string_view call, const std::string&) -> std::optional<base::Errc> {
    return call == "sync_dir" ? std::optional(base::Errc::io) : std::nullopt;
  };
  LogSet failing = start();
  CHECK(failing.dirs()[0].clean);
  REQUIRE(failing.forget_clean_shutdown().has_value());
  CHECK(!failing.any_online());
  disk.fault = nullptr;
  LogSet working = start();
  CHECK(!working.dirs()[0].clean);
  REQUIRE(working.forget_clean_shutdown().has_value());
  disk.cut_power();
  CHECK(!start().dirs()[0].clean);
}
