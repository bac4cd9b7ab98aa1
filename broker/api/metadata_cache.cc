#include "broker/api/metadata_cache.h"

#include "broker/api/cluster_control.h"

namespace tandem::broker::api {

MetadataCache::Image MetadataCache::image() const {
  const std::lock_guard lock(mutex_);
  return image_;
}

std::optional<protocol::ErrorCode> MetadataCache::update(const protocol::UpdateMetadataRequest& request,
                                                         std::uint64_t connection) {
  Image before, after;
  {
    const std::lock_guard lock(mutex_);
    if (request.controller_epoch < order_.controller_epoch())
      return protocol::ErrorCode::stale_controller_epoch;
    if (!order_.admits({request.controller_epoch, connection})) return std::nullopt;
    before = image_;
    image_ = std::make_shared<const replica::ClusterImage>(before->updated(request));
    after = image_;
  }
  for (const auto& subscriber : subscribers_) subscriber(before, after);
  return protocol::ErrorCode::none;
}

void MetadataCache::take_leadership(std::int32_t broker,
                                    const std::vector<replica::ClusterImage::Told>& told) {
  Image before, after;
  {
    const std::lock_guard lock(mutex_);
    auto next = image_->without_leader(broker, told);
    if (!next) return;
    before = image_;
    image_ = std::make_shared<const replica::ClusterImage>(std::move(*next));
    after = image_;
  }
  for (const auto& subscriber : subscribers_) subscriber(before, after);
}

void MetadataCache::subscribe(OnChange on_change) { subscribers_.push_back(std::move(on_change)); }

std::int32_t shown_controller(const Services& services, const replica::ClusterImage& image) {
  const std::int32_t known = image.controller_id();
  return services.control != nullptr && services.control->is_gone(known) ? -1 : known;
}

bool is_internal_topic(std::string_view name) {
  return name == "__consumer_offsets" || name == "__transaction_state";
}

}  // namespace tandem::broker::api
