// Chain: output as a list of pieces (bytes written here, slices of others' blocks, ranges of files),
// so that a reply with a large payload is sent without copying it: slices by gather, file ranges by sendfile.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "bytes/slice.h"

namespace tandem::bytes {

// Bytes of an open file. `keep` holds whatever keeps `fd` open.
struct FileRange {
  std::shared_ptr<const void> keep;
  int fd = -1;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

class Chain {
 public:
  using Piece = std::variant<std::string, Slice, FileRange>;

  // A string at the end of the chain to encode into; valid until the next append of a slice or range.
  std::string& tail();
  void append(std::string_view bytes);  // copies
  void append(Slice slice);             // links; small slices are copied
  void append(FileRange range);
  void append(Chain&& other);

  std::uint64_t size() const;  // bytes in all pieces
  bool empty() const { return size() == 0; }
  std::deque<Piece>& pieces() { return pieces_; }
  const std::deque<Piece>& pieces() const { return pieces_; }

  // All bytes in one string; file ranges are not allowed. For tests and small messages.
  std::string flatten() const;

 private:
  std::deque<Piece> pieces_;
};

}  // namespace tandem::bytes
