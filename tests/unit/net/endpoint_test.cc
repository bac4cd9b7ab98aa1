#include "net/endpoint.h"

#include <doctest/doctest.h>

using namespace tandem;

TEST_CASE("endpoints are read as users write them and printed the same way") {
  CHECK(*net::parse_endpoint("localhost:2181") == net::Endpoint{"localhost", 2181});
  CHECK(*net::parse_endpoint("[::1]:9092") == net::Endpoint{"::1", 9092});
  CHECK(*net::parse_endpoint(":9092") == net::Endpoint{"", 9092});
  CHECK(*net::parse_endpoint("zk1", 2181) == net::Endpoint{"zk1", 2181});
  CHECK(net::to_string({"::1", 9092}) == "[::1]:9092");
  for (const char* bad : {"zk1", "a:b", "a:70000", "[::1:2", "a:1x", "[::1]9"}) {
    CHECK_FALSE(net::parse_endpoint(bad).has_value());
  }
  CHECK(net::parse_endpoints("a:1, b:2 ,c:3")->size() == 3);
  CHECK_FALSE(net::parse_endpoints("a:1,,b:2").has_value());
}
