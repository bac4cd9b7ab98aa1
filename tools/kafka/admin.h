// A small blocking admin client over our own messages: finds brokers, the controller and coordinators, keeps
// one connection to each, and asks again where an answer says "not yet" or "not here". Everything is bounded
// by one timeout, 60 s as Apache's default.api.timeout.ms.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/protocol/messages/find_coordinator.h"
#include "broker/protocol/messages/metadata.h"
#include "tools/kafka/connection.h"
#include "tools/kafka/options.h"

namespace tandem::tools::kafka {

using protocol::ErrorCode;

struct Node {
  std::int32_t id = -1;
  std::string host;
  std::int32_t port = -1;
  std::optional<std::string> rack;
};

class Admin {
 public:
  using Milliseconds = std::chrono::milliseconds;
  static constexpr Milliseconds kTimeout{60'000};

  // "host:port,host:port". Fails when none of them answers within the timeout; until then it tries again.
  static base::Result<Admin> open(const std::string& bootstrap, Milliseconds timeout = kTimeout);

  // Brokers and controller as they are now; topics as asked (nullopt: all).
  base::Result<protocol::MetadataResponse> metadata(std::optional<std::vector<std::string>> topics,
                                                    bool authorized_operations = false);
  base::Result<std::vector<Node>> nodes();  // ascending by id

  base::Result<Connection*> any();
  base::Result<Connection*> node(std::int32_t id);
  base::Result<Node> coordinator_of(const std::string& group);

  // To the controller; when it says that it is not, to the new one. `error_of` picks the error of a response.
  template <class Request>
  base::Result<typename Request::Response> ask_controller(
      const Request& request, const std::function<ErrorCode(const typename Request::Response&)>& error_of) {
    for (const Deadline deadline(timeout_);; pause()) {
      auto response = with_controller(request);
      if (!response || error_of(*response) != ErrorCode::not_controller || deadline.passed()) return response;
    }
  }

  // To the coordinator of the group, found anew while it moves or loads.
  template <class Request>
  base::Result<typename Request::Response> ask_coordinator(
      const std::string& group, const Request& request,
      const std::function<ErrorCode(const typename Request::Response&)>& error_of) {
    for (const Deadline deadline(timeout_);; pause()) {
      const auto where = coordinator_of(group);
      if (!where) return where.error();
      const auto connection = node(where->id);
      if (!connection) return connection.error();
      auto response = (*connection)->call(request);
      if (!response || !moves(error_of(*response)) || deadline.passed()) return response;
    }
  }

 private:
  class Deadline {
   public:
    explicit Deadline(Milliseconds timeout) : at_(base::SystemClock().now() + timeout) {}
    bool passed() const { return base::SystemClock().now() >= at_; }

   private:
    base::Instant at_;
  };

  template <class Request>
  base::Result<typename Request::Response> with_controller(const Request& request) {
    const auto seen = metadata(std::vector<std::string>{});
    if (!seen) return seen.error();
    const auto connection = node(seen->controller_id);
    if (!connection) return connection.error();
    return (*connection)->call(request);
  }

  static void pause();
  static bool moves(ErrorCode error);
  void learn(const protocol::MetadataResponse& response);

  std::vector<Node> bootstrap_;
  std::vector<Node> nodes_;
  std::map<std::int32_t, Connection> connections_;  // key -1: the one opened first
  Milliseconds timeout_ = kTimeout;
};

// What Apache's tools print for an error: the broker's own words where it sent some.
std::string words_of(ErrorCode error, const std::optional<std::string>& message = std::nullopt);

// The admin client that --bootstrap-server (and --command-config) ask for. Security that is not there is
// refused.
base::Result<Admin> open_admin(const Options& options, Admin::Milliseconds timeout = Admin::kTimeout);
base::Status check_client_properties(const std::string& file);

}  // namespace tandem::tools::kafka
