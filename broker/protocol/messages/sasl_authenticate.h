// SaslAuthenticate: API key 36, versions 0 to 2, flexible from 2.
// One step of a SASL exchange.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct SaslAuthenticateResponse;

struct SaslAuthenticateRequest {
  static constexpr ApiKey kApi = ApiKey::sasl_authenticate;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;
  using Response = SaslAuthenticateResponse;

  Bytes auth_bytes;

  void describe(Fields& f);
  bool operator==(const SaslAuthenticateRequest&) const = default;
};

struct SaslAuthenticateResponse {
  static constexpr ApiKey kApi = ApiKey::sasl_authenticate;
  static constexpr std::int16_t kVersionMax = 2;
  static constexpr std::int16_t kFlexibleSince = 2;

  ErrorCode error_code = ErrorCode::none;
  std::optional<std::string> error_message;
  Bytes auth_bytes;
  std::int64_t session_lifetime_ms = 0;

  void describe(Fields& f);
  bool operator==(const SaslAuthenticateResponse&) const = default;
};

}  // namespace tandem::broker::protocol
