// Messages that carry their own version in front, as an int16: the keys and values of __consumer_offsets and
// the consumer protocol's subscriptions and assignments.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "broker/protocol/decoder.h"
#include "broker/protocol/encoder.h"
#include "bytes/writer.h"

namespace tandem::broker::protocol {

template <Described M>
std::string encode_versioned(const M& message, std::int16_t version) {
  std::string out;
  bytes::Writer(out).i16(version);
  Encoder encoder(out, version, version >= M::kFlexibleSince);
  encode_body(encoder, message);
  return out;
}

// The version in front, or -1 where there is none.
inline std::int16_t version_in_front(std::string_view bytes) {
  bytes::Reader reader(bytes);
  const std::int16_t version = reader.i16();
  return reader.ok() ? version : std::int16_t{-1};
}

enum class NewerVersions { refuse, read_as_newest_known };

template <Described M>
base::Result<M> decode_versioned(bytes::Slice bytes, NewerVersions newer = NewerVersions::refuse) {
  std::int16_t version = version_in_front(bytes.view());
  if (newer == NewerVersions::read_as_newest_known) version = std::min(version, M::kVersionMax);
  if (version < M::kVersionMin || version > M::kVersionMax)
    return base::make_error(base::Errc::unsupported, "version {} is not one of {} to {}", version,
                            M::kVersionMin, M::kVersionMax);
  return decode<M>(bytes.sub(sizeof(std::int16_t), bytes.size() - sizeof(std::int16_t)), version);
}

}  // namespace tandem::broker::protocol
