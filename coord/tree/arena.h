// Memory for packed nodes: blocks of any size up to kArenaBlockMax, addressed by 32-bit numbers instead of
// pointers, cut from 1 MiB chunks in size classes. A freed block serves its class again; chunks are never
// given back. 32 GiB at most (units of 8 bytes). Owned by NodeStore; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/check.h"

namespace tandem::coord::tree {

using BlockRef = std::uint32_t;  // 0 = none
inline constexpr std::size_t kArenaBlockMax = 16384;

class Arena {
 public:
  BlockRef allocate(std::size_t size);
  void release(BlockRef block, std::size_t size);  // with the size it was asked for

  char* at(BlockRef block) {
    return chunks_[block >> kUnitBits].get() + std::size_t{block & kUnitMask} * kUnit;
  }
  const char* at(BlockRef block) const {
    return chunks_[block >> kUnitBits].get() + std::size_t{block & kUnitMask} * kUnit;
  }

  // Whether a block of the one size can hold the other without waste or want.
  static bool same_class(std::size_t a, std::size_t b) { return class_of(a) == class_of(b); }

  std::size_t reserved_bytes() const { return chunks_.size() * kChunk; }

 private:
  static constexpr std::size_t kUnit = 8;
  static constexpr unsigned kUnitBits = 17;
  static constexpr std::uint32_t kUnitMask = (1U << kUnitBits) - 1;
  static constexpr std::size_t kChunk = kUnit << kUnitBits;

  // Steps of 8 bytes up to 512, of 64 up to 4096, of 512 up to kArenaBlockMax.
  static constexpr std::size_t kClasses = 64 + 56 + 24;
  static std::size_t class_of(std::size_t size);
  static std::size_t class_size(std::size_t index);

  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t used_ = kChunk;  // of the last chunk
  std::array<BlockRef, kClasses> free_{};
};

}  // namespace tandem::coord::tree
