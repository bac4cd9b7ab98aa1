#include "bytes/chain.h"

#include "base/check.h"

namespace tandem::bytes {

namespace {

constexpr std::size_t kCopyBytesMax = 512;  // below this a copy is cheaper than one more piece to gather

std::uint64_t piece_size(const Chain::Piece& piece) {
  if (const auto* range = std::get_if<FileRange>(&piece)) return range->size;
  if (const auto* slice = std::get_if<Slice>(&piece)) return slice->size();
  return std::get<std::string>(piece).size();
}

}  // namespace

std::string& Chain::tail() {
  if (pieces_.empty() || !std::holds_alternative<std::string>(pieces_.back()))
    pieces_.emplace_back(std::string());
  return std::get<std::string>(pieces_.back());
}

void Chain::append(std::string_view bytes) { tail().append(bytes); }

void Chain::append(Slice slice) {
  if (slice.size() <= kCopyBytesMax) {
    append(slice.view());
  } else {
    pieces_.emplace_back(std::move(slice));
  }
}

void Chain::append(FileRange range) {
  if (range.size > 0) pieces_.emplace_back(std::move(range));
}

void Chain::append(Chain&& other) {
  for (auto& piece : other.pieces_) pieces_.push_back(std::move(piece));
  other.pieces_.clear();
}

std::uint64_t Chain::size() const {
  std::uint64_t total = 0;
  for (const auto& piece : pieces_) total += piece_size(piece);
  return total;
}

std::string Chain::flatten() const {
  std::string out;
  for (const auto& piece : pieces_) {
    ENSURE(!std::holds_alternative<FileRange>(piece), "a file range has no bytes in memory");
    if (const auto* slice = std::get_if<Slice>(&piece)) {
      out.append(slice->view());
    } else {
      out.append(std::get<std::string>(piece));
    }
  }
  return out;
}

}  // namespace tandem::bytes
