// What stands before a message on the wire: int32 size, the request or response header, then the message.
// Request header: v0 only for ControlledShutdown v0, v2 (with tags) for flexible versions, else v1. Response
// header: v1 (with tags) for flexible versions, but always v0 for ApiVersions, because a client asks for it
// before it knows what the broker speaks. Source: Apache Kafka 3.9, ApiKeys and RequestHeader/ResponseHeader.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "broker/protocol/apis.h"
#include "broker/protocol/decoder.h"
#include "broker/protocol/encoder.h"
#include "bytes/chain.h"
#include "bytes/slice.h"

namespace tandem::broker::protocol {

inline constexpr std::size_t kSizeBytes =
    4;  // the int32 in front of every frame, which does not count itself

// A request as it came: header read, body not yet. Views stay valid while `body` lives.
struct RequestFrame {
  const Api* api = nullptr;
  std::int16_t version = 0;
  std::int32_t correlation_id = 0;
  std::string_view client_id;  // null is read as empty
  // False only for ApiVersions: a newer client asks in a version that is not known here, is answered
  // with error 35 in version 0, and asks again. Any other unknown version ends the connection.
  bool version_known = true;
  bytes::Slice body;
};

// `frame` is without its size. An error ends the connection, as in Kafka.
base::Result<RequestFrame> read_request(bytes::Slice frame);

// Reads a response's header from a frame without its size; what is left is the body.
struct ResponseFrame {
  std::int32_t correlation_id = 0;
  bytes::Slice body;
};
base::Result<ResponseFrame> read_response(bytes::Slice frame, ApiKey key, std::int16_t version);

template <Described M>
base::Status decode_into(M& message, const RequestFrame& request) {
  Decoder decoder(request.body, request.version, request.api->flexible(request.version));
  decoder.walk(message);
  return decoder.status();
}

// Room for the size, then the header. finish_frame() fills the size in.
void begin_request(std::string& out, ApiKey key, std::int16_t version, std::int32_t correlation_id,
                   std::string_view client_id);
void begin_response(std::string& out, ApiKey key, std::int16_t version, std::int32_t correlation_id);
void finish_frame(std::string& out, std::size_t frame_at);
void finish_frame(bytes::Chain& out);

// A whole frame appended to `out`: for responses without records, which need no allocation of their own.
template <Described M>
void append_response(std::string& out, std::int16_t version, std::int32_t correlation_id, const M& message) {
  const std::size_t at = out.size();
  begin_response(out, M::kApi, version, correlation_id);
  Encoder encoder(out, version, version >= M::kFlexibleSince);
  encode_body(encoder, message);
  finish_frame(out, at);
}

// A whole frame whose records are linked, not copied.
template <Described M>
bytes::Chain encode_response(std::int16_t version, std::int32_t correlation_id, const M& message) {
  bytes::Chain out;
  begin_response(out.tail(), M::kApi, version, correlation_id);
  Encoder encoder(out, version, version >= M::kFlexibleSince);
  encode_body(encoder, message);
  finish_frame(out);
  return out;
}

template <Described M>
std::string encode_request(std::int16_t version, std::int32_t correlation_id, std::string_view client_id,
                           const M& message) {
  std::string out;
  begin_request(out, M::kApi, version, correlation_id, client_id);
  Encoder encoder(out, version, version >= M::kFlexibleSince);
  encode_body(encoder, message);
  finish_frame(out, 0);
  return out;
}

}  // namespace tandem::broker::protocol
