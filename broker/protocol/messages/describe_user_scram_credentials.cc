#include "broker/protocol/messages/describe_user_scram_credentials.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DescribeUserScramCredentialsRequest::UserName::describe(Fields& f) { f("name", name); }

void DescribeUserScramCredentialsRequest::describe(Fields& f) { f("users", users); }

void DescribeUserScramCredentialsResponse::CredentialInfo::describe(Fields& f) {
  f("mechanism", mechanism);
  f("iterations", iterations);
}

void DescribeUserScramCredentialsResponse::DescribeUserScramCredentialsResult::describe(Fields& f) {
  f("user", user);
  f("error_code", error_code);
  f("error_message", error_message);
  f("credential_infos", credential_infos);
}

void DescribeUserScramCredentialsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code);
  f("error_message", error_message);
  f("results", results);
}

}  // namespace tandem::broker::protocol
