// What is answered to a request of a controller that has sent something since on a newer connection
// (ControlOrder), or came before this broker has registered (Addressee): nothing, the connection ends. On any
// thread.
#pragma once

#include "broker/api/handler.h"

namespace tandem::broker::api {

inline void close_as_late(Call& call) {
  call.services.log.warn("closing {}: the controller has sent more since on a newer connection",
                         call.client->host);
  call.respond.close();
}

inline void close_as_early(Call& call) {
  call.services.log.info("closing {}: a controller is heard when this broker has registered",
                         call.client->host);
  call.respond.close();
}

}  // namespace tandem::broker::api
