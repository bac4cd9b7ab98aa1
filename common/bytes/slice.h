// Slice: a view of bytes that keeps their block alive (a received frame, a file image). Copying a Slice
// copies no bytes. Blocks are immutable once shared.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace tandem::bytes {

class Slice {
 public:
  Slice() = default;

  // Takes the bytes of a string.
  static Slice own(std::string bytes) {
    auto block = std::make_shared<const std::string>(std::move(bytes));
    const std::string_view view = *block;
    return Slice(std::move(block), view);
  }

  // `view` must stay valid and unchanged while `owner` lives.
  Slice(std::shared_ptr<const void> owner, std::string_view view) : owner_(std::move(owner)), view_(view) {}

  std::string_view view() const { return view_; }
  const char* data() const { return view_.data(); }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }

  // The part [offset, offset + count); must lie inside.
  Slice sub(std::size_t offset, std::size_t count) const {
    ENSURE(offset <= size() && count <= size() - offset, "slice of {} bytes, asked {}+{}", size(), offset,
           count);
    return Slice(owner_, view_.substr(offset, count));
  }

  const std::shared_ptr<const void>& owner() const { return owner_; }

  bool operator==(const Slice& other) const { return view_ == other.view_; }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace tandem::bytes
