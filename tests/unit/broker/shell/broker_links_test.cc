#include "broker/shell/broker_links.h"

#include <doctest/doctest.h>

#include "broker/shell/limits.h"

namespace tandem::broker::shell {

namespace {

controller::Send request(std::int32_t broker, std::uint64_t id) {
  return {broker, id, 8,
          controller::MetadataUpdate{std::make_shared<const protocol::UpdateMetadataRequest>(), -1}};
}

}  // namespace

TEST_CASE("a queue that is full is dropped, its broker is named once, and taken back it begins empty") {
  base::SystemClock clock;
  net::Loop loop(clock);
  std::vector<std::int32_t> full;
  BrokerLinks links(
      loop, "0", std::chrono::seconds(30), [](std::int32_t, std::uint64_t, controller::Controller::Answer) {},
      [&full](std::int32_t broker) { full.push_back(broker); }, logging::Logger());
  zk::Endpoint nobody;
  nobody.host = "127.0.0.1";
  nobody.port = 1;
  links.add(1, nobody);
  links.add(2, nobody);
  for (std::uint64_t id = 0; id < kControlRequestsMax; ++id) links.send(request(1, id));
  links.send(request(2, 7));
  CHECK(links.queued(1) == kControlRequestsMax);
  CHECK(full.empty());
  links.send(request(1, kControlRequestsMax));
  links.send(request(1, kControlRequestsMax + 1));
  CHECK(full == std::vector<std::int32_t>{1});
  CHECK(links.queued(1) == 0);
  CHECK(links.queued(2) == 1);
  links.add(1, nobody);
  links.send(request(1, kControlRequestsMax + 2));
  CHECK(links.queued(1) == 1);
}

}  // namespace tandem::broker::shell
