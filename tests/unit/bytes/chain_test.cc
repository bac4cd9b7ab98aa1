#include "bytes/chain.h"

#include <doctest/doctest.h>

namespace tandem::bytes {

TEST_CASE("large slices are linked, small ones copied, order is kept") {
  const Slice large = Slice::own(std::string(1000, 'x'));
  Chain chain;
  chain.append("head");
  chain.append(large);
  chain.append(large.sub(0, 3));
  CHECK_EQ(chain.pieces().size(), 3);
  CHECK_EQ(std::get<Slice>(chain.pieces()[1]).data(), large.data());
  CHECK_EQ(chain.flatten(), "head" + std::string(1000, 'x') + "xxx");
  CHECK_EQ(chain.size(), 1007);
}

}  // namespace tandem::bytes
