#include "broker/protocol/messages/describe_delegation_token.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DescribeDelegationTokenRequest::DescribeDelegationTokenOwner::describe(Fields& f) {
  f("principal_type", principal_type);
  f("principal_name", principal_name);
}

void DescribeDelegationTokenRequest::describe(Fields& f) { f("owners", owners); }

void DescribeDelegationTokenResponse::DescribedDelegationTokenRenewer::describe(Fields& f) {
  f("principal_type", principal_type);
  f("principal_name", principal_name);
}

void DescribeDelegationTokenResponse::DescribedDelegationToken::describe(Fields& f) {
  f("principal_type", principal_type);
  f("principal_name", principal_name);
  f("token_requester_principal_type", token_requester_principal_type, since(3));
  f("token_requester_principal_name", token_requester_principal_name, since(3));
  f("issue_timestamp", issue_timestamp);
  f("expiry_timestamp", expiry_timestamp);
  f("max_timestamp", max_timestamp);
  f("token_id", token_id);
  f("hmac", hmac, kAlways.secret());
  f("renewers", renewers);
}

void DescribeDelegationTokenResponse::describe(Fields& f) {
  f("error_code", error_code);
  f("tokens", tokens);
  f("throttle_time_ms", throttle_time_ms);
}

}  // namespace tandem::broker::protocol
