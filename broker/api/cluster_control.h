// ClusterControl: what handlers ask of the cluster: the controller (when this broker is it) and the tree. Any
// thread may call it; callbacks come on the control thread and must not block. Implemented by
// shell/controller_service.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "broker/controller/effects.h"
#include "broker/protocol/messages/create_topics.h"

namespace tandem::broker::api {

// What a broker asks of the active controller as a broker, wherever that one is.
using ToController = std::variant<protocol::AlterPartitionRequest, protocol::AllocateProducerIdsRequest,
                                  protocol::ControlledShutdownRequest, protocol::CreateTopicsRequest>;
using FromController = std::variant<protocol::AlterPartitionResponse, protocol::AllocateProducerIdsResponse,
                                    protocol::ControlledShutdownResponse, protocol::CreateTopicsResponse>;

class ClusterControl {
 public:
  using Told = std::function<void(base::Result<FromController>)>;
  using Answered = std::function<void(controller::ControllerReply)>;
  using Performed = std::function<void(std::vector<zk::ZkResult>)>;
  using OnEvent = std::function<void(const std::string& path, zk::ZkEvent event)>;

  virtual ~ClusterControl() = default;

  // Asks our own controller; NOT_CONTROLLER when we are not it.
  virtual void ask(controller::ControllerRequest request, Answered done) = 0;
  virtual std::int32_t controller_id() const = 0;  // -1: none is known
  // Whether the connection to that broker, the controller, has ended and none is taken in its place so far.
  virtual bool is_gone(std::int32_t controller) const = 0;
  // To the active controller. Over lost connections, changes of the controller and NOT_CONTROLLER the request
  // is made again until the timeout, which is an error; what came back otherwise is handed on as it is. Of an
  // AlterPartition names and ids of topics are to be filled in, and the ISR in both its forms: the version
  // follows from what the controller speaks and from whether every topic has an id.
  virtual void tell_controller(ToController request, base::milliseconds timeout, Told done) = 0;

  // Operations on the tree, in order. No results at all: the session was lost, nothing is known.
  virtual void perform(std::vector<zk::ZkOp> ops, Performed done) = 0;
  // Events of one-shot watches that perform() left, and one "created" of path "" for each new session
  // (watches of the old one are gone). Before start().
  virtual void subscribe(OnEvent on_event) = 0;
};

}  // namespace tandem::broker::api
