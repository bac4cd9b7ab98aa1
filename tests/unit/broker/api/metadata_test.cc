#include <doctest/doctest.h>

#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
#include "tests/unit/broker/api/recording_sink.h"
#include "tests/unit/broker/controller/fake_control.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::MetadataRequest;
using protocol::UpdateMetadataRequest;

struct CreatesAll final : TopicAutoCreation {
  ErrorCode request(const std::string& topic) override {
    asked.push_back(topic);
    return ErrorCode::leader_not_available;
  }
  std::vector<std::string> asked;
};

// Broker 1 on two listeners, broker 2 on the internal one only; topic t with partitions led by 1, 2 and
// nobody.
struct Fixture {
  base::ManualClock clock;
  Shards shards{clock, 1};
  Node node;
  MetadataCache cache;
  CreatesAll creation;
  Services services{clock, logging::Logger(), shards, node, cache, &creation};

  Fixture() {
    node.cluster_id = "cluster";
    UpdateMetadataRequest update;
    update.controller_id = 1;
    update.controller_epoch = 5;
    update.live_brokers.push_back(
        {1, "", 0, {{9092, "h1", "PLAINTEXT", 0}, {9093, "i1", "INTERNAL", 0}}, "r"});
    update.live_brokers.push_back({2, "", 0, {{9093, "i2", "INTERNAL", 0}}, std::nullopt});
    protocol::Uuid id;
    id.bytes[0] = 9;
    update.topic_states.push_back({"t", id, {}});
    for (const std::int32_t leader : {1, 2, -1}) {
      UpdateMetadataRequest::UpdateMetadataPartitionState state;
      state.partition_index = static_cast<std::int32_t>(update.topic_states[0].partition_states.size());
      state.leader = leader;
      state.replicas = state.isr = {1, 2};
      update.topic_states[0].partition_states.push_back(state);
    }
    CHECK_EQ(cache.update(update, 0), ErrorCode::none);
  }

  protocol::MetadataResponse ask(MetadataRequest request, std::int16_t version) {
    return answer<MetadataRequest>(services, &metadata, std::move(request), version);
  }
};

MetadataRequest for_topic(const std::string& name) {
  MetadataRequest request;
  request.topics.emplace();
  request.topics->push_back({{}, name});
  return request;
}

}  // namespace

TEST_CASE("a controller that is gone is not named to clients") {
  Fixture fixture;
  CHECK_EQ(fixture.ask({}, 9).controller_id, 1);
  test::FakeControl control;
  fixture.services.control = &control;
  CHECK_EQ(fixture.ask({}, 9).controller_id, 1);
  control.gone = 1;
  CHECK_EQ(fixture.ask({}, 9).controller_id, -1);
  CHECK_EQ(answer<protocol::DescribeClusterRequest>(fixture.services, &describe_cluster, {}, 0).controller_id,
           -1);
  control.gone = 2;  // not the controller that the metadata names
  CHECK_EQ(fixture.ask({}, 9).controller_id, 1);
}

TEST_CASE("a null list asks for all topics, an empty one for none, but in version 0 for all") {
  Fixture fixture;
  MetadataRequest none;
  none.topics.emplace();
  CHECK_EQ(fixture.ask({}, 1).topics.size(), 1);
  CHECK_EQ(fixture.ask(none, 1).topics.size(), 0);
  CHECK_EQ(fixture.ask(none, 0).topics.size(), 1);
}

TEST_CASE("brokers and leaders are those that the client's listener reaches") {
  Fixture fixture;
  const auto response = fixture.ask(for_topic("t"), 12);
  REQUIRE_EQ(response.brokers.size(), 1);
  CHECK_EQ(response.brokers[0].host, "h1");
  CHECK_EQ(response.brokers[0].rack, "r");
  const auto& partitions = response.topics.at(0).partitions;
  CHECK_EQ(partitions[0].error_code, ErrorCode::none);
  CHECK_EQ(partitions[0].leader_id, 1);
  CHECK_EQ(partitions[1].error_code, ErrorCode::listener_not_found);
  CHECK_EQ(partitions[1].leader_id, -1);
  CHECK_EQ(partitions[2].error_code, ErrorCode::leader_not_available);
  CHECK_EQ(fixture.ask(for_topic("t"), 5).topics.at(0).partitions[1].error_code,
           ErrorCode::leader_not_available);
}

TEST_CASE("version 0 shows only replicas that can be reached and says that others are missing") {
  Fixture fixture;
  const auto partition = fixture.ask(for_topic("t"), 0).topics.at(0).partitions[0];
  CHECK_EQ(partition.error_code, ErrorCode::replica_not_available);
  CHECK_EQ(partition.replica_nodes, std::vector<std::int32_t>{1});
}

TEST_CASE("a missing topic is created when allowed, refused when its name is none, else unknown") {
  Fixture fixture;
  CHECK_EQ(fixture.ask(for_topic("new"), 8).topics.at(0).error_code, ErrorCode::leader_not_available);
  CHECK_EQ(fixture.creation.asked, std::vector<std::string>{"new"});
  CHECK_EQ(fixture.ask(for_topic("no/name"), 8).topics.at(0).error_code, ErrorCode::invalid_topic_exception);
  MetadataRequest quiet = for_topic("other");
  quiet.allow_auto_topic_creation = false;
  CHECK_EQ(fixture.ask(quiet, 8).topics.at(0).error_code, ErrorCode::unknown_topic_or_partition);
  CHECK_EQ(fixture.creation.asked.size(), 1);
}

TEST_CASE("version 12 finds topics by id; versions before it refuse ids") {
  Fixture fixture;
  MetadataRequest by_id;
  by_id.topics.emplace();
  by_id.topics->push_back({fixture.cache.image()->topic("t")->id, std::nullopt});
  CHECK_EQ(fixture.ask(by_id, 12).topics.at(0).name, "t");
  by_id.topics->at(0).topic_id.bytes[1] = 1;
  CHECK_EQ(fixture.ask(by_id, 12).topics.at(0).error_code, ErrorCode::unknown_topic_id);
  CHECK_EQ(fixture.ask(by_id, 11).topics.at(0).error_code, ErrorCode::invalid_request);
}

TEST_CASE("an UpdateMetadata of an older controller or for an older registration changes nothing") {
  Fixture fixture;
  fixture.node.broker_epoch = 100;
  UpdateMetadataRequest update;
  update.controller_epoch = 4;
  const auto ask = [&] {
    return answer<UpdateMetadataRequest>(fixture.services, &update_metadata, update, 8);
  };
  CHECK_EQ(ask().error_code, ErrorCode::stale_controller_epoch);
  update.controller_epoch = 5;
  update.broker_epoch = 99;
  CHECK_EQ(ask().error_code, ErrorCode::stale_broker_epoch);
  CHECK_EQ(fixture.cache.image()->brokers().size(), 2);
  update.broker_epoch = 100;
  CHECK_EQ(ask().error_code, ErrorCode::none);
  CHECK(fixture.cache.image()->brokers().empty());
}

TEST_CASE("metadata sent before the controller connected anew is not taken behind what it has said since") {
  Fixture fixture;
  UpdateMetadataRequest update;
  update.controller_epoch = 5;
  const auto brokers_after = [&](std::int32_t count, std::uint64_t connection) {
    update.live_brokers.assign(static_cast<std::size_t>(count), {});
    for (std::int32_t id = 0; id < count; ++id) update.live_brokers[static_cast<std::size_t>(id)].id = id;
    const auto error = fixture.cache.update(update, connection);
    return std::pair(error, fixture.cache.image()->brokers().size());
  };
  const std::optional<ErrorCode> taken = ErrorCode::none;
  CHECK(brokers_after(3, 7) == std::pair(taken, std::size_t{3}));
  CHECK(brokers_after(4, 7) == std::pair(taken, std::size_t{4}));
  CHECK(brokers_after(5, 6) == std::pair(std::optional<ErrorCode>(), std::size_t{4}));
  update.controller_epoch = 6;  // another controller, which had connected before
  CHECK(brokers_after(5, 6) == std::pair(taken, std::size_t{5}));
}

TEST_CASE("subscribers see the image before and after a change") {
  Fixture fixture;
  std::vector<std::string> gone;
  fixture.cache.subscribe([&](const MetadataCache::Image& before, const MetadataCache::Image& after) {
    for (const auto& [name, topic] : before->topics()) {
      if (!after->topic(name)) gone.push_back(name);
    }
  });
  UpdateMetadataRequest update;
  update.controller_epoch = 5;
  update.topic_states.push_back({"t", {}, {}});
  for (const std::int32_t index : {0, 1, 2}) {
    UpdateMetadataRequest::UpdateMetadataPartitionState state;
    state.partition_index = index;
    state.leader = replica::kLeaderDuringDelete;
    update.topic_states[0].partition_states.push_back(state);
  }
  CHECK_EQ(fixture.cache.update(update, 0), ErrorCode::none);
  CHECK_EQ(gone, std::vector<std::string>{"t"});
}

}  // namespace tandem::broker::api
