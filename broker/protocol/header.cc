#include "broker/protocol/header.h"

#include "bytes/writer.h"

namespace tandem::broker::protocol {

namespace {

int request_header_version(const Api& api, std::int16_t version) {
  if (api.key == ApiKey::controlled_shutdown && version == 0) return 0;
  return api.flexible(version) ? 2 : 1;
}

int response_header_version(const Api& api, std::int16_t version) {
  if (api.key == ApiKey::api_versions) return 0;
  return api.flexible(version) ? 1 : 0;
}

// No tag is defined for headers here: whatever is there is skipped.
void skip_tags(bytes::Reader& in) {
  for (std::uint32_t left = in.uvarint32(); left > 0 && in.ok(); --left) {
    in.uvarint32();
    in.skip(in.uvarint32());
  }
}

bytes::Slice rest_of(const bytes::Slice& frame, const bytes::Reader& in) {
  return frame.sub(in.position(), in.remaining());
}

}  // namespace

base::Result<RequestFrame> read_request(bytes::Slice frame) {
  bytes::Reader in(frame.view());
  RequestFrame request;
  const std::int16_t key = in.i16();
  request.version = in.i16();
  request.correlation_id = in.i32();
  if (!in.ok())
    return base::make_error(base::Errc::truncated, "a request of {} bytes has no header", frame.size());
  request.api = find_api(key);
  if (request.api == nullptr) return base::make_error(base::Errc::unsupported, "unknown API key {}", key);
  request.version_known = request.api->has(request.version);
  if (!request.version_known && request.api->key != ApiKey::api_versions)
    return base::make_error(base::Errc::unsupported, "version {} of {} is not supported", request.version,
                            request.api->name);
  const int header = request_header_version(*request.api, request.version);
  if (header >= 1) {
    const std::int16_t length = in.i16();
    if (length < -1) in.fail();
    if (length > 0) request.client_id = in.bytes(static_cast<std::size_t>(length));
  }
  if (header >= 2) skip_tags(in);
  if (!in.ok())
    return base::make_error(base::Errc::truncated, "the header of a {} request is cut short",
                            request.api->name);
  request.body = rest_of(frame, in);
  return request;
}

base::Result<ResponseFrame> read_response(bytes::Slice frame, ApiKey key, std::int16_t version) {
  bytes::Reader in(frame.view());
  ResponseFrame response;
  response.correlation_id = in.i32();
  if (response_header_version(api_of(key), version) >= 1) skip_tags(in);
  if (!in.ok())
    return base::make_error(base::Errc::truncated, "a response of {} bytes has no header", frame.size());
  response.body = rest_of(frame, in);
  return response;
}

void begin_request(std::string& out, ApiKey key, std::int16_t version, std::int32_t correlation_id,
                   std::string_view client_id) {
  bytes::Writer writer(out);
  writer.reserve_i32();
  writer.i16(static_cast<std::int16_t>(key));
  writer.i16(version);
  writer.i32(correlation_id);
  const int header = request_header_version(api_of(key), version);
  if (header >= 1) {
    client_id = client_id.substr(0, INT16_MAX);
    writer.i16(static_cast<std::int16_t>(client_id.size()));
    writer.bytes(client_id);
  }
  if (header >= 2) writer.uvarint(0);
}

void begin_response(std::string& out, ApiKey key, std::int16_t version, std::int32_t correlation_id) {
  bytes::Writer writer(out);
  writer.reserve_i32();
  writer.i32(correlation_id);
  if (response_header_version(api_of(key), version) >= 1) writer.uvarint(0);
}

void finish_frame(std::string& out, std::size_t frame_at) {
  const std::size_t size = out.size() - frame_at - kSizeBytes;
  ENSURE(size <= INT32_MAX, "a frame of {} bytes", size);
  bytes::Writer(out).patch_i32(frame_at, static_cast<std::int32_t>(size));
}

void finish_frame(bytes::Chain& out) {
  const std::uint64_t size = out.size() - kSizeBytes;
  ENSURE(size <= INT32_MAX, "a frame of {} bytes", size);
  bytes::Writer(std::get<std::string>(out.pieces().front())).patch_i32(0, static_cast<std::int32_t>(size));
}

}  // namespace tandem::broker::protocol
