// One member of an ensemble that only takes part in elections: the real core and the real connections, for
// elections together with Apache's servers. It never serves nor follows anybody.
//   election_member ID ZXID EPOCH FILE    FILE: the ensemble's text, as notifications carry it
// Prints one line for each decision and goes on answering until its input ends.
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>

#include "coord/election/election.h"
#include "coord/shell/election_port.h"
#include "logging/log.h"
#include "net/loop.h"

using namespace tandem;
using namespace tandem::coord;
using quorum::QuorumConfig;
using quorum::ServerId;

namespace {

class Member final : public shell::ElectionEvents {
 public:
  Member(net::Loop& loop, ServerId self, QuorumConfig config)
      : loop_(loop), config_(std::move(config)), core_(options(self), config_), timer_(loop, [this] {
          core_.on_deadline(loop_.clock().now());
          perform();
        }) {}

  bool start(ServerId self, election::Zxid zxid, std::int64_t epoch, logging::Logger logger) {
    shell::ElectionPortOptions options;
    options.self = self;
    for (const auto& [id, spec] : config_.members()) {
      for (const auto& address : spec.addresses) {
        if (id == self) {
          options.listen.push_back({address.host, address.election_port});
          options.own_addresses.push_back({address.host, address.election_port});
        } else {
          options.peers[id].push_back({address.host, address.election_port});
        }
      }
    }
    auto port = shell::ElectionPort::open(loop_, std::move(options), *this, logger);
    if (!port) {
      std::fprintf(stderr, "%s\n", port.error().context.c_str());
      return false;
    }
    port_ = std::move(*port);
    core_.look(zxid, epoch, loop_.clock().now());
    quorum::ServerSet wanted = config_.voters();
    wanted.erase(self);
    port_->want(std::move(wanted));
    perform();
    return true;
  }

  void on_notification(ServerId from, const election::Notification& notification) override {
    core_.on_notification(from, notification, loop_.clock().now());
    perform();
  }
  void on_election_link(ServerId peer, election::Link link) override {
    core_.on_link(peer, link, loop_.clock().now());
    perform();
  }

 private:
  static election::Options options(ServerId self) {
    election::Options options;
    options.self = self;
    return options;
  }
  void perform() {
    for (const election::Effect& effect : core_.drain()) {
      std::printf("%s\n", to_string(effect).c_str());
      if (const auto* send = std::get_if<election::Send>(&effect)) port_->send(send->to, send->notification);
    }
    std::fflush(stdout);
    timer_.set(core_.next_deadline());
  }

  net::Loop& loop_;
  QuorumConfig config_;
  election::Election core_;
  net::Timer timer_;
  std::unique_ptr<shell::ElectionPort> port_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("Usage: election_member ID ZXID EPOCH FILE\n", stderr);
    return 2;
  }
  std::ifstream file(argv[4]);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  auto config = QuorumConfig::parse(text);
  if (!config) {
    std::fprintf(stderr, "%s\n", config.error().context.c_str());
    return 2;
  }
  const ServerId self(std::strtoll(argv[1], nullptr, 10));
  base::SystemClock clock;
  logging::Log log(std::make_unique<logging::DescriptorOutput>(2), clock);
  net::Loop loop(clock);
  Member member(loop, self, std::move(*config));
  if (!member.start(self, election::Zxid(std::strtoll(argv[2], nullptr, 0)),
                    std::strtoll(argv[3], nullptr, 0), log.logger("election")))
    return 14;
  boost::asio::posix::stream_descriptor input(loop.context(), 0);
  char byte = 0;
  input.async_read_some(boost::asio::buffer(&byte, 1),
                        [&loop](const boost::system::error_code&, std::size_t) { loop.stop(); });
  loop.run();
  return 0;
}
