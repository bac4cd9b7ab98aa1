#include "net/output.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>

namespace tandem::net {

namespace {

constexpr std::size_t kGather = 64;

std::size_t piece_size(const bytes::Chain::Piece& piece) {
  if (const auto* text = std::get_if<std::string>(&piece)) return text->size();
  if (const auto* slice = std::get_if<bytes::Slice>(&piece)) return slice->size();
  return std::get<bytes::FileRange>(piece).size;
}

std::string_view piece_view(const bytes::Chain::Piece& piece) {
  if (const auto* text = std::get_if<std::string>(&piece)) return *text;
  return std::get<bytes::Slice>(piece).view();
}

}  // namespace

long send_chain(int fd, std::string_view first, const bytes::Chain& chain) {
  std::array<iovec, kGather> vectors{};
  std::size_t count = 0;
  bool more = false;  // something follows that this call does not carry
  const auto add = [&](std::string_view bytes) {
    if (!bytes.empty()) vectors[count++] = {const_cast<char*>(bytes.data()), bytes.size()};  // only read
  };
  add(first);
  for (const auto& piece : chain.pieces()) {
    if (piece_size(piece) == 0) continue;
    if (const auto* range = std::get_if<bytes::FileRange>(&piece)) {
      if (count == 0) {
        auto offset = static_cast<off_t>(range->offset);
        return ::sendfile(fd, range->fd, &offset, range->size);
      }
      more = true;
      break;
    }
    if (count == kGather) {
      more = true;
      break;
    }
    add(piece_view(piece));
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  return ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0));
}

void drop_front(bytes::Chain& chain, std::size_t count) {
  auto& pieces = chain.pieces();
  while (!pieces.empty()) {
    auto& piece = pieces.front();
    const std::size_t size = piece_size(piece);
    if (count < size) break;
    count -= size;
    pieces.pop_front();
  }
  if (count == 0) return;
  auto& piece = pieces.front();
  if (auto* text = std::get_if<std::string>(&piece)) {
    bytes::Slice rest = bytes::Slice::own(std::move(*text));  // linked, so that later drops are free
    const std::size_t left = rest.size() - count;
    piece = rest.sub(count, left);
  } else if (auto* slice = std::get_if<bytes::Slice>(&piece)) {
    *slice = slice->sub(count, slice->size() - count);
  } else {
    auto& range = std::get<bytes::FileRange>(piece);
    range.offset += count;
    range.size -= count;
  }
}

}  // namespace tandem::net
