#include "coord/auth/id_set.h"

#include <doctest/doctest.h>

using namespace tandem;
using coord::auth::add_id;

TEST_CASE("ids are listed in the order that Apache 3.9.5 lists them in") {
  std::vector<jute::Id> ids;
  const jute::Id address{"ip", "127.0.0.1"};
  const jute::Id ann{"digest", "ann:RYbu6l5aZwqon8VWmkcGvezdzfc="};
  const jute::Id bob{"digest", "bob:ikIaKsbtGweaHnb/jKn7OHqbunM="};
  const jute::Id super{"super", ""};
  const jute::Id super_digest{"digest", "super:D/InIHSb7yEEbrWz8b9l71RjZJU="};
  for (const jute::Id& id : {address, ann, super_digest, super, bob}) CHECK(add_id(ids, id));
  CHECK(ids == std::vector<jute::Id>{bob, ann, super, address, super_digest});
}

TEST_CASE("an id that is there already is not added again") {
  std::vector<jute::Id> ids;
  CHECK(add_id(ids, {"ip", "127.0.0.1"}));
  CHECK_FALSE(add_id(ids, {"ip", "127.0.0.1"}));
  CHECK(ids.size() == 1);
}
