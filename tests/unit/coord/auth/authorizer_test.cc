#include "coord/auth/authorizer.h"

#include <doctest/doctest.h>

namespace tandem::coord::auth {

using jute::ACL;
using jute::Id;

namespace {

Authorizer authorizer() {
  AuthOptions options;
  options.super_digest = "super:D/InIHSb7yEEbrWz8b9l71RjZJU=";  // super:test
  return Authorizer(options);
}

}  // namespace

TEST_CASE("digest ids are user and base64 of SHA-1") {
  const auto ids = authorizer().authenticate("digest", "super:test", "127.0.0.1");
  REQUIRE(ids.has_value());
  CHECK(*ids == std::vector<Id>{{"super", ""}, {"digest", "super:D/InIHSb7yEEbrWz8b9l71RjZJU="}});
  CHECK(authorizer().authenticate("digest", "u:p", "")->size() == 1);
  CHECK_FALSE(authorizer().authenticate("digest", std::nullopt, "").has_value());
  CHECK_FALSE(authorizer().authenticate("super", "", "").has_value());
  CHECK_FALSE(authorizer().authenticate("nope", "x", "").has_value());
  CHECK(authorizer().authenticate("ip", std::nullopt, "::1") == std::vector<Id>{{"ip", "::1"}});
}

TEST_CASE("an unknown digest algorithm is refused, Java's names are known") {
  for (const char* name : {"SHA1", "SHA-1", "SHA-256", "SHA-512", "MD5"})
    CHECK(Authorizer(AuthOptions{.digest_alg = name}).check_options().has_value());
  CHECK_FALSE(Authorizer(AuthOptions{.digest_alg = "ROT13"}).check_options().has_value());
}

TEST_CASE("permissions follow scheme and id") {
  const Authorizer a = authorizer();
  const std::vector<ACL> acl{{jute::perm::kRead, {"ip", "10.0.0.0/8"}},
                             {jute::perm::kWrite, {"digest", "u:h"}}};
  CHECK(a.permits(acl, jute::perm::kRead, {{"ip", "10.1.2.3"}}));
  CHECK_FALSE(a.permits(acl, jute::perm::kWrite, {{"ip", "10.1.2.3"}}));
  CHECK_FALSE(a.permits(acl, jute::perm::kRead, {{"ip", "11.1.2.3"}}));
  CHECK(a.permits(acl, jute::perm::kWrite, {{"ip", "1.1.1.1"}, {"digest", "u:h"}}));
  CHECK(a.permits(acl, jute::perm::kAdmin, {{"super", ""}}));
  CHECK(a.permits({}, jute::perm::kAdmin, {}));
  CHECK(a.permits(jute::open_acl(), jute::perm::kAdmin, {}));
  CHECK(Authorizer(AuthOptions{.skip_acl = true}).permits(acl, jute::perm::kAdmin, {}));
}

TEST_CASE("a list to store is deduplicated, auth expanded, what is not valid refused") {
  const Authorizer a = authorizer();
  const std::vector<Id> nobody{{"ip", "127.0.0.1"}};
  const std::vector<Id> user{{"ip", "127.0.0.1"}, {"digest", "u:h"}};
  const ACL world{31, {"world", "anyone"}};
  CHECK(a.fixed_up({world, world}, nobody) == std::vector<ACL>{world});
  CHECK_FALSE(a.fixed_up({}, user).has_value());
  CHECK_FALSE(a.fixed_up({{31, {"world", "all"}}}, user).has_value());
  CHECK_FALSE(a.fixed_up({{31, {"auth", ""}}}, nobody).has_value());
  CHECK(a.fixed_up({{31, {"auth", ""}}}, user) == std::vector<ACL>{{31, {"digest", "u:h"}}});
  CHECK_FALSE(a.fixed_up({{31, {"x509", "CN=a"}}}, user).has_value());
  for (const char* bad : {"u", "u:", "a:b:c", ""})
    CHECK_FALSE(a.fixed_up({{31, {"digest", bad}}}, user).has_value());
  CHECK(a.fixed_up({{31, {"digest", ":x"}}}, user).has_value());
}

TEST_CASE("addresses match patterns of either family") {
  struct Row {
    const char* address;
    const char* pattern;
    bool valid;
    bool matches;
  };
  const Row rows[] = {
      {"10.0.0.1", "10.0.0.1", true, true},
      {"10.0.0.1", "10.0.0.2", true, false},
      {"10.0.0.1", "10.0.0.2/30", true, true},
      {"10.0.0.1", "0.0.0.0/0", true, true},
      {"10.0.0.1", "10.0.0.1/33", false, false},
      {"10.0.0.1", "10.0.0/8", false, false},
      {"10.0.0.1", "10.0.0.256", false, false},
      {"::1", "::1", true, true},
      {"::1", "0:0:0:0:0:0:0:1", true, true},
      {"fe80::5", "fe80::/64", true, true},
      {"fe80:0:0:1::5", "fe80::/64", true, false},
      {"::1", "1:2:3", false, false},
      {"::1", "::1::", false, false},
      {"::1", "12345::", false, false},
      {"10.0.0.1", "::/0", true, false},
      {"10.0.0.1", "host", false, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.pattern);
    CHECK(valid_ip_pattern(row.pattern) == row.valid);
    CHECK(ip_matches(row.address, row.pattern) == row.matches);
  }
}

TEST_CASE("whoAmI shows no digest") {
  CHECK(authorizer().user_of({"digest", "u:h"}) == "u");
  CHECK(authorizer().user_of({"ip", "1.2.3.4"}) == "1.2.3.4");
  CHECK(authorizer().user_of({"super", ""}).empty());
}

}  // namespace tandem::coord::auth
