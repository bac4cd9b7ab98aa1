// The group coordinator around its core: which partitions of __consumer_offsets it serves, from when on and
// until when, and what of them it knows. Broker 1 here, broker 2 played by the test.
#include "broker/api/group_service.h"

#include "tests/unit/broker/api/partitions_fixture.h"
#include "tests/unit/fs/forgetful_disk.h"

namespace tandem::broker::api {

using protocol::ErrorCode;

namespace {

constexpr std::int32_t kOffsetsPartitions = 2;
constexpr std::chrono::seconds kPatience{20};

struct DiskOfGroups {
  fs::ForgetfulDisk failing;
};

class GroupsFixture : public DiskOfGroups, public PartitionsFixture {
 public:
  GroupsFixture() : PartitionsFixture(failing, 1) {
    attach = [this] {
      GroupService::Options options;
      options.core.partitions = kOffsetsPartitions;
      groups = std::make_unique<GroupService>(clock, logging::Logger(), *shards, *replicas, options);
      replicas->on_leadership(
          [this](Replica& replica, bool leader) { groups->on_leadership(replica, leader); });
    };
    detach = [this] { groups.reset(); };
    stop();
    start();
  }
  ~GroupsFixture() { stop(); }

  // What the controller says of a partition of __consumer_offsets.
  void tell(std::int32_t partition, std::int32_t leader, std::int32_t epoch, std::vector<std::int32_t> isr) {
    protocol::LeaderAndIsrRequest request;
    request.controller_epoch = 1;
    protocol::LeaderAndIsrRequest::LeaderAndIsrPartitionState state;
    state.partition_index = partition;
    state.leader = leader;
    state.leader_epoch = epoch;
    state.isr = std::move(isr);
    state.replicas = {1, 2};
    protocol::Uuid offsets_id;
    offsets_id.bytes[0] = 5;
    request.topic_states.push_back({std::string(kOffsetsTopic), offsets_id, {state}});
    const auto answer = ask(&leader_and_isr, request, 7);
    REQUIRE(answer.topics.at(0).partition_errors.at(0).error_code == ErrorCode::none);
  }

  static std::string group_of(std::int32_t partition) {
    for (std::string name = "g";; name += 'g')
      if (group::partition_of(name, kOffsetsPartitions) == partition) return name;
  }

  std::future<ErrorCode> committing(std::int32_t partition, std::int64_t offset) {
    protocol::OffsetCommitRequest request;
    request.group_id = group_of(partition);
    auto& topic = request.topics.emplace_back();
    topic.name = "t";
    topic.partitions.push_back({.partition_index = 0, .committed_offset = offset});
    auto answer = std::make_shared<std::promise<ErrorCode>>();
    groups->commit(std::move(request), 8, [answer](const protocol::OffsetCommitResponse& response) {
      answer->set_value(response.topics.at(0).partitions.at(0).error_code);
    });
    return answer->get_future();
  }
  ErrorCode commit(std::int32_t partition, std::int64_t offset) {
    return answered(committing(partition, offset));
  }
  template <class Answer>
  static Answer answered(std::future<Answer> future) {
    REQUIRE(future.wait_for(kPatience) == std::future_status::ready);
    return future.get();
  }

  // A member of its own, which waits for others.
  std::future<ErrorCode> joining(std::int32_t partition) {
    protocol::JoinGroupRequest request;
    request.group_id = group_of(partition);
    request.session_timeout_ms = request.rebalance_timeout_ms = 30'000;
    request.protocol_type = "consumer";
    auto& protocol = request.protocols.emplace_back();
    protocol.name = "range";
    auto answer = std::make_shared<std::promise<ErrorCode>>();
    groups->join(
        {"c", "/127.0.0.1"}, std::move(request), 3,
        [answer](const protocol::JoinGroupResponse& response) { answer->set_value(response.error_code); });
    return answer->get_future();
  }

  // What the group has committed of t-0, or why it does not say; -1: nothing.
  struct Committed {
    ErrorCode error = ErrorCode::none;
    std::int64_t offset = -1;
    bool operator==(const Committed&) const = default;
  };
  Committed committed(std::int32_t partition) {
    auto answer = std::make_shared<std::promise<Committed>>();
    groups->run([answer, name = group_of(partition)](group::GroupCoordinator& core, group::Now) {
      protocol::OffsetFetchRequest::OffsetFetchRequestGroup request;
      request.group_id = name;
      request.topics.emplace();
      auto& topic = request.topics->emplace_back();
      topic.name = "t";
      topic.partition_indexes = {0};
      const auto found = core.fetch(request);
      Committed out{found.error_code, -1};
      if (out.error == ErrorCode::none && !found.topics.empty()) {
        out.error = found.topics[0].partitions.at(0).error_code;
        out.offset = found.topics[0].partitions[0].committed_offset;
      }
      answer->set_value(out);
    });
    return answered(answer->get_future());
  }
  // The same once the partition is loaded.
  Committed loaded(std::int32_t partition) {
    const auto give_up = clock.now() + kPatience;
    Committed out = committed(partition);
    while (out.error == ErrorCode::coordinator_load_in_progress && clock.now() < give_up)
      out = committed(partition);
    return out;
  }

  template <class Run>
  auto at_owner(std::int32_t partition, Run run) {
    const std::size_t shard = shards->owner(kOffsetsTopic, partition);
    std::promise<decltype(run(std::declval<Replica&>()))> answer;
    auto future = answer.get_future();
    shards->post(shard, [&] { answer.set_value(run(*replicas->find(kOffsetsTopic, partition))); });
    return answered(std::move(future));
  }
  std::int64_t end_of(std::int32_t partition) {
    return at_owner(partition, [](Replica& replica) { return replica.log->end_offset(); });
  }
  // Broker 2 has all of it up to there.
  void follow(std::int32_t partition, std::int32_t epoch, std::int64_t offset) {
    protocol::FetchRequest request;
    request.replica_id = 2;
    protocol::FetchRequest::FetchPartition wanted;
    wanted.partition = partition;
    wanted.current_leader_epoch = epoch;
    wanted.fetch_offset = offset;
    wanted.partition_max_bytes = 1 << 20;
    request.topics.push_back({std::string(kOffsetsTopic), {}, {wanted}});
    const auto answer = ask(&fetch, request, 12).responses.at(0).partitions.at(0);
    REQUIRE(answer.error_code == ErrorCode::none);
  }
  // What the load of a partition was to do, as far as it waits for nobody else, is done: another one, which
  // was asked for behind it, is loaded, and each shard has done what was posted before.
  void load_as_far_as_it_goes(std::int32_t another, std::int32_t epoch) {
    tell(another, 1, epoch, {1});
    REQUIRE(loaded(another).error == ErrorCode::none);
    for (std::int32_t partition = 0; partition < kOffsetsPartitions; ++partition) (void)end_of(partition);
    (void)committed(another);
  }

  std::unique_ptr<GroupService> groups;
};

constexpr GroupsFixture::Committed kNotHere{ErrorCode::not_coordinator, -1};
constexpr GroupsFixture::Committed kLoads{ErrorCode::coordinator_load_in_progress, -1};

}  // namespace

TEST_CASE_FIXTURE(GroupsFixture,
                  "a coordinator serves the groups of the partitions that it leads, no others") {
  CHECK(committed(0) == kNotHere);
  CHECK(commit(1, 3) == ErrorCode::not_coordinator);
  CHECK(answered(joining(0)) == ErrorCode::not_coordinator);
  for (std::int32_t partition = 0; partition < kOffsetsPartitions; ++partition) {
    tell(partition, 1, 1, {1});
    CHECK(loaded(partition) == Committed{});
    CHECK(commit(partition, 3 + partition) == ErrorCode::none);
    CHECK(committed(partition) == Committed{ErrorCode::none, 3 + partition});
    tell(partition, 2, 2, {1, 2});
    CHECK(loaded(partition) == kNotHere);
    CHECK(commit(partition, 7) == ErrorCode::not_coordinator);
  }
}

TEST_CASE_FIXTURE(GroupsFixture,
                  "what was committed is there after a restart, and each time it leads again") {
  tell(0, 1, 1, {1});
  tell(1, 1, 1, {1});
  REQUIRE(loaded(0) == Committed{});
  REQUIRE(loaded(1) == Committed{});
  for (std::int64_t offset = 1; offset <= 50; ++offset) {
    REQUIRE(commit(0, offset) == ErrorCode::none);
    REQUIRE(commit(1, 2 * offset) == ErrorCode::none);
  }
  stop();
  start();
  CHECK(committed(0) == kNotHere);
  for (std::int32_t epoch = 2; epoch < 12; ++epoch) {
    tell(0, 1, epoch, {1});
    tell(1, 1, epoch, {1});
    if (epoch % 3 == 0) continue;  // and again while it loads
    CHECK(loaded(0) == Committed{ErrorCode::none, 50});
    CHECK(loaded(1) == Committed{ErrorCode::none, 100});
    CHECK(commit(0, 50) == ErrorCode::none);
  }
}

TEST_CASE_FIXTURE(GroupsFixture, "whoever waits is told when the partition's leader is another") {
  tell(0, 1, 1, {1, 2});
  follow(0, 1, 0);
  REQUIRE(loaded(0) == Committed{});
  auto commit_waits = committing(0, 5);  // for broker 2
  auto join_waits = joining(0);          // for other members
  CHECK(committed(0) == Committed{});
  tell(0, 2, 2, {1, 2});
  CHECK(answered(std::move(commit_waits)) == ErrorCode::not_coordinator);
  CHECK(answered(std::move(join_waits)) == ErrorCode::not_coordinator);
  CHECK(committed(0) == kNotHere);
}

TEST_CASE_FIXTURE(GroupsFixture, "what a coordinator loaded is served once all in sync have it") {
  tell(0, 1, 1, {1, 2});
  follow(0, 1, 0);
  REQUIRE(loaded(0) == Committed{});
  auto first = committing(0, 5);
  while (end_of(0) < 1) continue;
  follow(0, 1, 1);
  REQUIRE(answered(std::move(first)) == ErrorCode::none);
  auto second = committing(0, 9);
  while (end_of(0) < 2) continue;

  SUBCASE("which says what it had heard of last") {
    tell(0, 1, 2, {1, 2});
    load_as_far_as_it_goes(1, 1);
    CHECK(committed(0) == kLoads);
    CHECK(commit(0, 11) == ErrorCode::coordinator_load_in_progress);
    follow(0, 2, 2);
    CHECK(loaded(0) == Committed{ErrorCode::none, 9});
  }
  SUBCASE("and not at all when it leads no more by then") {
    tell(0, 1, 2, {1, 2});
    load_as_far_as_it_goes(1, 1);
    tell(0, 2, 3, {1, 2});
    CHECK(loaded(0) == kNotHere);
    // The other one never had the second.
    CHECK(at_owner(0, [](Replica& replica) { return replica.truncate(1); }) == ErrorCode::none);
    CHECK(committed(0) == kNotHere);
    tell(0, 1, 4, {1, 2});
    follow(0, 4, 1);
    CHECK(loaded(0) == Committed{ErrorCode::none, 5});
  }
  (void)answered(std::move(second));
}

TEST_CASE_FIXTURE(GroupsFixture,
                  "a coordinator that cannot read what was committed does not serve without it") {
  tell(0, 1, 1, {1});
  REQUIRE(loaded(0) == Committed{});
  REQUIRE(commit(0, 5) == ErrorCode::none);
  tell(0, 2, 2, {1, 2});
  REQUIRE(loaded(0) == kNotHere);
  failing.fault = [](std::string_view call, const std::string& path) -> std::optional<base::Errc> {
    if (call == "read" && path.find(".log") != std::string::npos) return base::Errc::io;
    return std::nullopt;
  };
  tell(0, 1, 3, {1, 2});
  const auto give_up = clock.now() + kPatience;
  while (!lost_all && clock.now() < give_up) continue;
  CHECK(lost_all);
  CHECK(committed(0) == kLoads);
}

TEST_CASE_FIXTURE(GroupsFixture,
                  "a coordinator whose commits have rotted leaves the groups to one who has them") {
  tell(0, 1, 1, {1});
  REQUIRE(loaded(0) == Committed{});
  REQUIRE(commit(0, 5) == ErrorCode::none);
  const std::uint64_t end_of_first = at_owner(0, [](Replica& replica) { return replica.log->size(); });
  REQUIRE(commit(0, 6) == ErrorCode::none);
  REQUIRE(commit(0, 7) == ErrorCode::none);
  stop();
  const std::string path = fmt::format("{}/{}-0/00000000000000000000.log", log_dirs[0], kOffsetsTopic);
  REQUIRE((*failing.open(path, fs::OpenMode::write))->pwrite(end_of_first + 70, "X").has_value());
  start();
  SUBCASE("one of those in sync") {
    tell(0, 1, 2, {1, 2});
    const auto give_up = clock.now() + kPatience;
    while (replica_failures == 0 && clock.now() < give_up) continue;
    CHECK(replica_failures == 1);
    CHECK(committed(0) == kLoads);
    tell(0, 2, 3, {2});
    CHECK(loaded(0) == kNotHere);
    CHECK(end_of(0) == 1);  // the rest is fetched again
  }
  SUBCASE("unless that is nobody") {
    tell(0, 1, 2, {1});
    CHECK(loaded(0) == Committed{ErrorCode::none, 5});
    CHECK(replica_failures == 0);
  }
}

}  // namespace tandem::broker::api
