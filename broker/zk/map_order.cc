#include "broker/zk/map_order.h"

#include <algorithm>
#include <map>

namespace tandem::broker::zk {
namespace {

std::uint32_t hash_of(std::string_view text) { return static_cast<std::uint32_t>(java_string_hash(text)); }

// Both hash maps double when the next entry would fill three quarters of the table.
std::size_t grown(std::size_t capacity, std::size_t entries) {
  for (std::size_t count = 1; count <= entries; ++count) {
    if (count >= capacity * 3 / 4) capacity *= 2;
  }
  return capacity;
}

std::uint32_t trie_hash(std::string_view text) {
  std::uint32_t h = hash_of(text);
  h += ~(h << 9);
  h ^= h >> 14;
  h += h << 4;
  h ^= h >> 10;
  return h;
}

// A node of the trie iterates over its own entries first, by their five bits, then over its children.
void trie_order(const std::vector<std::string>& keys, unsigned shift, std::vector<std::string>& out) {
  std::map<std::uint32_t, std::vector<std::string>> slots;
  for (const auto& key : keys) slots[shift < 32 ? (trie_hash(key) >> shift) & 31 : 0].push_back(key);
  for (const auto& [slot, members] : slots) {
    if (members.size() == 1 || shift >= 32) out.insert(out.end(), members.begin(), members.end());
  }
  for (const auto& [slot, members] : slots) {
    if (members.size() > 1 && shift < 32) trie_order(members, shift + 5, out);
  }
}

// The next code point of UTF-8 text, as its UTF-16 units are hashed.
std::uint32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  if (more == 0 || at + static_cast<std::size_t>(more) > text.size()) return lead;
  std::uint32_t point = lead & (0x3fU >> more);
  for (int i = 0; i < more; ++i) point = point << 6 | (static_cast<unsigned char>(text[at++]) & 0x3f);
  return point;
}

}  // namespace

std::int32_t java_string_hash(std::string_view text) {
  std::uint32_t hash = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint32_t point = next_code_point(text, at);
    if (point >= 0x10000) {
      hash = 31 * hash + (0xd800 + ((point - 0x10000) >> 10));
      hash = 31 * hash + (0xdc00 + ((point - 0x10000) & 0x3ff));
    } else {
      hash = 31 * hash + point;
    }
  }
  return static_cast<std::int32_t>(hash);
}

std::vector<std::string> scala_mutable_order(std::vector<std::string> keys, std::size_t capacity) {
  const std::size_t mask = grown(capacity, keys.size()) - 1;
  const auto rank = [mask](const std::string& key) {
    const std::uint32_t hash = hash_of(key) ^ (hash_of(key) >> 16);
    return std::pair(hash & mask,
                     static_cast<std::int32_t>(hash));  // a bucket's list is sorted by signed hash
  };
  std::stable_sort(keys.begin(), keys.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return keys;
}

std::vector<std::string> scala_immutable_order(std::vector<std::string> keys) {
  if (keys.size() <= 4) return keys;
  std::vector<std::string> out;
  trie_order(keys, 0, out);
  return out;
}

std::vector<std::string> properties_order(std::vector<std::string> keys) {
  const std::size_t mask = grown(16, keys.size()) - 1;
  const auto bin = [mask](const std::string& key) { return (hash_of(key) ^ (hash_of(key) >> 16)) & mask; };
  std::stable_sort(keys.begin(), keys.end(), [&](const auto& a, const auto& b) { return bin(a) < bin(b); });
  return keys;
}

}  // namespace tandem::broker::zk
