#include "broker/zk/controller.h"

#include <doctest/doctest.h>

#include "broker/zk/zk_op.h"

using namespace tandem::broker::zk;
using tandem::base::WallTime;

TEST_CASE("the controller's node") {
  CHECK(encode_controller(0, WallTime{1795320699774}) ==
        R"({"version":2,"brokerid":0,"timestamp":"1795320699774","kraftControllerEpoch":-1})");
  CHECK(*decode_controller(R"({"version":1,"brokerid":4,"timestamp":"1"})") == ControllerNode{4, -1});
  CHECK_FALSE(!!decode_controller(R"({"version":1,"brokerid":"4"})"));
  CHECK(*decode_controller_epoch("12") == 12);
  CHECK_FALSE(!!decode_controller_epoch("12 "));
}

TEST_CASE("nodes of the cluster") {
  CHECK(encode_cluster_id("bXUZb5-PS9u5c1OAsijr1Q") == R"({"version":"1","id":"bXUZb5-PS9u5c1OAsijr1Q"})");
  CHECK(*decode_cluster_id(R"({"version":"1","id":"x"})") == "x");
  CHECK(encode_feature({}) == R"({"features":{},"version":2,"status":1})");
  const FeatureNode old{1, false, {{"f", 2}}};
  CHECK(encode_feature(old) ==
        R"({"features":{"f":{"min_version_level":1,"max_version_level":2}},"version":1,"status":0})");
  CHECK(*decode_feature(encode_feature(old)) == old);
  CHECK_FALSE(!!decode_feature(R"({"version":3,"status":1,"features":{}})"));
}

TEST_CASE("blocks of producer ids hold their numbers as strings") {
  const ProducerIdBlock block{0, 0, 999};
  const auto text = encode_producer_ids(block);
  CHECK(text == R"({"version":1,"broker":0,"block_start":"0","block_end":"999"})");
  CHECK(*decode_producer_ids(text) == block);
  CHECK_FALSE(!!decode_producer_ids(R"({"version":1,"broker":0,"block_start":0,"block_end":999})"));
  CHECK_FALSE(!!decode_producer_ids(R"({"version":1,"broker":0,"block_start":"9","block_end":"0"})"));
}

TEST_CASE("operations print for transcripts") {
  CHECK(multi_op({check_op("/controller_epoch", 3), set_op("/a", "x", 1)}).text() ==
        "multi [check /controller_epoch v=3; set /a x v=1]");
  CHECK(create_empty_op("/a").text() == "create /a null");
}
