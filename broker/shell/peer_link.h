// PeerLink: one connection to another broker on which requests are asked one after another. It is made when
// something is asked and is kept; its end is the answer `lost` to what was under way, and the next request
// connects again. Where the broker listens is looked up at each connect. No ApiVersions goes before: versions
// follow from the inter-broker protocol. On one Loop's thread; no callback runs after it is destroyed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "broker/protocol/header.h"
#include "net/endpoint.h"
#include "net/loop.h"

namespace tandem::broker::shell {

struct PeerLinkOptions {
  std::string client_id;
  base::milliseconds connect_timeout{10'000};
  base::milliseconds answer_timeout{30'000};
  std::size_t response_bytes_max = 64 * 1024 * 1024;
};

class PeerLink {
 public:
  using Locate = std::function<std::optional<net::Endpoint>()>;  // nothing: the broker is not known
  template <class Response>
  using Answered = std::function<void(base::Result<Response>)>;

  PeerLink(net::Loop& loop, PeerLinkOptions options, Locate locate);
  ~PeerLink();
  PeerLink(const PeerLink&) = delete;
  PeerLink& operator=(const PeerLink&) = delete;

  // One at a time: the next when the last was answered. `done` never runs inside ask().
  template <class Request>
  void ask(std::int16_t version, const Request& request, Answered<typename Request::Response> done) {
    using Response = typename Request::Response;
    const std::int32_t id = next_correlation();
    send(Request::kApi, version, protocol::encode_request(version, id, options_.client_id, request),
         [version, done = std::move(done)](base::Result<bytes::Slice> body) {
           if (!body) return done(body.error());
           Response response;
           protocol::Decoder decoder(*body, version, version >= Response::kFlexibleSince);
           decoder.walk(response);
           if (const auto status = decoder.status(); !status) return done(status.error());
           done(std::move(response));
         });
  }
  bool busy() const;
  void close();  // drops what is under way without an answer

 private:
  class Wire;
  using OnBody = std::function<void(base::Result<bytes::Slice>)>;
  std::int32_t next_correlation();
  void send(protocol::ApiKey key, std::int16_t version, std::string frame, OnBody done);

  PeerLinkOptions options_;
  std::shared_ptr<Wire> wire_;
};

}  // namespace tandem::broker::shell
