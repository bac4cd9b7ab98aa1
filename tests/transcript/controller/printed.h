// What the controller sends and replies, as lines: the fields that a reader of a transcript looks for. Topic
// ids, hosts and broker epochs are left out; what has a name in Kafka is called by it.
#pragma once

#include <string>

#include "broker/controller/effects.h"

namespace tandem::transcript {

std::string printed(const broker::controller::ControlRequest& request);
// One line for each topic or partition that is answered.
std::vector<std::string> printed(const broker::controller::ControllerReply& reply);

}  // namespace tandem::transcript
