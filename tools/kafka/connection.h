// A blocking connection to one broker for the admin tools: one request at a time, in the newest version that
// both sides know, every wait bounded.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "broker/protocol/header.h"

namespace tandem::tools::kafka {

namespace protocol = broker::protocol;

struct VersionRange {
  std::int16_t min = 0;
  std::int16_t max = 0;
};

class Connection {
 public:
  using Milliseconds = std::chrono::milliseconds;

  // Connects and asks for the broker's versions.
  static base::Result<Connection> open(const std::string& host, std::uint16_t port, Milliseconds timeout);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;
  ~Connection();

  template <class Request>
  base::Result<typename Request::Response> call(const Request& request) {
    return call_at(request, Request::kVersionMax);
  }

  // In at most `version_max`: where a newer version asks for what is not known here.
  template <class Request>
  base::Result<typename Request::Response> call_at(const Request& request, std::int16_t version_max) {
    const auto version = version_for(Request::kApi, version_max);
    if (!version) return version.error();
    const auto body = exchange(protocol::encode_request(*version, ++correlation_id_, kClientId, request),
                               Request::kApi, *version);
    if (!body) return body.error();
    return protocol::decode<typename Request::Response>(*body, *version);
  }

  // The newest version that both sides know, or an error that names the API.
  base::Result<std::int16_t> version_for(protocol::ApiKey key, std::int16_t version_max) const;
  const std::map<std::int16_t, VersionRange>& versions() const { return versions_; }

 private:
  static constexpr std::string_view kClientId = "adminclient-1";

  Connection(int socket, Milliseconds timeout) : socket_(socket), timeout_(timeout) {}
  base::Status ask_versions();
  base::Result<bytes::Slice> exchange(const std::string& frame, protocol::ApiKey key, std::int16_t version);
  base::Status send_all(std::string_view bytes);
  base::Status receive(char* out, std::size_t count);
  base::Status wait_for(short events, base::Instant deadline);

  int socket_ = -1;
  Milliseconds timeout_;
  std::int32_t correlation_id_ = 0;
  base::Instant deadline_{};
  std::map<std::int16_t, VersionRange> versions_;
};

}  // namespace tandem::tools::kafka
