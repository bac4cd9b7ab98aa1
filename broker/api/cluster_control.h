// ClusterControl: what handlers ask of the cluster: the controller (when this broker is it) and the tree. Any
// thread may call it; callbacks come on the control thread and must not block. Implemented by
// shell/controller_service.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "broker/controller/effects.h"

namespace tandem::broker::api {

class ClusterControl {
 public:
  using Answered = std::function<void(controller::ControllerReply)>;
  using Performed = std::function<void(std::vector<zk::ZkResult>)>;
  using OnEvent = std::function<void(const std::string& path, zk::ZkEvent event)>;

  virtual ~ClusterControl() = default;

  // Asks our own controller; NOT_CONTROLLER when we are not it.
  virtual void ask(controller::ControllerRequest request, Answered done) = 0;
  virtual std::int32_t controller_id() const = 0;  // -1: none is known

  // Operations on the tree, in order. No results at all: the session was lost, nothing is known.
  virtual void perform(std::vector<zk::ZkOp> ops, Performed done) = 0;
  // Events of one-shot watches that perform() left, and one "created" of path "" for each new session
  // (watches of the old one are gone). Before start().
  virtual void subscribe(OnEvent on_event) = 0;
};

}  // namespace tandem::broker::api
