// Down-conversion of stored batches for old Fetch versions: v0-v1 take messages of magic 0, v2-v3 of magic 1.
// Pure: bytes in, bytes out, memory bounded by the limits given.
#pragma once

#include <string>
#include <string_view>

#include "broker/record/builder.h"

namespace tandem::broker::record {

struct Converted {
  std::string bytes;
  bool found_batches = false;         // whole ones, among what was stored
  std::size_t first_batch_bytes = 0;  // of the first batch that had anything to convert
};

// Messages of `to_magic` (0 or 1) with the records of `stored` from `first_offset` on: control batches are
// left out, each converted batch keeps its codec. Errc::unsupported for zstd, which old clients cannot read
// (Kafka answers UNSUPPORTED_COMPRESSION_TYPE); batches of an older format go out as they are.
base::Result<Converted> down_convert(std::string_view stored, std::int8_t to_magic, std::int64_t first_offset,
                                     ReaderLimits limits = {});

// As Kafka sends them: as many bytes as were stored, or those of the first batch where they are more. What is
// beyond is cut, what is missing is a message of an offset and a length that no client takes for whole.
std::string fit_converted(Converted converted, std::size_t stored_bytes);

}  // namespace tandem::broker::record
