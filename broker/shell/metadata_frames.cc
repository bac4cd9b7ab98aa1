#include "broker/shell/metadata_frames.h"

#include <algorithm>

#include "broker/protocol/header.h"

namespace tandem::broker::shell {
namespace {

using protocol::UpdateMetadataRequest;

// Where the encoding of another epoch differs; all before it has a fixed size.
std::size_t place_of_epoch(std::int16_t version) {
  UpdateMetadataRequest empty;
  empty.broker_epoch = 0;
  const std::string zero = protocol::encode(empty, version);
  empty.broker_epoch = -1;
  const std::string ones = protocol::encode(empty, version);
  return static_cast<std::size_t>(std::mismatch(zero.begin(), zero.end(), ones.begin()).first - zero.begin());
}

void put_big_endian(std::string& out, std::size_t at, std::int64_t value) {
  auto rest = static_cast<std::uint64_t>(value);
  for (std::size_t i = sizeof(value); i-- > 0; rest >>= 8) out[at + i] = static_cast<char>(rest & 0xff);
}

}  // namespace

std::string MetadataFrames::frame(const controller::MetadataUpdate& update, std::int16_t version,
                                  std::int32_t correlation_id, std::string_view client_id) {
  if (encoded_.lock() != update.shared || version_ != version) encode(update, version);
  std::string out;
  protocol::begin_request(out, UpdateMetadataRequest::kApi, version, correlation_id, client_id);
  const std::size_t body_at = out.size();
  out += body_;
  if (epoch_at_ < body_.size()) put_big_endian(out, body_at + epoch_at_, update.broker_epoch);
  protocol::finish_frame(out, 0);
  return out;
}

void MetadataFrames::encode(const controller::MetadataUpdate& update, std::int16_t version) {
  encoded_ = update.shared;
  version_ = version;
  body_ = protocol::encode(*update.shared, version);
  const std::size_t place = place_of_epoch(version);
  const bool has_one = place < protocol::encode(UpdateMetadataRequest{}, version).size();
  epoch_at_ = has_one ? place : body_.size();
}

void MetadataFrames::release_unused() {
  if (encoded_.expired()) body_ = {};
}

}  // namespace tandem::broker::shell
