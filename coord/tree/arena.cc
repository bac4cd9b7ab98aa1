#include "coord/tree/arena.h"

#include <cstring>

namespace tandem::coord::tree {

std::size_t Arena::class_of(std::size_t size) {
  if (size <= 512) return size == 0 ? 0 : (size - 1) / 8;
  if (size <= 4096) return 64 + (size - 512 - 1) / 64;
  return 120 + (size - 4096 - 1) / 512;
}

std::size_t Arena::class_size(std::size_t index) {
  if (index < 64) return (index + 1) * 8;
  if (index < 120) return 512 + (index - 64 + 1) * 64;
  return 4096 + (index - 120 + 1) * 512;
}

BlockRef Arena::allocate(std::size_t size) {
  ENSURE(size <= kArenaBlockMax, "block of {} bytes", size);
  const std::size_t index = class_of(size);
  if (const BlockRef block = free_[index]; block != 0) {
    std::memcpy(&free_[index], at(block), sizeof(BlockRef));
    return block;
  }
  const std::size_t bytes = class_size(index);
  if (kChunk - used_ < bytes) {
    ENSURE(chunks_.size() < (std::size_t{1} << (32 - kUnitBits)), "the node arena is full");
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunk));
    used_ = chunks_.size() == 1 ? kUnit : 0;  // block 0 is "none"
  }
  const auto block = static_cast<BlockRef>(((chunks_.size() - 1) << kUnitBits) + used_ / kUnit);
  used_ += bytes;
  return block;
}

void Arena::release(BlockRef block, std::size_t size) {
  const std::size_t index = class_of(size);
  std::memcpy(at(block), &free_[index], sizeof(BlockRef));
  free_[index] = block;
}

}  // namespace tandem::coord::tree
