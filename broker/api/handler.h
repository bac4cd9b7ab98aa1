// The contract between the socket side and one-handler-per-API files. A handler is a named function
//   void metadata(Call call, protocol::MetadataRequest request);
// declared in handlers.h, listed in dispatch.cc, called on the thread of the connection's shard. It answers
// through call.respond, now or later, from any thread, exactly once; responses leave in the order of their
// requests. A Responder destroyed without an answer closes the connection: a request is never left hanging.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "broker/api/services.h"
#include "broker/protocol/header.h"
#include "bytes/chain.h"

namespace tandem::broker::api {

// Who asks. One per connection; software is known after ApiVersions v3 or later.
struct Client {
  std::string host;          // "/127.0.0.1", as Kafka prints it
  std::string listener;      // name of the listener it came through
  std::uint64_t number = 0;  // ascending in the order in which connections were accepted
  std::string software_name = "unknown";
  std::string software_version = "unknown";
};

// The connection's side of a response. Any thread may call it.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  virtual void deliver(std::uint64_t slot, bytes::Chain response) = 0;
  virtual void deliver_nothing(std::uint64_t slot) = 0;  // the request has no response (acks=0)
  virtual void close(std::uint64_t slot) = 0;            // ends the connection
  // Where to append the response when it can go out at once (the caller is on the connection's thread and all
  // earlier requests are answered), else null. Followed by end_direct().
  virtual std::string* begin_direct(std::uint64_t slot) = 0;
  virtual void end_direct(std::uint64_t slot) = 0;
};

class Responder {
 public:
  Responder(std::shared_ptr<ResponseSink> sink, std::uint64_t slot, std::int16_t version,
            std::int32_t correlation_id)
      : sink_(std::move(sink)), slot_(slot), version_(version), correlation_id_(correlation_id) {}
  Responder(Responder&& other) noexcept = default;
  Responder& operator=(Responder&& other) noexcept {
    std::swap(sink_, other.sink_);
    std::swap(slot_, other.slot_);
    std::swap(version_, other.version_);
    std::swap(correlation_id_, other.correlation_id_);
    return *this;
  }
  ~Responder() {
    if (sink_) sink_->close(slot_);
  }

  // A response without records.
  template <protocol::Described M>
  void send(const M& response) {
    send_as(response, version_);
  }
  // The same in another version than asked for (ApiVersions only).
  template <protocol::Described M>
  void send_as(const M& response, std::int16_t version) {
    const auto sink = std::exchange(sink_, nullptr);
    if (std::string* out = sink->begin_direct(slot_)) {
      protocol::append_response(*out, version, correlation_id_, response);
      sink->end_direct(slot_);
      return;
    }
    bytes::Chain chain;
    protocol::append_response(chain.tail(), version, correlation_id_, response);
    sink->deliver(slot_, std::move(chain));
  }
  // A response whose records are linked (slices, file ranges), not copied.
  template <protocol::Described M>
  void send_linked(const M& response) {
    std::exchange(sink_, nullptr)
        ->deliver(slot_, protocol::encode_response(version_, correlation_id_, response));
  }
  void send_nothing() { std::exchange(sink_, nullptr)->deliver_nothing(slot_); }
  void close() { std::exchange(sink_, nullptr)->close(slot_); }

  std::int16_t version() const { return version_; }
  bool answered() const { return sink_ == nullptr; }

 private:
  std::shared_ptr<ResponseSink> sink_;
  std::uint64_t slot_;
  std::int16_t version_;
  std::int32_t correlation_id_;
};

// One request on its way through a handler.
struct Call {
  Services& services;
  std::shared_ptr<Client> client;
  protocol::RequestFrame frame;  // api, version, client id; `body` keeps the views valid
  base::Instant received;
  Responder respond;
  bool gathers = false;  // its connection finishes the shard's StagedAppends

  std::int16_t version() const { return frame.version; }
};

using Handler = void (*)(Call call);

}  // namespace tandem::broker::api
