#include "broker/protocol/messages/alter_user_scram_credentials.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void AlterUserScramCredentialsRequest::ScramCredentialDeletion::describe(Fields& f) {
  f("name", name);
  f("mechanism", mechanism);
}

void AlterUserScramCredentialsRequest::ScramCredentialUpsertion::describe(Fields& f) {
  f("name", name);
  f("mechanism", mechanism);
  f("iterations", iterations);
  f("salt", salt, kAlways.secret());
  f("salted_password", salted_password, kAlways.secret());
}

void AlterUserScramCredentialsRequest::describe(Fields& f) {
  f("deletions", deletions);
  f("upsertions", upsertions);
}

void AlterUserScramCredentialsResponse::AlterUserScramCredentialsResult::describe(Fields& f) {
  f("user", user);
  f("error_code", error_code);
  f("error_message", error_message);
}

void AlterUserScramCredentialsResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("results", results);
}

}  // namespace tandem::broker::protocol
