// BrokerLinks: the controller's connections to every broker, itself included. For each a queue of control
// requests, one on the wire at a time, in order; a lost connection is made anew and the request sent again,
// until the broker is taken out. A queue that is full is dropped, and on_full says that its broker has to be
// told everything anew. No ApiVersions goes before: versions follow from the inter-broker protocol. On one
// Loop's thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "broker/controller/controller.h"
#include "broker/shell/metadata_frames.h"
#include "logging/logger.h"
#include "net/loop.h"

namespace tandem::broker::shell {

class BrokerLinks {
 public:
  using OnAnswer =
      std::function<void(std::int32_t broker, std::uint64_t send_id, controller::Controller::Answer answer)>;

  using OnFull = std::function<void(std::int32_t broker)>;

  // `answer_timeout` is controller.socket.timeout.ms.
  BrokerLinks(net::Loop& loop, std::string client_id, base::milliseconds answer_timeout, OnAnswer on_answer,
              OnFull on_full, logging::Logger log);
  ~BrokerLinks();

  void add(std::int32_t broker, const zk::Endpoint& endpoint);
  void remove(std::int32_t broker);
  void clear();
  void send(controller::Send request);
  std::size_t queued(std::int32_t broker) const;

 private:
  class Link;
  net::Loop& loop_;
  std::string client_id_;
  base::milliseconds answer_timeout_;
  OnAnswer on_answer_;
  OnFull on_full_;
  logging::Logger log_;
  MetadataFrames metadata_;
  std::map<std::int32_t, std::shared_ptr<Link>> links_;
};

}  // namespace tandem::broker::shell
