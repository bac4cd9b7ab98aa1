// The two kinds of opaque bytes in messages.
// Bytes are small and copied out of the frame (group metadata, tokens). Records are record batches and never
// copied: received, they are a slice of the frame; sent, a slice, a range of a log file, or several of these.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bytes/chain.h"
#include "bytes/slice.h"

namespace tandem::broker::protocol {

struct Bytes {
  std::string data;

  bool operator==(const Bytes&) const = default;
};

class Records {
 public:
  struct Null {};
  using Piece = std::variant<bytes::Slice, bytes::FileRange>;
  using Pieces = std::vector<Piece>;
  using Content = std::variant<bytes::Slice, bytes::FileRange, Pieces, Null>;

  Records() = default;  // present and empty: a Fetch response without data must not say null
  explicit Records(bytes::Slice slice) : content_(std::move(slice)) {}
  explicit Records(bytes::FileRange range) : content_(std::move(range)) {}
  explicit Records(Pieces pieces) : content_(std::move(pieces)) {}
  static Records null() {
    Records records;
    records.content_ = Null{};
    return records;
  }

  bool is_null() const { return std::holds_alternative<Null>(content_); }
  std::uint64_t size() const;
  const Content& content() const { return content_; }

  // The bytes of received records; those of file ranges are not in memory and must not be asked for.
  bytes::Slice slice() const;

  // Equal bytes; file ranges are equal when they name the same range of the same descriptor.
  bool operator==(const Records& other) const;

 private:
  Content content_;
};

}  // namespace tandem::broker::protocol
