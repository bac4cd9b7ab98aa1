// The order in which Kafka's JVM prints the keys of a JSON object. Its writers put their entries into hash
// maps, so that the bytes of a znode follow from the hashes of the keys; a tree written by us is byte for
// byte one written by Kafka. Three maps occur: Scala's mutable HashMap (topics, brokers), its immutable Map
// (partition state, listeners; insertion order up to four entries, then a trie) and Java's Properties
// (configs). Source: the maps' published algorithms, confirmed by trees that Kafka 3.9.1 wrote
// (tests/interop).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::broker::zk {

// Java's String.hashCode over UTF-16 units; bytes that are not UTF-8 count as one unit each.
std::int32_t java_string_hash(std::string_view text);

// The order of iteration of `keys` inserted in the order given. No key occurs twice.
// `capacity` is the table's size before the first insertion (a power of two).
std::vector<std::string> scala_mutable_order(std::vector<std::string> keys, std::size_t capacity = 16);
std::vector<std::string> scala_immutable_order(std::vector<std::string> keys);
std::vector<std::string> properties_order(std::vector<std::string> keys);

}  // namespace tandem::broker::zk
