#include "broker/zk/brokers.h"

#include <doctest/doctest.h>

using namespace tandem::broker::zk;
using tandem::base::WallTime;

TEST_CASE("a registration is written as Kafka 3.9.1 wrote it") {
  BrokerRegistration broker;
  broker.id = 0;
  broker.endpoints = {{"PLAINTEXT", "127.0.0.1", 23192, SecurityProtocol::plaintext}};
  const auto text = encode_broker(broker, WallTime{1795320699607});
  CHECK(text ==
        R"({"features":{},"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT"},)"
        R"("endpoints":["PLAINTEXT://127.0.0.1:23192"],"jmx_port":-1,"port":23192,"host":"127.0.0.1",)"
        R"("version":5,)"
        R"("timestamp":"1795320699607"})");
  CHECK(*decode_broker(0, text) == broker);
}

TEST_CASE("named listeners, a rack and no plaintext port") {
  BrokerRegistration broker;
  broker.id = 3;
  broker.rack = "r1";
  broker.endpoints = {{"IN", "::1", 9093, SecurityProtocol::ssl},
                      {"OUT", "h", 9094, SecurityProtocol::sasl_ssl}};
  const auto text = encode_broker(broker, WallTime{1});
  CHECK(text ==
        R"({"features":{},"listener_security_protocol_map":{"IN":"SSL","OUT":"SASL_SSL"},)"
        R"("endpoints":["IN://[::1]:9093","OUT://h:9094"],"rack":"r1","jmx_port":-1,"port":-1,"host":null,)"
        R"("version":5,"timestamp":"1"})");
  CHECK(*decode_broker(3, text) == broker);
}

TEST_CASE("registrations of every older version are read") {
  const auto v1 = decode_broker(1, R"({"version":1,"host":"h","port":9092,"jmx_port":9999,)"
                                   R"("timestamp":"1"})");
  REQUIRE(!!v1);
  CHECK(v1->endpoints.front().connection_string() == "PLAINTEXT://h:9092");
  const auto v3 = decode_broker(
      1, R"({"version":3,"host":"h","port":1,"jmx_port":1,"timestamp":"1","endpoints":["SSL://h:2"],)"
         R"("rack":"d"})");
  REQUIRE(!!v3);
  CHECK(v3->rack == "d");
  CHECK(v3->endpoint("SSL")->protocol == SecurityProtocol::ssl);
}

TEST_CASE("a registration with a listener of unknown protocol is refused") {
  CHECK_FALSE(!!decode_broker(
      1, R"({"version":4,"jmx_port":1,"endpoints":["X://h:2"],"listener_security_protocol_map":{}})"));
  CHECK_FALSE(!!decode_broker(1, R"({"version":4,"jmx_port":1,"endpoints":["PLAINTEXT://h:99999"]})"));
  CHECK_FALSE(!!decode_broker(1, R"({"version":0})"));
}
