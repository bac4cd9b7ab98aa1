// MetadataFrames: the bytes of UpdateMetadata requests. What many brokers get is encoded once, for as long as
// it is the newest; the epoch of each broker is put in its place. On one Loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "broker/controller/effects.h"

namespace tandem::broker::shell {

class MetadataFrames {
 public:
  std::string frame(const controller::MetadataUpdate& update, std::int16_t version,
                    std::int32_t correlation_id, std::string_view client_id);
  // Lets go of what no request needs any more.
  void release_unused();

 private:
  void encode(const controller::MetadataUpdate& update, std::int16_t version);

  std::weak_ptr<const protocol::UpdateMetadataRequest> encoded_;
  std::int16_t version_ = -1;
  std::string body_;
  std::size_t epoch_at_ = 0;  // in body_; its end: the version has none
};

}  // namespace tandem::broker::shell
