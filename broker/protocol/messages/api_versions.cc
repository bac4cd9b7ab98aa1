#include "broker/protocol/messages/api_versions.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void ApiVersionsRequest::describe(Fields& f) {
  f("client_software_name", client_software_name, since(3));
  f("client_software_version", client_software_version, since(3));
}

void ApiVersionsResponse::ApiVersion::describe(Fields& f) {
  f("api_key", api_key);
  f("min_version", min_version);
  f("max_version", max_version);
}

void ApiVersionsResponse::SupportedFeatureKey::describe(Fields& f) {
  f("name", name, since(3));
  f("min_version", min_version, since(3));
  f("max_version", max_version, since(3));
}

void ApiVersionsResponse::FinalizedFeatureKey::describe(Fields& f) {
  f("name", name, since(3));
  f("max_version_level", max_version_level, since(3));
  f("min_version_level", min_version_level, since(3));
}

void ApiVersionsResponse::describe(Fields& f) {
  f("error_code", error_code);
  f("api_keys", api_keys);
  f("throttle_time_ms", throttle_time_ms, since(1));
  f.tagged(0, "supported_features", supported_features, since(3));
  f.tagged(1, "finalized_features_epoch", finalized_features_epoch, since(3), std::int64_t{-1});
  f.tagged(2, "finalized_features", finalized_features, since(3));
  f.tagged(3, "zk_migration_ready", zk_migration_ready, since(3));
}

}  // namespace tandem::broker::protocol
