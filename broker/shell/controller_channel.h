// ControllerChannel: this broker's requests to the active controller. A queue, one request on the wire at a
// time; the controller's address is read from its registration, its versions are asked for when a connection
// is made. A lost connection, a controller that has moved and the answer NOT_CONTROLLER put the request to
// whoever is the controller then, until its timeout. On one Loop's thread. Source: Kafka 3.9
// NodeToControllerChannelManager.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "broker/api/cluster_control.h"
#include "broker/protocol/header.h"
#include "broker/zk/brokers.h"
#include "logging/logger.h"
#include "net/connection.h"
#include "net/connector.h"
#include "net/loop.h"
#include "net/timer.h"

namespace tandem::broker::shell {

// The broker asked is not the active controller.
bool is_not_controller(const api::FromController& response);

class ControllerChannel {
 public:
  using Found = std::function<void(std::optional<zk::Endpoint>)>;
  // Where a broker listens; no call of `found` when that cannot be learned now.
  using Find = std::function<void(std::int32_t broker, Found found)>;

  struct Options {
    std::string client_id;
    base::milliseconds request_timeout{30'000};  // controller.socket.timeout.ms
  };

  ControllerChannel(net::Loop& loop, Options options, Find find, logging::Logger log);
  ~ControllerChannel();

  void set_controller(std::int32_t id);  // -1: none is known
  void send(api::ToController request, base::milliseconds timeout, api::ClusterControl::Told done);
  void stop();  // what waits gets an error
  std::size_t queued() const { return queue_.size(); }

 private:
  struct Item {
    api::ToController request;
    base::Instant deadline;
    api::ClusterControl::Told done;
  };
  class Handler;

  void advance();
  void look_up();
  void open(const zk::Endpoint& endpoint);
  void write(const std::string& frame);
  void write_front();
  void on_frame(net::Connection& connection, const net::Frame& frame);
  void on_closed(net::Connection& connection);
  base::Status read_versions(const bytes::Slice& frame);
  void on_answer(const bytes::Slice& frame);
  void drop_connection();
  void retry_later();
  void on_timer();
  void set_timer();
  void expire();
  std::optional<std::int16_t> version_of(const api::ToController& request) const;

  net::Loop& loop_;
  Options options_;
  Find find_;
  logging::Logger log_;
  std::int32_t controller_ = -1;
  std::uint64_t round_ = 0;  // of looking up and connecting: answers of an earlier one are void
  bool looking_ = false;
  bool stopped_ = false;
  std::shared_ptr<net::Connecting> connecting_;
  std::shared_ptr<net::Connection> connection_;
  std::map<std::int16_t, std::int16_t> versions_;  // API -> newest version of the controller
  bool in_flight_ = false;
  std::int16_t version_ = 0;  // of what is in flight
  std::int32_t correlation_ = 0;
  base::Instant answer_due_{};
  std::optional<base::Instant> retry_at_;
  net::Timer timer_;
  std::deque<Item> queue_;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // late answers of the tree find it gone
};

}  // namespace tandem::broker::shell
