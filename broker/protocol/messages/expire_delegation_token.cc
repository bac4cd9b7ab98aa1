#include "broker/protocol/messages/expire_delegation_token.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void ExpireDelegationTokenRequest::describe(Fields& f) {
  f("hmac", hmac, kAlways.secret());
  f("expiry_time_period_ms", expiry_time_period_ms);
}

void ExpireDelegationTokenResponse::describe(Fields& f) {
  f("error_code", error_code);
  f("expiry_timestamp_ms", expiry_timestamp_ms);
  f("throttle_time_ms", throttle_time_ms);
}

}  // namespace tandem::broker::protocol
