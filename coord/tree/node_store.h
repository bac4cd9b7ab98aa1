// All znodes, packed: 44 bytes + name + data for a node that never changed, more only for what it has
// (docs/decisions: tree memory layout). A node is a 32-bit number; it knows its parent's number and its own
// name, so that a path costs its last component only. Children form a doubly linked list in no promised
// order. Owned by DataTree, which keeps everything else in step; one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coord/tree/arena.h"
#include "coord/tree/ids.h"
#include "coord/tree/name_index.h"
#include "jute/data.h"
#include "jute/fields.h"

namespace tandem::coord::tree {

inline constexpr std::size_t kNameBytesMax = (1U << 24) - 1;

class NodeStore {
 public:
  struct NewNode {
    NodeId parent = kNoNode;
    std::string_view name;
    jute::BufferView data;
    AclId acl = kOpenAcl;
    std::uint32_t content_crc = 0;
    jute::StatPersisted stat;
  };

  explicit NodeStore(std::uint64_t hash_seed) : hash_seed_(hash_seed) { blocks_.push_back(0); }
  ~NodeStore();
  NodeStore(const NodeStore&) = delete;
  NodeStore& operator=(const NodeStore&) = delete;

  NodeId create(const NewNode& node);  // parent kNoNode: the root, which must come first and gets kRoot
  // The same while a snapshot is loaded: the name comes into the index a few nodes later, when its place has
  // had time to come into the cache. settle() brings in what is left, before anything is looked up.
  NodeId load(const NewNode& node);
  void settle();
  bool loaded_twice() const { return loaded_twice_; }  // two children of one node with the same name
  void expect(std::size_t nodes) { index_.reserve(std::min(nodes, kExpectedMax)); }

  void remove(NodeId id);  // a node without children
  NodeId find_child(NodeId parent, std::string_view name) const;
  NodeId find(std::string_view path) const;  // "" and "/" are the root

  std::string_view name(NodeId id) const;
  jute::BufferView data(NodeId id) const;
  std::uint32_t data_size(NodeId id) const { return head(id).data_size; }
  NodeId parent(NodeId id) const { return head(id).parent; }
  AclId acl(NodeId id) const { return head(id).acl; }
  std::uint32_t content_crc(NodeId id) const { return head(id).content_crc; }
  jute::StatPersisted stat(NodeId id) const;
  std::uint32_t child_count(NodeId id) const;
  NodeId first_child(NodeId id) const;
  NodeId next_sibling(NodeId id) const { return head(id).next; }

  void set_acl(NodeId id, AclId acl) { head(id).acl = acl; }
  void set_stat(NodeId id, const jute::StatPersisted& stat);
  void set_data(NodeId id, jute::BufferView data, std::uint32_t content_crc);

  std::size_t size() const { return index_.size() + loading_.size() + (has_root_ ? 1 : 0); }
  void append_path(NodeId id, std::string& out) const;  // appends nothing for the root

 private:
  // The packed node: Head, then what the flags say, in this order, then name and data (or a pointer to them).
  struct __attribute__((packed)) Head {
    NodeId parent;
    NodeId next;  // sibling
    NodeId prev;
    std::uint32_t content_crc;  // CRC-32 of path and data: the constant start of the node's digest
    AclId acl;
    std::uint32_t data_size;
    std::uint32_t name_size : 24;
    std::uint32_t flags : 8;
    std::int64_t czxid;
    std::int64_t ctime;
  };
  struct __attribute__((packed)) Changed {  // once mzxid, pzxid, mtime or a version differ from creation
    std::int64_t mzxid;
    std::int64_t mtime;
    std::int64_t pzxid;
    std::int32_t version;
    std::int32_t cversion;
    std::int32_t aversion;
  };
  struct __attribute__((packed)) Children {
    NodeId first;
    std::uint32_t count;
  };
  enum Flag : std::uint32_t {
    kChanged = 1,
    kChildren = 2,
    kOwner = 4,
    kNullData = 8,
    kExternal = 16,  // name and data in a block of their own: too large for the arena
  };

  char* raw(NodeId id) { return arena_.at(blocks_[id]); }
  const char* raw(NodeId id) const { return arena_.at(blocks_[id]); }
  // The bytes at raw() were written as a Head; it is packed, so any alignment will do.
  Head& head(NodeId id) { return *static_cast<Head*>(static_cast<void*>(raw(id))); }
  const Head& head(NodeId id) const { return *static_cast<const Head*>(static_cast<const void*>(raw(id))); }
  Children& children(NodeId id);
  const char* payload(NodeId id) const;
  char* payload(NodeId id) { return const_cast<char*>(static_cast<const NodeStore*>(this)->payload(id)); }

  static std::size_t fixed_size(std::uint32_t flags);
  static std::size_t block_size(std::uint32_t flags, std::size_t payload_size);
  static std::size_t block_size(const Head& head);
  static bool is_changed(const jute::StatPersisted& stat);

  struct Loading {
    std::uint32_t hash;
    NodeId id;
  };
  static constexpr std::size_t kLoadingMax = 16;
  static constexpr std::size_t kExpectedMax = 32U
                                              << 20;  // an estimate may be wrong: 256 MiB of index at most

  NodeId new_id();
  NodeId make(const NewNode& node);
  void settle(const Loading& loaded);
  NodeId find_child(std::uint32_t hash, NodeId parent, std::string_view name) const;
  void reshape(NodeId id, std::uint32_t flags, std::size_t data_size);
  void write_stat(NodeId id, const jute::StatPersisted& stat);
  void link(NodeId parent, NodeId id);
  void unlink(NodeId id);

  std::uint64_t hash_seed_;
  Arena arena_;
  NameIndex index_;
  // The block of every node; a free number holds the next free one. In pieces: it never moves as it grows.
  class BlockTable {
   public:
    BlockRef& operator[](NodeId id) { return pieces_[id >> kPieceBits][id & kPieceMask]; }
    const BlockRef& operator[](NodeId id) const { return pieces_[id >> kPieceBits][id & kPieceMask]; }
    NodeId size() const { return size_; }
    void push_back(BlockRef block);

   private:
    static constexpr unsigned kPieceBits = 12;
    static constexpr NodeId kPieceMask = (1U << kPieceBits) - 1;
    std::vector<std::unique_ptr<BlockRef[]>> pieces_;
    NodeId size_ = 0;
  };

  BlockTable blocks_;
  NodeId free_id_ = kNoNode;
  bool has_root_ = false;
  std::vector<Loading> loading_;   // a ring once it is full
  std::size_t loading_first_ = 0;  // the oldest
  bool loaded_twice_ = false;
};

}  // namespace tandem::coord::tree
