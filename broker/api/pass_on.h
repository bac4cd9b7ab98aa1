// pass_on(): a request that only the controller can answer goes to our own, which refuses it when it is not
// the active one; its answer is sent as it is.
#pragma once

#include <memory>
#include <utility>

#include "broker/api/cluster_control.h"
#include "broker/api/handler.h"

namespace tandem::broker::api {

template <class Request>
void pass_on(Call call, Request request) {
  auto pending = std::make_shared<Call>(std::move(call));
  pending->services.control->ask(std::move(request), [pending](controller::ControllerReply reply) {
    pending->respond.send(std::get<typename Request::Response>(reply));
  });
}

}  // namespace tandem::broker::api
