#include "broker/protocol/messages/renew_delegation_token.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void RenewDelegationTokenRequest::describe(Fields& f) {
  f("hmac", hmac, kAlways.secret());
  f("renew_period_ms", renew_period_ms);
}

void RenewDelegationTokenResponse::describe(Fields& f) {
  f("error_code", error_code);
  f("expiry_timestamp_ms", expiry_timestamp_ms);
  f("throttle_time_ms", throttle_time_ms);
}

}  // namespace tandem::broker::protocol
