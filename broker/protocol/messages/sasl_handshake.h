// SaslHandshake: API key 17, versions 0 to 1, never flexible.
// Chooses the SASL mechanism of a connection.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct SaslHandshakeResponse;

struct SaslHandshakeRequest {
  static constexpr ApiKey kApi = ApiKey::sasl_handshake;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = kNeverFlexible;
  using Response = SaslHandshakeResponse;

  std::string mechanism;

  void describe(Fields& f);
  bool operator==(const SaslHandshakeRequest&) const = default;
};

struct SaslHandshakeResponse {
  static constexpr ApiKey kApi = ApiKey::sasl_handshake;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = kNeverFlexible;

  ErrorCode error_code = ErrorCode::none;
  std::vector<std::string> mechanisms;

  void describe(Fields& f);
  bool operator==(const SaslHandshakeResponse&) const = default;
};

}  // namespace tandem::broker::protocol
