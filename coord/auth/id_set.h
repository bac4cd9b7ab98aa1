// The ids of a client in the order in which Apache's server lists them (whoAmI, and the entries that `auth`
// in an ACL list stands for): that of a Java hash set of Id, so that both give the same bytes.
// Exact up to the first growth of that set (11 ids) for ASCII ids; behind that an order, no more.
#pragma once

#include <vector>

#include "jute/data.h"

namespace tandem::coord::auth {

// Inserts in place; false when it is there already.
bool add_id(std::vector<jute::Id>& ids, jute::Id id);

}  // namespace tandem::coord::auth
