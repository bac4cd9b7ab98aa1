// Whatever bytes a znode holds, reading gives a value or an error.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "broker/zk/admin.h"
#include "broker/zk/brokers.h"
#include "broker/zk/configs.h"
#include "broker/zk/controller.h"
#include "broker/zk/topics.h"

using namespace tandem::broker::zk;

namespace {

int accepted(const std::string& text) {
  int count = 0;
  count += decode_broker(0, text).has_value();
  count += decode_topic("t", text).has_value();
  count += decode_state({"t", 0}, text, 0).has_value();
  count += decode_config("c", text).has_value();
  count += decode_config_change(text).has_value();
  count += decode_controller(text).has_value();
  count += decode_controller_epoch(text).has_value();
  count += decode_cluster_id(text).has_value();
  count += decode_producer_ids(text).has_value();
  count += decode_feature(text).has_value();
  count += decode_reassignment(text).has_value();
  count += decode_partitions("p", text).has_value();
  count += decode_log_dir_event(text).has_value();
  return count;
}

}  // namespace

TEST_CASE("nasty JSON is refused by every reader") {
  std::string deep(100000, '[');
  for (const std::string& text : std::vector<std::string>{
           "[]", "1e400", "\xef\xbb\xbf{}", "{\"version\":", "{\"a\":\"\\ud800\"}", "\xff\xfe", "null", deep,
           "{\"partitions\":" + std::string(40, '[') + std::string(40, ']') + "}",
           std::string(2 << 20, ' ')}) {
    CAPTURE(text.substr(0, 40));
    CHECK(accepted(text) == 0);
  }
}

TEST_CASE("wrong types are errors, unknown keys are not") {
  CHECK_FALSE(!!decode_topic("t", R"({"version":3,"partitions":{"0":"1"}})"));
  CHECK_FALSE(!!decode_topic("t", R"({"version":3,"partitions":{"x":[1]}})"));
  CHECK_FALSE(!!decode_topic("t", R"({"version":3,"partitions":{"-1":[1]}})"));
  CHECK_FALSE(!!decode_topic("t", R"({"version":3,"partitions":{"0":[99999999999]}})"));
  CHECK_FALSE(
      !!decode_state({"t", 0}, R"({"leader":1,"leader_epoch":1.5,"controller_epoch":1,"isr":[]})", 0));
  CHECK(!!decode_state({"t", 0},
                       R"({"leader":1,"leader_epoch":1,"controller_epoch":1,"isr":[],)"
                       R"("new":{}})",
                       0));
}

TEST_CASE("mutations of good texts never crash a reader") {
  tandem::base::Random random(7);
  const std::vector<std::string> seeds = {
      R"({"partitions":{"0":[1,2,3]},"topic_id":"QW9rRX6TSum6gIlSplrNtA","adding_replicas":{},)"
      R"("version":3})",
      R"({"controller_epoch":1,"leader":0,"version":1,"leader_epoch":0,"isr":[0]})",
      R"({"features":{},"listener_security_protocol_map":{"A":"SSL"},"endpoints":["A://h:1"],)"
      R"("jmx_port":-1,"version":5})"};
  for (int round = 0; round < 3000; ++round) {
    std::string text = seeds[random.below(seeds.size())];
    for (std::uint64_t n = random.below(4) + 1; n > 0; --n) {
      text[random.below(text.size())] = static_cast<char>(random.below(256));
    }
    accepted(text);
  }
}
