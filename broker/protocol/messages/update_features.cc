#include "broker/protocol/messages/update_features.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void UpdateFeaturesRequest::FeatureUpdateKey::describe(Fields& f) {
  f("feature", feature);
  f("max_version_level", max_version_level);
  f("allow_downgrade", allow_downgrade, until(0));
  f("upgrade_type", upgrade_type, since(1));
}

void UpdateFeaturesRequest::describe(Fields& f) {
  f("timeout_ms", timeout_ms);
  f("feature_updates", feature_updates);
  f("validate_only", validate_only, since(1));
}

void UpdateFeaturesResponse::UpdatableFeatureResult::describe(Fields& f) {
  f("feature", feature);
  f("error_code", error_code);
  f("error_message", error_message);
}

void UpdateFeaturesResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code);
  f("error_message", error_message);
  f("results", results);
}

}  // namespace tandem::broker::protocol
