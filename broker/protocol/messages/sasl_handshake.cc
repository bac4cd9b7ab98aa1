#include "broker/protocol/messages/sasl_handshake.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void SaslHandshakeRequest::describe(Fields& f) { f("mechanism", mechanism); }

void SaslHandshakeResponse::describe(Fields& f) {
  f("error_code", error_code);
  f("mechanisms", mechanisms);
}

}  // namespace tandem::broker::protocol
