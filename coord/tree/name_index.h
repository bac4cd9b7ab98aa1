// Finds a child by (parent, name): open addressing over {hash, node number}, 8 bytes a slot, at most 80 %
// full. It grows without a pause: the table of double size is filled a few slots with each insertion, so that
// no request waits for a rehash of millions. Owned by NodeStore, which compares names; one thread.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "coord/tree/ids.h"

namespace tandem::coord::tree {

std::uint32_t name_hash(NodeId parent, std::string_view name, std::uint64_t seed);

class NameIndex {
 public:
  NameIndex();

  // The node with this hash for which matches(id) holds, or kNoNode.
  template <class Matches>
  NodeId find(std::uint32_t hash, Matches&& matches) const {
    const NodeId id = probe(now_, hash, matches);
    if (id != kNoNode || old_.slots == nullptr) return id;
    return probe(old_, hash, matches);
  }
  void insert(std::uint32_t hash, NodeId id);
  // Brings the place where this hash will be looked for into the cache.
  void prefetch(std::uint32_t hash) const { __builtin_prefetch(&now_.slots[hash & now_.mask]); }
  // Room for so many without growing; only while it is empty or nearly so.
  void reserve(std::size_t count);
  void erase(std::uint32_t hash, NodeId id);
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return now_.mask + 1; }

 private:
  struct Slot {
    std::uint32_t hash;
    NodeId id;  // kNoNode: never used; kGone: go on looking
  };
  struct Free {
    void operator()(Slot* slots) const { std::free(slots); }
  };
  struct Table {
    std::unique_ptr<Slot[], Free> slots;
    std::size_t mask = 0;
  };
  static constexpr NodeId kGone = 0xffffffff;
  static constexpr std::size_t kMovedPerInsert = 16;

  template <class Matches>
  static NodeId probe(const Table& table, std::uint32_t hash, Matches& matches) {
    for (std::size_t at = hash & table.mask;; at = (at + 1) & table.mask) {
      const Slot& slot = table.slots[at];
      if (slot.id == kNoNode) return kNoNode;
      if (slot.hash == hash && slot.id != kGone && matches(slot.id)) return slot.id;
    }
  }
  static Table make_table(std::size_t capacity);
  static void place(Table& table, Slot slot);
  static bool take_out(Table& table, std::uint32_t hash, NodeId id, bool keep_chain);
  void move_some(std::size_t count);

  Table now_;
  Table old_;  // being emptied while it exists
  std::size_t moved_ = 0;
  std::size_t size_ = 0;
};

}  // namespace tandem::coord::tree
