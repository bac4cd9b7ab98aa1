// A ResponseSink that keeps what handlers answer, and calls to give them: a handler is tested by what it
// sends. For one thread; every response is kept by the number of its call.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>

#include "broker/api/handler.h"

namespace tandem::broker::api {

class RecordingSink final : public ResponseSink {
 public:
  void deliver(std::uint64_t slot, bytes::Chain response) override { responses[slot] = response.flatten(); }
  void deliver_nothing(std::uint64_t slot) override { responses[slot] = ""; }
  void close(std::uint64_t) override { closed = true; }
  std::string* begin_direct(std::uint64_t) override { return nullptr; }
  void end_direct(std::uint64_t) override {}

  std::map<std::uint64_t, std::string> responses;  // whole frames; empty: no response
  bool closed = false;
};

// Calls `handle` with the request in `version` and gives its answer.
template <class Request>
typename Request::Response answer(Services& services, void (*handle)(Call, Request), Request request,
                                  std::int16_t version, const std::string& listener = "PLAINTEXT") {
  auto sink = std::make_shared<RecordingSink>();
  auto client = std::make_shared<Client>();
  client->host = "/127.0.0.1";
  client->listener = listener;
  protocol::RequestFrame frame;
  frame.api = &protocol::api_of(Request::kApi);
  frame.version = version;
  frame.client_id = "test";
  handle(Call{services, client, frame, services.clock.now(), Responder(sink, 0, version, 1)},
         std::move(request));
  REQUIRE(sink->responses.contains(0));
  const std::string body = sink->responses[0].substr(4);
  auto response = protocol::read_response(bytes::Slice::own(body), Request::kApi, version);
  REQUIRE(response.has_value());
  auto decoded = protocol::decode<typename Request::Response>(response->body, version);
  REQUIRE(decoded.has_value());
  return *decoded;
}

}  // namespace tandem::broker::api
