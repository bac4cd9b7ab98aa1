// Members of an ensemble in one process: real ports of 127.0.0.1, real files, each on a loop of its own,
// which the test turns.
#include "coord/server/member.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "coord/server/data_dirs.h"
#include "tests/unit/coord/shell/raw_peer.h"
#include "tests/unit/coord/storage/fixture.h"

using namespace tandem;
using namespace tandem::coord;
using namespace tandem::coord::server;

namespace {

constexpr int kServers = 3;
constexpr base::Duration kPatience = std::chrono::seconds(60);

class Members {
 public:
  Members() {
    std::string servers;
    net::Loop loop(clock);
    for (int number = 1; number <= kServers; ++number)
      servers += fmt::format("server.{}=127.0.0.1:{}:{};127.0.0.1:{}\n", number, shell::free_port(loop),
                             shell::free_port(loop), ports_[at(number)] = shell::free_port(loop));
    for (int number = 1; number <= kServers; ++number) {
      const std::string home = home_of(number);
      REQUIRE(disk.make_dirs(home).has_value());
      put(home + "/myid", fmt::format("{}\n", number));
      put(home + "/zoo.cfg",
          fmt::format("tickTime=500\ninitLimit=10\nsyncLimit=5\ndataDir={}\n{}", home, servers));
      start(number);
    }
  }
  ~Members() {
    for (int number = 1; number <= kServers; ++number) stop(number);
  }

  void start(int number) {
    Running& one = running_[at(number)].emplace(clock);
    auto loaded = load_config(disk, home_of(number) + "/zoo.cfg", {});
    REQUIRE_MESSAGE(loaded.has_value(), loaded.error().context);
    one.config = std::move(loaded->config);
    auto lock = open_data_dirs(disk, one.config);
    REQUIRE(lock.has_value());
    one.lock = std::move(*lock);
    one.member = std::make_unique<Member>(one.config, one.loop, disk, logging::Logger(),
                                          base::Random(static_cast<std::uint64_t>(number)));
    const auto failure = one.member->start({});
    REQUIRE_MESSAGE(!failure, failure->error.context);
  }
  void stop(int number) {
    auto& one = running_[at(number)];
    if (!one) return;
    one->member->stop();
    one.reset();
  }
  bool runs(int number) const { return running_[at(number)].has_value(); }
  std::string log_directory(int number) const { return home_of(number) + "/version-2"; }

  // What one says to srvr; nothing when it does not answer in time.
  std::string mode(int number) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(ports_[at(number)]);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string said;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        ::send(fd, "srvr", 4, MSG_NOSIGNAL) == 4) {
      turn_until([&] {
        std::array<char, 4096> buffer{};
        const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (count > 0) said.append(buffer.data(), static_cast<std::size_t>(count));
        return count == 0 || (count < 0 && errno != EAGAIN);
      });
    }
    ::close(fd);
    const std::size_t start = said.find("Mode: ");
    return start == std::string::npos ? "" : said.substr(start + 6, said.find('\n', start) - start - 6);
  }
  int leader() {
    for (int number = 1; number <= kServers; ++number)
      if (runs(number) && mode(number) == "leader") return number;
    return 0;
  }
  // One leads and all others that run follow it.
  void await_service() {
    turn_until([this] {
      int leading = 0;
      int serving = 0;
      int up = 0;
      for (int number = 1; number <= kServers; ++number) {
        if (!runs(number)) continue;
        const std::string is = mode(number);
        ++up;
        leading += is == "leader" ? 1 : 0;
        serving += is == "leader" || is == "follower" ? 1 : 0;
      }
      return leading == 1 && serving == up;
    });
  }
  template <class Condition>
  void turn_until(Condition condition) {
    const base::Instant end = clock.now() + kPatience;
    while (!condition()) {
      REQUIRE(clock.now() < end);
      for (auto& one : running_)
        if (one) one->loop.poll();
      ::poll(nullptr, 0, 1);
    }
  }

  storage::TempDir dir;
  fs::PosixDisk disk;
  base::SystemClock clock;

 private:
  struct Running {
    explicit Running(const base::Clock& clock) : loop(clock) {}
    net::Loop loop;
    Config config;
    std::unique_ptr<fs::Lock> lock;
    std::unique_ptr<Member> member;
  };
  static std::size_t at(int number) { return static_cast<std::size_t>(number - 1); }
  std::string home_of(int number) const { return fmt::format("{}/{}", dir.path, number); }
  void put(const std::string& path, const std::string& text) {
    auto file = disk.open(path, fs::OpenMode::create);
    REQUIRE((*file)->append(text).has_value());
  }

  std::array<std::uint16_t, kServers> ports_{};
  std::array<std::optional<Running>, kServers> running_;
};

}  // namespace

TEST_CASE("three members elect a leader, another one when it stops, and take it back") {
  Members members;
  members.await_service();
  const int first = members.leader();
  REQUIRE(first != 0);
  members.stop(first);
  members.await_service();
  CHECK(members.leader() != 0);
  CHECK(members.leader() != first);
  members.start(first);
  members.await_service();
  CHECK(members.mode(first) == "follower");
}

TEST_CASE("a member whose epoch file is damaged is set right by the others, and votes again") {
  Members members;
  members.await_service();
  const int other = members.leader() == 1 ? 2 : 1;
  members.stop(other);
  const std::string directory = members.log_directory(other);
  {
    auto file = members.disk.open(directory + "/currentEpoch", fs::OpenMode::write);
    REQUIRE(file.has_value());
    REQUIRE((*file)->pwrite(0, "x").has_value());
  }
  members.start(other);
  CHECK(fs::exists(members.disk, directory + "/tandem.damaged/currentEpoch"));
  members.turn_until([&] {
    return members.mode(other) == "follower" && !fs::exists(members.disk, directory + "/tandem.novote");
  });
}
