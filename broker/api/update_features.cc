#include "broker/api/handlers.h"
#include "broker/api/pass_on.h"

namespace tandem::broker::api {

void update_features(Call call, protocol::UpdateFeaturesRequest request) {
  pass_on(std::move(call), std::move(request));
}

}  // namespace tandem::broker::api
