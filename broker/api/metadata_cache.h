// MetadataCache: the newest ClusterImage, for any thread. Only the UpdateMetadata handler changes it; who
// waits for a change (a created topic's leaders) subscribes. Also what handlers need of auto topic creation.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/api/control_order.h"
#include "broker/api/services.h"
#include "broker/replica/cluster_image.h"

namespace tandem::broker::api {

class MetadataCache {
 public:
  using Image = std::shared_ptr<const replica::ClusterImage>;
  using OnChange = std::function<void(const Image& before, const Image& after)>;

  Image image() const;

  // STALE_CONTROLLER_EPOCH when the sender is no longer the controller, nothing when it has sent more since
  // on a newer `connection` (Client::number); else the image is replaced and the subscribers are told, on
  // this thread.
  std::optional<protocol::ErrorCode> update(const protocol::UpdateMetadataRequest& request,
                                            std::uint64_t connection);
  // What this broker led until a LeaderAndIsr said otherwise: whom it refuses from then on it sends to the
  // new leader, not back to itself.
  void take_leadership(std::int32_t broker, const std::vector<replica::ClusterImage::Told>& told);
  void subscribe(OnChange on_change);  // before the broker serves

 private:
  mutable std::mutex mutex_;
  Image image_ = std::make_shared<const replica::ClusterImage>();
  ControlOrder order_;
  std::vector<OnChange> subscribers_;
};

// Creates topics that clients ask for. Any thread; returns at once.
class TopicAutoCreation {
 public:
  virtual ~TopicAutoCreation() = default;
  // What Metadata answers for the topic meanwhile: LEADER_NOT_AVAILABLE once creation is under way, or why
  // not.
  virtual protocol::ErrorCode request(const std::string& topic) = 0;
};

// Which controller clients are told of. None (-1) while the one that the image names is gone and no other has
// said that it is: one that clients cannot reach is not asked for anew by some of them (librdkafka).
std::int32_t shown_controller(const Services& services, const replica::ClusterImage& image);

bool is_internal_topic(std::string_view name);

// Every operation of Kafka's ACLs that a resource knows, as a bit field: what a caller may do without an
// authorizer.
inline constexpr std::int32_t kClusterOperations = 8096;
inline constexpr std::int32_t kTopicOperations = 3576;
inline constexpr std::int32_t kGroupOperations = 3400;

}  // namespace tandem::broker::api
