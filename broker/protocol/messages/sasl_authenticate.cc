#include "broker/protocol/messages/sasl_authenticate.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void SaslAuthenticateRequest::describe(Fields& f) { f("auth_bytes", auth_bytes, kAlways.secret()); }

void SaslAuthenticateResponse::describe(Fields& f) {
  f("error_code", error_code);
  f("error_message", error_message);
  f("auth_bytes", auth_bytes, kAlways.secret());
  f("session_lifetime_ms", session_lifetime_ms, since(1));
}

}  // namespace tandem::broker::protocol
