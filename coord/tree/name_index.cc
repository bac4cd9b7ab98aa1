#include "coord/tree/name_index.h"

#include <cstring>

#include "base/check.h"

namespace tandem::coord::tree {

namespace {

constexpr std::size_t kFirstCapacity = 64;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

std::uint32_t name_hash(NodeId parent, std::string_view name, std::uint64_t seed) {
  constexpr std::uint64_t k1 = 0x9e3779b97f4a7c15;
  constexpr std::uint64_t k2 = 0xe7037ed1a0b428db;
  std::uint64_t h = seed ^ (std::uint64_t{parent} << 32 | static_cast<std::uint32_t>(name.size()));
  const char* at = name.data();
  std::size_t left = name.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    h = mix(h ^ k1, word ^ k2);
  }
  std::uint64_t word = 0;
  std::memcpy(&word, at, left);
  h = mix(h ^ k1, word ^ k2);
  return static_cast<std::uint32_t>(h ^ (h >> 32));
}

NameIndex::NameIndex() : now_(make_table(kFirstCapacity)) {}

NameIndex::Table NameIndex::make_table(std::size_t capacity) {
  // calloc: fresh pages arrive zeroed and one by one, so a large table costs nothing until it is used.
  auto* slots = static_cast<Slot*>(std::calloc(capacity, sizeof(Slot)));
  ENSURE(slots != nullptr, "no memory for {} slots", capacity);
  Table table;
  table.slots.reset(slots);
  table.mask = capacity - 1;
  return table;
}

void NameIndex::place(Table& table, Slot slot) {
  std::size_t at = slot.hash & table.mask;
  while (table.slots[at].id != kNoNode) at = (at + 1) & table.mask;
  table.slots[at] = slot;
}

// In the table in use the chain is closed by moving later entries up; in the one being emptied a mark stays.
bool NameIndex::take_out(Table& table, std::uint32_t hash, NodeId id, bool keep_chain) {
  std::size_t at = hash & table.mask;
  while (table.slots[at].id != id) {
    if (table.slots[at].id == kNoNode) return false;
    at = (at + 1) & table.mask;
  }
  if (keep_chain) {
    table.slots[at].id = kGone;
    return true;
  }
  for (std::size_t next = (at + 1) & table.mask; table.slots[next].id != kNoNode;
       next = (next + 1) & table.mask) {
    const std::size_t home = table.slots[next].hash & table.mask;
    if (((next - home) & table.mask) >= ((next - at) & table.mask)) {
      table.slots[at] = table.slots[next];
      at = next;
    }
  }
  table.slots[at].id = kNoNode;
  return true;
}

void NameIndex::move_some(std::size_t count) {
  for (; count > 0 && moved_ <= old_.mask; --count, ++moved_) {
    Slot& slot = old_.slots[moved_];
    if (slot.id == kNoNode || slot.id == kGone) continue;
    place(now_, slot);
    slot.id = kGone;
  }
  if (moved_ > old_.mask) old_ = Table();
}

void NameIndex::insert(std::uint32_t hash, NodeId id) {
  if (old_.slots != nullptr) move_some(kMovedPerInsert);
  if ((size_ + 1) * 5 > capacity() * 4) {
    ENSURE(old_.slots == nullptr, "index of {} entries grew twice at once", size_);
    old_ = std::move(now_);
    moved_ = 0;
    now_ = make_table((old_.mask + 1) * 2);
    move_some(kMovedPerInsert);
  }
  place(now_, Slot{hash, id});
  ++size_;
}

void NameIndex::reserve(std::size_t count) {
  std::size_t wanted = capacity();
  while (count * 5 > wanted * 4) wanted *= 2;
  if (wanted == capacity()) return;
  while (old_.slots != nullptr) move_some(kMovedPerInsert);
  old_ = std::move(now_);
  moved_ = 0;
  now_ = make_table(wanted);
  move_some(old_.mask + 1);
}

void NameIndex::erase(std::uint32_t hash, NodeId id) {
  const bool found =
      take_out(now_, hash, id, false) || (old_.slots != nullptr && take_out(old_, hash, id, true));
  ENSURE(found, "node {} is not in the index", id);
  --size_;
}

}  // namespace tandem::coord::tree
