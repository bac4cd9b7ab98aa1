// The bytes of a message whose type is not known, in one version, for the tests that go through all
// messages.
#pragma once

#include <string>

#include "broker/protocol/apis.h"
#include "broker/protocol/encoder.h"

namespace tandem::broker::protocol {

inline std::string encoded(AnyMessage& message, std::int16_t version, bool flexible) {
  bytes::Chain out;
  Encoder encoder(out, version, flexible);
  message.walk(encoder);
  return out.flatten();
}

}  // namespace tandem::broker::protocol
