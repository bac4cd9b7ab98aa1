#include "broker/shell/metadata_frames.h"

#include <doctest/doctest.h>

#include "broker/protocol/header.h"

namespace tandem::broker::shell {

namespace {

controller::MetadataUpdate update_of(std::int32_t leader) {
  protocol::UpdateMetadataRequest request;
  request.controller_id = 3;
  request.controller_epoch = 7;
  request.topic_states.emplace_back();
  request.topic_states.back().topic_name = "t";
  request.topic_states.back().partition_states.emplace_back();
  request.topic_states.back().partition_states.back().leader = leader;
  request.live_brokers.push_back({1, "", 0, {{9092, "h", "PLAINTEXT", 0}}, "rack"});
  return {std::make_shared<const protocol::UpdateMetadataRequest>(std::move(request)), -1};
}

}  // namespace

TEST_CASE("what brokers share is encoded as if it were made for each, in every version") {
  MetadataFrames frames;
  for (std::int16_t version = 5; version <= protocol::UpdateMetadataRequest::kVersionMax; ++version) {
    CAPTURE(version);
    for (auto update : {update_of(1), update_of(2)}) {
      for (const std::int64_t epoch : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{0x0102030405060708}}) {
        update.broker_epoch = epoch;
        auto whole = *update.shared;
        whole.broker_epoch = epoch;
        CHECK(frames.frame(update, version, 42, "0") == protocol::encode_request(version, 42, "0", whole));
        frames.release_unused();
      }
    }
  }
}

}  // namespace tandem::broker::shell
