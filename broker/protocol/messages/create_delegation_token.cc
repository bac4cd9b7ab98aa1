#include "broker/protocol/messages/create_delegation_token.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void CreateDelegationTokenRequest::CreatableRenewers::describe(Fields& f) {
  f("principal_type", principal_type);
  f("principal_name", principal_name);
}

void CreateDelegationTokenRequest::describe(Fields& f) {
  f("owner_principal_type", owner_principal_type, since(3));
  f("owner_principal_name", owner_principal_name, since(3));
  f("renewers", renewers);
  f("max_lifetime_ms", max_lifetime_ms);
}

void CreateDelegationTokenResponse::describe(Fields& f) {
  f("error_code", error_code);
  f("principal_type", principal_type);
  f("principal_name", principal_name);
  f("token_requester_principal_type", token_requester_principal_type, since(3));
  f("token_requester_principal_name", token_requester_principal_name, since(3));
  f("issue_timestamp_ms", issue_timestamp_ms);
  f("expiry_timestamp_ms", expiry_timestamp_ms);
  f("max_timestamp_ms", max_timestamp_ms);
  f("token_id", token_id);
  f("hmac", hmac, kAlways.secret());
  f("throttle_time_ms", throttle_time_ms);
}

}  // namespace tandem::broker::protocol
