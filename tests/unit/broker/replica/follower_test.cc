#include <doctest/doctest.h>

#include "broker/replica/follow_session.h"
#include "broker/replica/truncation.h"

namespace tandem::broker::replica {

namespace {

using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;

// Epochs 2 from 10, 4 from 20, 7 from 30; 40 is the end.
class KnownLog final : public FollowedLog {
 public:
  std::int64_t start_offset() const override { return 0; }
  std::int64_t end_offset() const override { return 40; }
  std::int64_t high_watermark() const override { return 15; }
  std::optional<std::int32_t> latest_epoch() const override { return 7; }
  EpochEnd end_of(std::int32_t epoch) const override {
    if (epoch > 7) return {};
    if (epoch == 7) return {7, 40};
    if (epoch >= 4) return {4, 30};
    if (epoch >= 2) return {2, 20};
    return {epoch, 10};
  }
};

WantedPartition wanted(const std::string& topic, std::int32_t partition, std::int64_t offset,
                       std::uint8_t id = 1) {
  WantedPartition out;
  out.topic = topic;
  out.topic_id.bytes.fill(id);
  out.request.partition = partition;
  out.request.fetch_offset = offset;
  return out;
}

void build(FollowSession& session, const std::vector<WantedPartition>& rows, bool by_topic_id,
           FetchRequest& request) {
  for (const auto& row : rows) session.want(row);
  session.build(by_topic_id, request);
}

FetchResponse answer(std::int32_t session, const std::vector<WantedPartition>& about) {
  FetchResponse response;
  response.session_id = session;
  for (const auto& each : about) {
    auto& topic = response.responses.emplace_back();
    topic.topic = each.topic;
    topic.topic_id = each.topic_id;
    topic.partitions.emplace_back().partition_index = each.request.partition;
  }
  return response;
}

}  // namespace

TEST_CASE("a follower cuts its log where the leader's parts from it") {
  const KnownLog log;
  const auto cut = [&](std::int32_t epoch, std::int64_t end) {
    return truncation_for(log, {epoch, end}, 15);
  };
  CHECK(cut(7, 35) == Truncation{35, true});   // shorter in the same epoch
  CHECK(cut(7, 60) == Truncation{40, true});   // longer: nothing goes
  CHECK(cut(4, 25) == Truncation{25, true});   // the leader left the epoch earlier
  CHECK(cut(4, 50) == Truncation{30, true});   // or later
  CHECK(cut(6, 33) == Truncation{30, false});  // an epoch that is not known here: ask about epoch 4
  CHECK(cut(3, 22) == Truncation{20, false});  // ask about epoch 2
  CHECK(cut(-1, 25) == Truncation{25, true});  // a leader before KIP-279
  CHECK(cut(-1, 55) == Truncation{40, true});
  CHECK(cut(-1, -1) == Truncation{15, true});  // it knows nothing: the high watermark
  CHECK(cut(9, 50) == Truncation{40, true});   // nothing so new is known here
}

TEST_CASE("a topic that was made anew is forgotten under its old id and asked for under its new one") {
  FollowSession session;
  FetchRequest first;
  build(session, {wanted("a", 0, 5), wanted("b", 1, 0, 2)}, true, first);
  REQUIRE(session.accept(answer(9, {wanted("a", 0, 5), wanted("b", 1, 0, 2)})) ==
          FollowSession::Verdict::good);
  FetchRequest second;
  build(session, {wanted("a", 0, 5), wanted("b", 1, 0, 3)}, true, second);
  CHECK(second.session_id == 9);
  CHECK(second.session_epoch == 1);
  REQUIRE(second.topics.size() == 1);
  CHECK(second.topics[0].topic_id == wanted("b", 1, 0, 3).topic_id);
  REQUIRE(second.forgotten_topics_data.size() == 1);
  CHECK(second.forgotten_topics_data[0].topic_id == wanted("b", 1, 0, 2).topic_id);
}

TEST_CASE("a session is told what changed: what is new, what moved on, what is not wanted any more") {
  FollowSession session;
  FetchRequest first;
  build(session, {wanted("a", 0, 5), wanted("a", 1, 5), wanted("a", 2, 5)}, true, first);
  CHECK(first.topics.at(0).partitions.size() == 3);
  REQUIRE(session.accept(answer(9, {wanted("a", 0, 5), wanted("a", 1, 5), wanted("a", 2, 5)})) ==
          FollowSession::Verdict::good);
  FetchRequest second;
  session.drop({"a", 1});
  session.drop({"a", 2});
  build(session, {wanted("a", 0, 6), wanted("a", 1, 5), wanted("b", 0, 0, 2)}, true, second);
  REQUIRE(second.topics.size() == 2);
  CHECK(second.topics[0].partitions.size() == 2);  // 1 came back before the leader was told that it had gone
  CHECK(second.topics[1].partitions.size() == 1);
  REQUIRE(second.forgotten_topics_data.size() == 1);
  CHECK(second.forgotten_topics_data[0].partitions == std::vector<std::int32_t>{2});
  REQUIRE(session.accept(answer(9, {})) == FollowSession::Verdict::good);
  FetchRequest third;
  build(session, {wanted("a", 0, 6)}, true, third);
  CHECK(third.topics.empty());
  CHECK(third.forgotten_topics_data.empty());
  session.on_lost();
  FetchRequest anew;
  session.build(true, anew);
  CHECK(anew.session_epoch == 0);
  REQUIRE(anew.topics.size() == 2);
  CHECK(anew.topics[0].partitions.size() == 2);
}

TEST_CASE("a response about partitions that nobody asked for does not count, and ends the session") {
  FollowSession session;
  FetchRequest request;
  build(session, {wanted("a", 0, 5)}, false, request);
  CHECK(session.accept(answer(9, {})) == FollowSession::Verdict::not_known);  // a full one says all
  build(session, {wanted("a", 0, 5)}, false, request);
  REQUIRE(session.accept(answer(9, {wanted("a", 0, 5)})) == FollowSession::Verdict::good);
  build(session, {wanted("a", 0, 5)}, false, request);
  CHECK(session.accept(answer(9, {wanted("x", 0, 5)})) == FollowSession::Verdict::not_known);
  FetchRequest again;
  build(session, {wanted("a", 0, 5)}, false, again);
  CHECK(again.session_id == 9);
  CHECK(again.session_epoch == 0);
  CHECK(again.topics.size() == 1);
}

TEST_CASE("an error that asking again would not end is told from one that it would") {
  FollowSession session;
  for (const auto& [error, verdict] :
       {std::pair{ErrorCode::fetch_session_id_not_found, FollowSession::Verdict::again},
        std::pair{ErrorCode::invalid_fetch_session_epoch, FollowSession::Verdict::again},
        std::pair{ErrorCode::unsupported_version, FollowSession::Verdict::not_known}}) {
    FetchRequest request;
    build(session, {wanted("a", 0, 5)}, false, request);
    FetchResponse response;
    response.error_code = error;
    CHECK(session.accept(response) == verdict);
    CHECK(session.epoch() == 0);
  }
}

TEST_CASE("a watermark that came with a request to truncate is said again") {
  FetchSession session;
  FetchSession::Entry entry;
  FetchResponse::PartitionData data;
  data.high_watermark = 36;
  data.diverging_epoch = {4, 30};
  CHECK(session.include(entry, data));
  data.diverging_epoch = {};
  CHECK(session.include(entry, data));
  CHECK_FALSE(session.include(entry, data));
}

TEST_CASE("a watermark is said again to who has come to follow in another epoch") {
  FetchSessions sessions(base::Random(1), 10);
  const auto wanted = [](std::int32_t leader_epoch) {
    WantedPartition partition{"t", {}, {}};
    partition.request.current_leader_epoch = leader_epoch;
    return std::vector{partition};
  };
  protocol::FetchRequest request;
  request.session_epoch = 0;
  FetchSession* session = sessions.begin(request, 12, wanted(15), {}).session;
  REQUIRE(session != nullptr);
  FetchResponse::PartitionData data;
  data.high_watermark = 388;
  CHECK(session->include(session->entries.front(), data));
  request.session_id = session->id;
  for (const auto& [leader_epoch, said] : {std::pair{15, false}, {16, true}, {16, false}}) {
    request.session_epoch = session->epoch;
    REQUIRE(sessions.begin(request, 12, wanted(leader_epoch), {}).session == session);
    CHECK(session->include(session->entries.front(), data) == said);
  }
}

}  // namespace tandem::broker::replica
