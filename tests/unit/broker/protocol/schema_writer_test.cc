#include "broker/protocol/schema_writer.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

namespace tandem::broker::protocol {
namespace {

TEST_CASE("docs/protocol.md is what the tables say") {
  std::ifstream file(PROTOCOL_REFERENCE);
  std::ostringstream committed;
  committed << file.rdbuf();
  CHECK_MESSAGE(committed.str() == render_protocol_reference(), "write it anew: tandem protocol-reference");
}

}  // namespace
}  // namespace tandem::broker::protocol
