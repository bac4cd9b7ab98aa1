#include "coord/auth/id_set.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace tandem::coord::auth {

namespace {

constexpr std::uint32_t kBuckets = 16;

std::uint32_t java_hash(std::string_view text) {
  std::uint32_t hash = 0;
  for (const char c : text) hash = 31 * hash + static_cast<unsigned char>(c);
  return hash;
}

// Of the record Id as Apache's compiler writes hashCode(), spread as ConcurrentHashMap does.
std::uint32_t bucket(const jute::Id& id) {
  std::uint32_t hash = 17;
  hash = 37 * hash + java_hash(id.scheme);
  hash = 37 * hash + java_hash(id.id);
  return (hash ^ (hash >> 16)) % kBuckets;
}

}  // namespace

bool add_id(std::vector<jute::Id>& ids, jute::Id id) {
  if (std::find(ids.begin(), ids.end(), id) != ids.end()) return false;
  const auto behind = std::upper_bound(
      ids.begin(), ids.end(), id, [](const jute::Id& a, const jute::Id& b) { return bucket(a) < bucket(b); });
  ids.insert(behind, std::move(id));
  return true;
}

}  // namespace tandem::coord::auth
