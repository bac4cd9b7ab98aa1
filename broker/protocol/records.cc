#include "broker/protocol/records.h"

#include "base/check.h"

namespace tandem::broker::protocol {

namespace {

bool same(const bytes::FileRange& left, const bytes::FileRange& right) {
  return left.fd == right.fd && left.offset == right.offset && left.size == right.size;
}

bool same(const Records::Piece& left, const Records::Piece& right) {
  if (left.index() != right.index()) return false;
  if (const auto* slice = std::get_if<bytes::Slice>(&left)) return *slice == std::get<bytes::Slice>(right);
  return same(std::get<bytes::FileRange>(left), std::get<bytes::FileRange>(right));
}

std::uint64_t size_of(const Records::Piece& piece) {
  if (const auto* slice = std::get_if<bytes::Slice>(&piece)) return slice->size();
  return std::get<bytes::FileRange>(piece).size;
}

}  // namespace

std::uint64_t Records::size() const {
  if (const auto* slice = std::get_if<bytes::Slice>(&content_)) return slice->size();
  if (const auto* range = std::get_if<bytes::FileRange>(&content_)) return range->size;
  std::uint64_t total = 0;
  if (const auto* pieces = std::get_if<Pieces>(&content_))
    for (const Piece& piece : *pieces) total += size_of(piece);
  return total;
}

bytes::Slice Records::slice() const {
  if (is_null()) return {};
  const auto* slice = std::get_if<bytes::Slice>(&content_);
  ENSURE(slice != nullptr, "only received records are one slice");
  return *slice;
}

bool Records::operator==(const Records& other) const {
  if (content_.index() != other.content_.index()) return false;
  if (is_null()) return true;
  if (const auto* slice = std::get_if<bytes::Slice>(&content_))
    return *slice == std::get<bytes::Slice>(other.content_);
  if (const auto* range = std::get_if<bytes::FileRange>(&content_))
    return same(*range, std::get<bytes::FileRange>(other.content_));
  const Pieces& left = std::get<Pieces>(content_);
  const Pieces& right = std::get<Pieces>(other.content_);
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i)
    if (!same(left[i], right[i])) return false;
  return true;
}

}  // namespace tandem::broker::protocol
