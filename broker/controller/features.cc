// Finalized features of the cluster (/feature). Brokers with ZooKeeper support none, so that no level can be
// raised; what an earlier cluster left can be taken away. Source: Kafka 3.9 KafkaController, in its order of
// checks and with its words.
#include <fmt/core.h>

#include "broker/controller/controller.h"
#include "broker/zk/controller.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {
namespace {

using protocol::ErrorCode;
using Update = protocol::UpdateFeaturesRequest::FeatureUpdateKey;

constexpr std::int8_t kUpgrade = 1;
constexpr std::int8_t kSafeDowngrade = 2;
constexpr std::int8_t kUnsafeDowngrade = 3;

// Version 0 of the request knows one flag instead of the type.
std::int8_t type_of(const Update& update) {
  return update.allow_downgrade ? kSafeDowngrade : update.upgrade_type;
}

bool removes(const Update& update) { return update.max_version_level < 1 && type_of(update) != kUpgrade; }

std::string feature_fault(const Update& update, const std::map<std::string, std::int32_t>& finalized) {
  if (update.feature.empty()) return "Feature name can not be empty.";
  const auto type = type_of(update);
  if (type < kUpgrade || type > kUnsafeDowngrade) return "Received unknown upgrade type.";
  const auto known = finalized.find(update.feature);
  if (removes(update))
    return known == finalized.end() ? "Can not delete non-existing finalized feature." : "";
  const auto level = update.max_version_level;
  if (level < 1) {
    return fmt::format(
        "Can not provide versionLevel: {} less than 1 without setting the SAFE downgradeType in the request.",
        level);
  }
  if (known != finalized.end() && level == known->second) {
    return fmt::format("Can not {} a finalized feature from existing versionLevel:{} to the same value.",
                       type == kSafeDowngrade ? "downgrade" : "upgrade", known->second);
  }
  if (known != finalized.end() && level < known->second && type != kSafeDowngrade) {
    return fmt::format(
        "Can not downgrade finalized feature from existing versionLevel:{} to provided versionLevel:{} "
        "without setting the downgradeType to SAFE in the request.",
        known->second, level);
  }
  if (known != finalized.end() && level > known->second && type != kUpgrade) {
    return fmt::format(
        "When the downgradeType is set to SAFE in the request, the provided versionLevel:{} can not be "
        "greater than existing versionLevel:{}.",
        level, known->second);
  }
  return "Could not apply finalized feature update because the provided feature is not supported.";
}

}  // namespace

Task<protocol::UpdateFeaturesResponse> Controller::update_features(protocol::UpdateFeaturesRequest request) {
  protocol::UpdateFeaturesResponse response;
  const std::string path(zk::kFeaturePath);
  const auto found = co_await zk_.run(zk::get_op(path));
  const auto current = zk::decode_feature(found.front().data);
  if (!found.front().ok() || !current) {
    response.error_code = ErrorCode::feature_update_failed;
    co_return response;
  }
  zk::FeatureNode next = *current;
  for (const auto& update : request.feature_updates) {
    auto& result = response.results.emplace_back();
    result.feature = update.feature;
    std::string fault = feature_fault(update, current->features);
    if (fault.empty()) {
      next.features.erase(update.feature);
    } else {
      result.error_code = ErrorCode::invalid_request;
      result.error_message = std::move(fault);
    }
  }
  if (next == *current || request.validate_only) co_return response;
  std::vector<zk::ZkOp> ops;
  ops.push_back(zk::set_op(path, zk::encode_feature(next), found.front().stat.version));
  const auto written = co_await machines_.write(std::move(ops));
  if (written.front().ok()) co_return response;
  for (auto& result : response.results) {
    if (result.error_code == ErrorCode::none) result.error_code = ErrorCode::feature_update_failed;
  }
  co_return response;
}

}  // namespace tandem::broker::controller
