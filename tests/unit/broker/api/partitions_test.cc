#include "broker/zk/topics.h"
#include "tests/unit/broker/api/partitions_fixture.h"
#include "tests/unit/broker/controller/fake_control.h"

namespace tandem::broker::api {

using protocol::ErrorCode;

namespace {

std::vector<std::int64_t> offsets_of(const protocol::Records& records) {
  std::vector<std::int64_t> out;
  const auto slice = records.slice();
  record::BatchCursor cursor(slice.view());
  while (cursor.next()) {
    record::RecordReader reader(cursor.batch());
    record::RecordView record;
    while (reader.next(record)) out.push_back(record.offset);
  }
  return out;
}

}  // namespace

TEST_CASE_FIXTURE(PartitionsFixture, "what is produced to partitions of both shards is fetched from them") {
  for (std::int32_t p = 0; p < 3; ++p) {
    CHECK(put(p, batch(3)).base_offset == 0);
    const auto second = put(p, batch(2));
    CHECK(second.error_code == ErrorCode::none);
    CHECK(second.base_offset == 3);
    CHECK(second.log_start_offset == 0);
  }
  for (const std::int16_t version : {4, 11, 12, 13, 17}) {
    const auto response = ask(&fetch, fetch_request({{0, 0}, {1, 1}, {2, 3}}), version);
    REQUIRE(response.error_code == ErrorCode::none);
    REQUIRE(response.responses.size() == 1);
    const auto& partitions = response.responses[0].partitions;
    REQUIRE(partitions.size() == 3);
    CHECK(offsets_of(partitions[0].records) == std::vector<std::int64_t>{0, 1, 2, 3, 4});
    CHECK(offsets_of(partitions[1].records) == std::vector<std::int64_t>{0, 1, 2, 3, 4});
    CHECK(offsets_of(partitions[2].records) == std::vector<std::int64_t>{3, 4});
    CHECK(partitions[0].high_watermark == 5);
    CHECK(partitions[0].last_stable_offset == 5);
  }
}

TEST_CASE_FIXTURE(PartitionsFixture,
                  "a fetch at the end waits for the bytes it asked for, on the other shard too") {
  for (std::int32_t p = 0; p < 3; ++p) {
    auto waiting = send(&fetch, fetch_request({{0, 0}, {1, 0}, {2, 0}}, 1), 11);
    CHECK(waiting.wait_for(std::chrono::milliseconds(30)) == std::future_status::timeout);
    put(p, batch(1));
    const auto response = receive<protocol::FetchRequest>(std::move(waiting), 11);
    CHECK(offsets_of(response.responses.at(0).partitions.at(static_cast<std::size_t>(p)).records) ==
          std::vector<std::int64_t>{0});
    REQUIRE(ask(
                &delete_records,
                [&] {
                  protocol::DeleteRecordsRequest request;
                  request.topics.push_back({"t", {{p, -1}}});
                  return request;
                }(),
                2)
                .topics.at(0)
                .partitions.at(0)
                .low_watermark == 1);
    // Out of range answers at once: go on with partitions that nothing was deleted from.
    if (p == 0) break;
  }
}

TEST_CASE_FIXTURE(PartitionsFixture,
                  "a fetch that nothing comes for is answered empty, not null, after its wait") {
  auto request = fetch_request({{0, 0}}, 1);
  request.max_wait_ms = 20;
  const auto response = ask(&fetch, request, 12);
  const auto& partition = response.responses.at(0).partitions.at(0);
  CHECK(!partition.records.is_null());
  CHECK(partition.records.size() == 0);
}

TEST_CASE_FIXTURE(PartitionsFixture, "a session answers with what is new only") {
  put(0, batch(2));
  auto request = fetch_request({{0, 0}, {1, 0}});
  request.session_epoch = 0;
  auto response = ask(&fetch, request, 12);
  REQUIRE(response.session_id != 0);
  CHECK(response.responses.at(0).partitions.size() == 2);
  request = fetch_request({{0, 2}});
  request.session_id = response.session_id;
  request.session_epoch = 1;
  CHECK(ask(&fetch, request, 12).responses.empty());
  put(1, batch(1));
  request.topics.clear();
  request.session_epoch = 2;
  response = ask(&fetch, request, 12);
  REQUIRE(response.responses.size() == 1);
  REQUIRE(response.responses[0].partitions.size() == 1);
  CHECK(response.responses[0].partitions[0].partition_index == 1);
  CHECK(ask(&fetch, request, 12).error_code == ErrorCode::invalid_fetch_session_epoch);
  request.session_id = 12345;
  CHECK(ask(&fetch, request, 12).error_code == ErrorCode::fetch_session_id_not_found);
}

TEST_CASE_FIXTURE(PartitionsFixture, "partitions that are not here are answered one by one") {
  protocol::ProduceRequest request = produce_request(7, batch(1));
  request.topic_data.push_back({"nobody", {{0, protocol::Records(bytes::Slice::own(batch(1)))}}});
  request.topic_data.push_back({"__consumer_offsets", {{0, protocol::Records(bytes::Slice::own(batch(1)))}}});
  const auto response = ask(&produce, request, 9);
  CHECK(response.responses[0].partition_responses[0].error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(response.responses[1].partition_responses[0].error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(response.responses[2].partition_responses[0].error_code == ErrorCode::invalid_topic_exception);
  auto wanted = fetch_request({{0, 0}, {9, 0}});
  wanted.topics.push_back({"u", {}, wanted.topics[0].partitions});
  const auto fetched = ask(&fetch, wanted, 17);
  CHECK(fetched.responses[0].partitions[1].error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(fetched.responses[1].partitions[0].error_code == ErrorCode::unknown_topic_id);
}

TEST_CASE_FIXTURE(PartitionsFixture,
                  "acks=0 has no answer, and a closed connection where something was wrong") {
  auto good = send(&produce, produce_request(0, batch(1), 0), 9);
  CHECK(good.get() == "nothing");
  CHECK(send(&produce, produce_request(0, "x", 0), 9).get() == "closed");
  CHECK(put(0, batch(1)).base_offset == 1);
  CHECK(ask(&produce, produce_request(0, batch(1), 7), 9).responses[0].partition_responses[0].error_code ==
        ErrorCode::invalid_required_acks);
}

TEST_CASE_FIXTURE(PartitionsFixture, "versions decide what a produce may hold") {
  CHECK(put(0, batch(1) + batch(1)).error_code == ErrorCode::invalid_record);
  CHECK(put(0, "").error_code == ErrorCode::invalid_record);
  CHECK(put(0, batch(1, {.magic = 1})).error_code == ErrorCode::invalid_record);
  CHECK(put(0, batch(1, {.codec = record::Codec::zstd}), 6).error_code ==
        ErrorCode::unsupported_compression_type);
  CHECK(put(0, batch(1, {.codec = record::Codec::zstd}), 7).error_code == ErrorCode::none);
  CHECK(put(0, batch(3, {.magic = 1}), 2).base_offset == 1);
  CHECK(put(0, batch(3, {.magic = 0, .codec = record::Codec::lz4}), 0).base_offset == 4);
  CHECK(put(0, "", 2).error_code == ErrorCode::none);
}

TEST_CASE_FIXTURE(PartitionsFixture, "min.insync.replicas above what is there refuses acks=all only") {
  config.min_insync_replicas = 2;
  replica_ids = {1, 2};
  stop();
  start();
  CHECK(put(0, batch(1)).error_code == ErrorCode::not_enough_replicas);
  CHECK(ask(&produce, produce_request(0, batch(1), 1), 9).responses[0].partition_responses[0].error_code ==
        ErrorCode::none);
}

TEST_CASE_FIXTURE(PartitionsFixture, "fewer replicas than min.insync.replicas have to be in sync, not more") {
  config.min_insync_replicas = 2;
  stop();
  start();
  CHECK(put(0, batch(1)).error_code == ErrorCode::none);
}

TEST_CASE_FIXTURE(PartitionsFixture, "old fetch versions get messages of their format") {
  put(0, batch(3, {.codec = record::Codec::gzip}));
  put(0, batch(2));
  for (const std::int16_t version : {0, 1, 2, 3}) {
    const auto response = ask(&fetch, fetch_request({{0, 4}}), version);
    const auto& partition = response.responses.at(0).partitions.at(0);
    REQUIRE(partition.error_code == ErrorCode::none);
    CHECK(partition.records.slice().view()[record::kMagicAt] == (version < 2 ? 0 : 1));
    CHECK(offsets_of(partition.records) == std::vector<std::int64_t>{4});
  }
  put(0, batch(1, {.codec = record::Codec::zstd}));
  CHECK(ask(&fetch, fetch_request({{0, 5}}), 3).responses[0].partitions[0].error_code ==
        ErrorCode::unsupported_compression_type);
}

TEST_CASE_FIXTURE(PartitionsFixture, "epochs and offsets outside are refused with the code that says which") {
  put(0, batch(3));
  auto request = fetch_request({{0, 4}});
  CHECK(ask(&fetch, request, 12).responses[0].partitions[0].error_code == ErrorCode::offset_out_of_range);
  request = fetch_request({{0, 0}});
  request.topics[0].partitions[0].current_leader_epoch = leader_epoch - 1;
  CHECK(ask(&fetch, request, 12).responses[0].partitions[0].error_code == ErrorCode::fenced_leader_epoch);
  request.topics[0].partitions[0].current_leader_epoch = leader_epoch + 1;
  CHECK(ask(&fetch, request, 12).responses[0].partitions[0].error_code == ErrorCode::unknown_leader_epoch);
  request.topics[0].partitions[0].current_leader_epoch = leader_epoch;
  request.topics[0].partitions[0].last_fetched_epoch = leader_epoch;
  CHECK(ask(&fetch, request, 12).responses[0].partitions[0].records.size() > 0);
  // A follower that is ahead hears where the logs part: it cuts there without having to ask.
  request.topics[0].partitions[0].fetch_offset = 9;
  const auto ahead = ask(&fetch, request, 12).responses[0].partitions[0];
  CHECK(ahead.error_code == ErrorCode::none);
  CHECK(ahead.diverging_epoch == protocol::FetchResponse::EpochEndOffset{leader_epoch, 3});
}

TEST_CASE_FIXTURE(PartitionsFixture, "offsets are listed by question and by time") {
  put(0, batch(3));
  put(0, batch(3));
  const auto list = [&](std::int64_t timestamp, std::int16_t version) {
    protocol::ListOffsetsRequest request;
    request.replica_id = -1;
    request.topics.push_back({"t", {{0, -1, timestamp, 10}}});
    return ask(&list_offsets, request, version).topics.at(0).partitions.at(0);
  };
  CHECK(list(-1, 9).offset == 6);
  CHECK(list(-2, 9).offset == 0);
  CHECK(list(-3, 9).offset == 2);
  CHECK(list(-4, 8).offset == 0);
  CHECK(list(-5, 9).offset == -1);
  CHECK(list(-3, 6).error_code == ErrorCode::unsupported_version);
  CHECK(list(1'700'000'000'001, 5).offset == 1);
  CHECK(list(1'900'000'000'000, 5).offset == -1);
  CHECK(list(-1, 0).old_style_offsets == std::vector<std::int64_t>{6, 0});
  CHECK(list(-2, 0).old_style_offsets == std::vector<std::int64_t>{0});
}

TEST_CASE_FIXTURE(PartitionsFixture, "records are deleted up to an offset and a restart remembers it") {
  put(0, batch(5));
  const auto remove = [&](std::int64_t offset) {
    protocol::DeleteRecordsRequest request;
    request.topics.push_back({"t", {{0, offset}}});
    return ask(&delete_records, request, 2).topics.at(0).partitions.at(0);
  };
  CHECK(remove(6).error_code == ErrorCode::offset_out_of_range);
  CHECK(remove(3).low_watermark == 3);
  CHECK(remove(1).low_watermark == 3);
  CHECK(ask(&fetch, fetch_request({{0, 2}}), 11).responses[0].partitions[0].error_code ==
        ErrorCode::offset_out_of_range);
  stop();
  start();
  CHECK(ask(&fetch, fetch_request({{0, 3}}), 11).responses[0].partitions[0].log_start_offset == 3);
}

TEST_CASE_FIXTURE(PartitionsFixture,
                  "a deletion of records waits until the followers that are alive have done it") {
  replica_ids = {1, 2};
  lead(++leader_epoch);
  put(0, batch(5));
  protocol::DeleteRecordsRequest request;
  request.topics.push_back({"t", {{0, 3}}});
  request.timeout_ms = 50;
  const auto one = [](const protocol::DeleteRecordsResponse& response) {
    return response.topics.at(0).partitions.at(0);
  };
  CHECK(one(ask(&delete_records, request, 2)).low_watermark == 3);  // 2 is not alive
  protocol::UpdateMetadataRequest update;
  update.controller_epoch = 1;
  for (const std::int32_t id : {1, 2})
    update.live_brokers.push_back({id, "", 0, {{9092, "h", "PLAINTEXT", 0}}, std::nullopt});
  REQUIRE(cache.update(update, connection) == ErrorCode::none);
  CHECK(one(ask(&delete_records, request, 2)).error_code == ErrorCode::request_timed_out);
  request.timeout_ms = 10'000;
  auto waiting = send(&delete_records, request, 2);
  auto fetched = fetch_request({{0, 5}});
  fetched.replica_id = 2;
  fetched.topics[0].partitions[0].log_start_offset = 3;
  ask(&fetch, fetched, 11);
  const auto done = one(receive<protocol::DeleteRecordsRequest>(std::move(waiting), 2));
  CHECK(done.error_code == ErrorCode::none);
  CHECK(done.low_watermark == 3);
}

TEST_CASE_FIXTURE(PartitionsFixture, "a stopped and deleted partition is gone, its directory renamed") {
  put(0, batch(1));
  protocol::StopReplicaRequest request;
  request.controller_epoch = 1;
  request.topic_states.push_back({"t", {{0, leader_epoch - 1, true}, {1, -2, true}}});
  const auto response = ask(&stop_replica, request, 4);
  CHECK(response.partition_errors.at(0).error_code == ErrorCode::fenced_leader_epoch);
  CHECK(response.partition_errors.at(1).error_code == ErrorCode::none);
  CHECK(put(1, batch(1)).error_code == ErrorCode::not_leader_or_follower);
  CHECK(!fs::exists(disk, log_dirs[0] + "/t-1"));
  CHECK(fs::exists(disk, log_dirs[0] + "/t-0"));
  request.controller_epoch = 0;
  CHECK(ask(&stop_replica, request, 4).error_code == ErrorCode::stale_controller_epoch);
}

TEST_CASE_FIXTURE(PartitionsFixture,
                  "a topic that is made again under its name begins at 0 after a crash as before it") {
  put(0, batch(5));
  protocol::DeleteRecordsRequest deletion;
  deletion.topics.push_back({"t", {{0, 3}}});
  deletion.timeout_ms = 1000;
  ask(&delete_records, deletion, 2);
  stop();
  start();
  const std::string path = log_dirs[0] + "/log-start-offset-checkpoint";
  REQUIRE(fs::read_file(disk, path)->find("t 0 3\n") != std::string::npos);
  protocol::StopReplicaRequest request;
  request.controller_epoch = 1;
  request.topic_states.push_back({"t", {{0, -2, true}, {1, -2, true}, {2, -2, true}}});
  REQUIRE(ask(&stop_replica, request, 4).partition_errors.at(0).error_code == ErrorCode::none);
  id.bytes[0] = 10;
  lead(++leader_epoch);
  CHECK(put(0, batch(1)).base_offset == 0);
  shards->stop();
  replicas.reset();
  services.reset();
  shards.reset();
  start();
  CHECK(put(0, batch(1)).base_offset == 1);
}

TEST_CASE_FIXTURE(PartitionsFixture,
                  "a broker that was away while its partition moved stops it when it hears where it is") {
  protocol::UpdateMetadataRequest update;
  update.controller_epoch = 1;
  update.topic_states.push_back({"t", id, {}});
  auto& states = update.topic_states[0].partition_states;
  for (std::int32_t p = 0; p < 3; ++p) {
    auto& state = states.emplace_back();
    state.partition_index = p;
    state.leader = 2;
    state.isr = state.replicas = {2, 3};
    state.leader_epoch = leader_epoch + 1;
  }
  states[1].leader_epoch = leader_epoch - 1;  // as it was before the partition came here
  states[2].replicas = {2, 1};                // a LeaderAndIsr says what becomes of this one
  const auto error_of = [&](std::int32_t partition) { return put(partition, batch(1)).error_code; };
  connection = 2;
  lead(++leader_epoch);
  connection = 1;
  CHECK(send(&update_metadata, update, 8).get() == "closed");  // sent before what has been heard since
  CHECK(cache.image()->partition("t", 0)->leader == 1);
  CHECK(error_of(0) == ErrorCode::none);
  connection = 2;
  CHECK(ask(&update_metadata, update, 8).error_code == ErrorCode::none);
  CHECK(error_of(0) == ErrorCode::not_leader_or_follower);
  CHECK(error_of(1) == ErrorCode::none);
  CHECK(error_of(2) == ErrorCode::none);
  CHECK(fs::exists(disk, log_dirs[0] + "/t-0"));
  states[1].leader = replica::kLeaderDuringDelete;
  CHECK(ask(&update_metadata, update, 8).error_code == ErrorCode::none);
  std::promise<replica::Role> role;
  shards->post(shards->owner("t", 1), [&] { role.set_value(replicas->find("t", 1)->core.role()); });
  CHECK(role.get_future().get() == replica::Role::none);
  lead(++leader_epoch);  // it comes back
  CHECK(error_of(0) == ErrorCode::none);
}

TEST_CASE_FIXTURE(PartitionsFixture,
                  "what was sent before a deletion and is read behind it makes no partition anew") {
  const auto told = [&](std::int32_t partition, std::int32_t epoch, const protocol::Uuid& topic_id) {
    protocol::LeaderAndIsrRequest request;
    request.controller_epoch = 1;
    protocol::LeaderAndIsrRequest::LeaderAndIsrPartitionState state;
    state.partition_index = partition;
    state.leader = 1;
    state.leader_epoch = epoch;
    state.isr = state.replicas = {1};
    request.topic_states.push_back({"t", topic_id, {state}});
    return ask(&leader_and_isr, request, 7).topics.at(0).partition_errors.at(0).error_code;
  };
  protocol::StopReplicaRequest request;
  request.controller_epoch = 1;
  request.topic_states.push_back({"t", {{0, leader_epoch + 3, true}, {1, -2, true}}});
  for (const auto& stopped : ask(&stop_replica, request, 4).partition_errors)
    REQUIRE(stopped.error_code == ErrorCode::none);
  CHECK(told(0, leader_epoch, id) == ErrorCode::stale_controller_epoch);
  CHECK(told(0, leader_epoch + 3, id) == ErrorCode::stale_controller_epoch);
  CHECK(!fs::exists(disk, log_dirs[0] + "/t-0"));
  CHECK(told(0, leader_epoch + 4, id) == ErrorCode::none);  // it was moved away, and comes back
  CHECK(fs::exists(disk, log_dirs[0] + "/t-0"));
  CHECK(told(1, leader_epoch + 100, id) == ErrorCode::stale_controller_epoch);  // its topic is no more
  protocol::Uuid another = id;
  another.bytes[0] = 78;
  CHECK(told(1, 0, another) == ErrorCode::none);
}

TEST_CASE_FIXTURE(
    PartitionsFixture,
    "a broker that has not registered yet hears no controller that means an earlier life of it") {
  protocol::LeaderAndIsrRequest leaders;
  protocol::UpdateMetadataRequest update;
  protocol::StopReplicaRequest stop;
  const auto heard_with = [&](std::int64_t broker_epoch) {
    leaders.controller_epoch = update.controller_epoch = stop.controller_epoch = 1;
    leaders.broker_epoch = update.broker_epoch = stop.broker_epoch = broker_epoch;
    const int heard = (send(&leader_and_isr, leaders, 7).get() != "closed" ? 1 : 0) +
                      (send(&update_metadata, update, 8).get() != "closed" ? 1 : 0) +
                      (send(&stop_replica, stop, 3).get() != "closed" ? 1 : 0);
    return heard;
  };
  CHECK(heard_with(80) == 0);
  CHECK(heard_with(-1) == 3);
  node.broker_epoch = 603;
  CHECK(heard_with(603) == 3);
  CHECK(ask(&leader_and_isr, leaders, 7).error_code == ErrorCode::none);
  leaders.broker_epoch = 80;
  CHECK(ask(&leader_and_isr, leaders, 7).error_code == ErrorCode::stale_broker_epoch);
}

// Below inter-broker protocol 2.8: requests without topic ids.
TEST_CASE_FIXTURE(PartitionsFixture,
                  "what a controller sent before it connected anew is not heard any more, without ids too") {
  const auto told = [&](std::uint64_t on, std::int32_t controller_epoch, bool is_new) {
    connection = on;
    protocol::LeaderAndIsrRequest request;
    request.controller_epoch = controller_epoch;
    protocol::LeaderAndIsrRequest::LeaderAndIsrPartitionState state;
    state.leader = 1;
    state.isr = state.replicas = {1};
    state.is_new = is_new;
    request.topic_states.push_back({"old", {}, {state}});
    return send(&leader_and_isr, request, 4).get();
  };
  const auto deleted = [&](std::uint64_t on) {
    connection = on;
    protocol::StopReplicaRequest request;
    request.controller_epoch = 1;
    request.topic_states.push_back({"old", {{0, -2, true}}});
    return send(&stop_replica, request, 3).get();
  };
  const std::string there = log_dirs[0] + "/old-0";
  CHECK(told(4, 1, true) != "closed");
  CHECK(fs::exists(disk, there));
  CHECK(deleted(5) != "closed");
  CHECK(!fs::exists(disk, there));
  CHECK(told(4, 1, true) == "closed");
  CHECK(told(4, 1, false) == "closed");
  CHECK(!fs::exists(disk, there));
  CHECK(told(5, 1, true) != "closed");  // a topic of the same name
  CHECK(fs::exists(disk, there));
  CHECK(deleted(4) == "closed");
  CHECK(fs::exists(disk, there));
  CHECK(told(3, 2, false) != "closed");  // another controller, which had connected before
}

TEST_CASE_FIXTURE(PartitionsFixture,
                  "what is left of a deleted topic gives way when the tree knows the new one of its name") {
  put(0, batch(3));
  const protocol::Uuid old_id = id;
  protocol::LeaderAndIsrRequest request;
  request.controller_epoch = 1;
  protocol::LeaderAndIsrRequest::LeaderAndIsrPartitionState state;
  state.leader = 1;
  state.isr = state.replicas = {1};
  id.bytes[0] = 77;
  request.topic_states.push_back({"t", id, {state}});
  const auto told = [&] {
    return ask(&leader_and_isr, request, 7).topics.at(0).partition_errors.at(0).error_code;
  };
  CHECK(told() == ErrorCode::inconsistent_topic_id);  // there is nobody to ask
  test::FakeControl control;
  services->control = &control;
  control.tree.put("/brokers", "");
  control.tree.put("/brokers/topics", "");
  CHECK(told() == ErrorCode::inconsistent_topic_id);
  const auto in_tree = [&](const protocol::Uuid& known) {
    control.tree.put("/brokers/topics/t", zk::encode_topic({known.bytes, {{0, {{1}, {}, {}}}}}));
  };
  in_tree(old_id);
  CHECK(told() == ErrorCode::inconsistent_topic_id);
  in_tree(id);
  control.lost = true;
  CHECK(told() == ErrorCode::inconsistent_topic_id);
  control.lost = false;
  CHECK(put(0, batch(1)).base_offset == 3);  // still the old one
  CHECK(told() == ErrorCode::none);
  CHECK(put(0, batch(1)).base_offset == 0);
  services->control = nullptr;
}

TEST_CASE_FIXTURE(PartitionsFixture, "an idempotent producer is recognised across a restart") {
  const auto first = batch(2, {.producer_id = 5, .producer_epoch = 0, .base_sequence = 0});
  CHECK(put(0, first).base_offset == 0);
  CHECK(put(0, first).base_offset == 0);
  stop();
  start();
  CHECK(put(0, first).base_offset == 0);
  CHECK(put(0, batch(1, {.producer_id = 5, .producer_epoch = 0, .base_sequence = 2})).base_offset == 2);
  CHECK(put(0, batch(1, {.producer_id = 5, .producer_epoch = 0, .base_sequence = 9})).error_code ==
        ErrorCode::out_of_order_sequence_number);
}

TEST_CASE_FIXTURE(PartitionsFixture, "a directory is chosen for what the cluster has") {
  protocol::AlterReplicaLogDirsRequest request;
  request.dirs.push_back({log_dirs[0], {{"t", {0, 7}}, {"none", {0}}, {"idle", {}}}});
  const auto response = ask(&alter_replica_log_dirs, request, 2);
  REQUIRE(response.results.size() == 2);
  CHECK(response.results[0].partitions[0].error_code == ErrorCode::none);
  CHECK(response.results[0].partitions[1].error_code == ErrorCode::unknown_topic_or_partition);
  CHECK(response.results[1].partitions[0].error_code == ErrorCode::unknown_topic_or_partition);
}

TEST_CASE_FIXTURE(PartitionsFixture, "an election of no known kind fails for all that is named") {
  protocol::ElectLeadersRequest request;
  request.election_type = 9;
  request.topic_partitions.emplace().push_back({"t", {0}});
  const auto response = ask(&elect_leaders, request, 2);
  CHECK(response.error_code == ErrorCode::unknown_server_error);
  REQUIRE(response.replica_election_results.size() == 1);
  CHECK(response.replica_election_results[0].partition_result.at(0).error_code ==
        ErrorCode::unknown_server_error);
}

TEST_CASE_FIXTURE(PartitionsFixture, "log directories are described with sizes") {
  put(2, batch(10));
  const auto response = ask(&describe_log_dirs, protocol::DescribeLogDirsRequest{}, 4);
  REQUIRE(response.results.size() == 1);
  CHECK(response.results[0].log_dir == log_dirs[0]);
  CHECK(response.results[0].total_bytes > 0);
  REQUIRE(response.results[0].topics.size() == 1);
  CHECK(response.results[0].topics[0].partitions.at(2).partition_size > 100);
}

}  // namespace tandem::broker::api
