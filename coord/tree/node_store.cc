#include "coord/tree/node_store.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace tandem::coord::tree {

NodeStore::~NodeStore() {
  std::vector<NodeId> todo;
  if (has_root_) todo.push_back(kRoot);
  while (!todo.empty()) {  // only blocks outside the arena need it
    const NodeId id = todo.back();
    todo.pop_back();
    if ((head(id).flags & kExternal) != 0) std::free(payload(id));
    for (NodeId child = first_child(id); child != kNoNode; child = next_sibling(child)) todo.push_back(child);
  }
}

std::size_t NodeStore::fixed_size(std::uint32_t flags) {
  return sizeof(Head) + ((flags & kChanged) != 0 ? sizeof(Changed) : 0) +
         ((flags & kChildren) != 0 ? sizeof(Children) : 0) +
         ((flags & kOwner) != 0 ? sizeof(std::int64_t) : 0);
}

std::size_t NodeStore::block_size(std::uint32_t flags, std::size_t payload_size) {
  return fixed_size(flags) + ((flags & kExternal) != 0 ? sizeof(char*) : payload_size);
}

std::size_t NodeStore::block_size(const Head& head) {
  return block_size(head.flags, std::size_t{head.name_size} + head.data_size);
}

NodeStore::Children& NodeStore::children(NodeId id) {
  const std::size_t skip = sizeof(Head) + ((head(id).flags & kChanged) != 0 ? sizeof(Changed) : 0);
  return *static_cast<Children*>(static_cast<void*>(raw(id) + skip));
}

const char* NodeStore::payload(NodeId id) const {
  const std::uint32_t flags = head(id).flags;
  const char* at = raw(id) + fixed_size(flags);
  if ((flags & kExternal) == 0) return at;
  const char* outside = nullptr;
  std::memcpy(&outside, at, sizeof outside);
  return outside;
}

bool NodeStore::is_changed(const jute::StatPersisted& stat) {
  return stat.mzxid != stat.czxid || stat.pzxid != stat.czxid || stat.mtime != stat.ctime ||
         stat.version != 0 || stat.cversion != 0 || stat.aversion != 0;
}

NodeId NodeStore::new_id() {
  if (free_id_ != kNoNode) {
    const NodeId id = free_id_;
    free_id_ = blocks_[id];
    return id;
  }
  ENSURE(blocks_.size() < 0xfffffff0, "no node numbers left");
  blocks_.push_back(0);
  return blocks_.size() - 1;
}

void NodeStore::BlockTable::push_back(BlockRef block) {
  if ((size_ & kPieceMask) == 0) pieces_.push_back(std::make_unique<BlockRef[]>(kPieceMask + 1));
  (*this)[size_++] = block;
}

// Everything but the entry in the index.
NodeId NodeStore::make(const NewNode& node) {
  ENSURE(node.name.size() <= kNameBytesMax, "name of {} bytes", node.name.size());
  ENSURE(node.parent != kNoNode || !has_root_, "a second root");
  const std::string_view data = node.data.value_or(std::string_view());
  std::uint32_t flags = node.data ? 0U : kNullData;
  if (is_changed(node.stat)) flags |= kChanged;
  if (node.stat.ephemeral_owner != 0) flags |= kOwner;
  const std::size_t payload_size = node.name.size() + data.size();
  if (fixed_size(flags) + payload_size > kArenaBlockMax - 128) flags |= kExternal;

  const NodeId id = new_id();
  blocks_[id] = arena_.allocate(block_size(flags, payload_size));
  Head& h = head(id);
  std::memset(&h, 0, sizeof h);
  h.content_crc = node.content_crc;
  h.acl = node.acl;
  h.data_size = static_cast<std::uint32_t>(data.size());
  h.name_size = static_cast<std::uint32_t>(node.name.size());
  h.flags = flags;
  write_stat(id, node.stat);
  if ((flags & kExternal) != 0) {
    auto* outside = static_cast<char*>(std::malloc(payload_size));
    ENSURE(outside != nullptr, "no memory for a node of {} bytes", payload_size);
    std::memcpy(raw(id) + fixed_size(flags), &outside, sizeof outside);
  }
  char* at = payload(id);
  std::copy(node.name.begin(), node.name.end(), at);
  std::copy(data.begin(), data.end(), at + node.name.size());
  if (node.parent == kNoNode) {
    ENSURE(id == kRoot);
    has_root_ = true;
  } else {
    link(node.parent, id);
  }
  return id;
}

NodeId NodeStore::create(const NewNode& node) {
  const NodeId id = make(node);
  if (id != kRoot) index_.insert(name_hash(node.parent, node.name, hash_seed_), id);
  return id;
}

NodeId NodeStore::load(const NewNode& node) {
  const NodeId id = make(node);
  if (id == kRoot) return id;
  const Loading loaded{name_hash(node.parent, node.name, hash_seed_), id};
  index_.prefetch(loaded.hash);
  if (loading_.size() < kLoadingMax) {
    loading_.push_back(loaded);
    return id;
  }
  settle(std::exchange(loading_[loading_first_], loaded));
  loading_first_ = (loading_first_ + 1) % kLoadingMax;
  return id;
}

void NodeStore::settle(const Loading& loaded) {
  if (find_child(loaded.hash, parent(loaded.id), name(loaded.id)) != kNoNode) loaded_twice_ = true;
  index_.insert(loaded.hash, loaded.id);
}

void NodeStore::settle() {
  for (const Loading& loaded : loading_) settle(loaded);
  loading_.clear();
  loading_first_ = 0;
}

void NodeStore::remove(NodeId id) {
  ENSURE(id != kRoot && child_count(id) == 0, "node {} has children", id);
  index_.erase(name_hash(parent(id), name(id), hash_seed_), id);
  unlink(id);
  if ((head(id).flags & kExternal) != 0) std::free(payload(id));
  arena_.release(blocks_[id], block_size(head(id)));
  blocks_[id] = free_id_;
  free_id_ = id;
}

NodeId NodeStore::find_child(NodeId parent, std::string_view name) const {
  return find_child(name_hash(parent, name, hash_seed_), parent, name);
}

NodeId NodeStore::find_child(std::uint32_t hash, NodeId parent, std::string_view name) const {
  return index_.find(hash, [&](NodeId id) {
    const Head& h = head(id);
    return h.parent == parent && h.name_size == name.size() &&
           std::memcmp(payload(id), name.data(), name.size()) == 0;
  });
}

NodeId NodeStore::find(std::string_view path) const {
  if (path.empty() || path == "/") return kRoot;
  if (path[0] != '/') return kNoNode;
  NodeId id = kRoot;
  std::size_t start = 1;
  while (true) {
    const char* from = path.data() + start;
    const void* slash = std::memchr(from, '/', path.size() - start);
    const std::size_t size = slash == nullptr
                                 ? path.size() - start
                                 : static_cast<std::size_t>(static_cast<const char*>(slash) - from);
    if (size == 0) return kNoNode;
    id = find_child(id, {from, size});
    if (id == kNoNode || slash == nullptr) return id;
    start += size + 1;
    if (start == path.size()) return kNoNode;
  }
}

std::string_view NodeStore::name(NodeId id) const { return {payload(id), head(id).name_size}; }

jute::BufferView NodeStore::data(NodeId id) const {
  const Head& h = head(id);
  if ((h.flags & kNullData) != 0) return std::nullopt;
  return std::string_view(payload(id) + h.name_size, h.data_size);
}

jute::StatPersisted NodeStore::stat(NodeId id) const {
  const Head& h = head(id);
  jute::StatPersisted stat;
  stat.czxid = stat.mzxid = stat.pzxid = jute::Zxid(h.czxid);
  stat.ctime = stat.mtime = h.ctime;
  if ((h.flags & kChanged) != 0) {
    Changed changed;
    std::memcpy(&changed, raw(id) + sizeof(Head), sizeof changed);
    stat.mzxid = jute::Zxid(changed.mzxid);
    stat.mtime = changed.mtime;
    stat.pzxid = jute::Zxid(changed.pzxid);
    stat.version = changed.version;
    stat.cversion = changed.cversion;
    stat.aversion = changed.aversion;
  }
  if ((h.flags & kOwner) != 0)
    std::memcpy(&stat.ephemeral_owner, raw(id) + fixed_size(h.flags) - sizeof(std::int64_t),
                sizeof(std::int64_t));
  return stat;
}

std::uint32_t NodeStore::child_count(NodeId id) const {
  return (head(id).flags & kChildren) == 0 ? 0 : const_cast<NodeStore*>(this)->children(id).count;
}

NodeId NodeStore::first_child(NodeId id) const {
  return (head(id).flags & kChildren) == 0 ? kNoNode : const_cast<NodeStore*>(this)->children(id).first;
}

// Gives the node a block with these parts and room for this much data; data that no longer fits is cut off.
void NodeStore::reshape(NodeId id, std::uint32_t flags, std::size_t data_size) {
  const Head old = head(id);
  const std::size_t payload_size = std::size_t{old.name_size} + data_size;
  flags &= ~std::uint32_t{kExternal};
  if (fixed_size(flags) + payload_size > kArenaBlockMax - 128) flags |= kExternal;
  const jute::StatPersisted kept = stat(id);
  const Children kept_children{first_child(id), child_count(id)};
  const BlockRef old_block = blocks_[id];
  const char* old_payload = payload(id);

  const BlockRef block = arena_.allocate(block_size(flags, payload_size));
  blocks_[id] = block;
  Head& h = head(id);
  h = old;
  h.flags = flags;
  h.data_size = static_cast<std::uint32_t>(data_size);
  write_stat(id, kept);
  if ((flags & kChildren) != 0) children(id) = kept_children;
  if ((flags & kExternal) != 0) {
    auto* outside = static_cast<char*>(std::malloc(payload_size));
    ENSURE(outside != nullptr, "no memory for a node of {} bytes", payload_size);
    std::memcpy(raw(id) + fixed_size(flags), &outside, sizeof outside);
  }
  std::memcpy(payload(id), old_payload, old.name_size + std::min<std::size_t>(old.data_size, data_size));
  if ((old.flags & kExternal) != 0) std::free(const_cast<char*>(old_payload));
  arena_.release(old_block, block_size(old));
}

// Into the parts that the flags say are there.
void NodeStore::write_stat(NodeId id, const jute::StatPersisted& stat) {
  Head& h = head(id);
  h.czxid = stat.czxid.value;
  h.ctime = stat.ctime;
  if ((h.flags & kChanged) != 0) {
    const Changed changed{stat.mzxid.value, stat.mtime,    stat.pzxid.value,
                          stat.version,     stat.cversion, stat.aversion};
    std::memcpy(raw(id) + sizeof(Head), &changed, sizeof changed);
  }
  if ((h.flags & kOwner) != 0)
    std::memcpy(raw(id) + fixed_size(h.flags) - sizeof(std::int64_t), &stat.ephemeral_owner,
                sizeof(std::int64_t));
}

void NodeStore::set_stat(NodeId id, const jute::StatPersisted& stat) {
  const std::uint32_t flags = head(id).flags;
  std::uint32_t wanted = flags;
  if (is_changed(stat)) wanted |= kChanged;
  if (stat.ephemeral_owner != 0) wanted |= kOwner;
  if (wanted != flags) reshape(id, wanted, head(id).data_size);
  write_stat(id, stat);
}

void NodeStore::set_data(NodeId id, jute::BufferView data, std::uint32_t content_crc) {
  const std::string_view bytes = data.value_or(std::string_view());
  const Head& before = head(id);
  const std::uint32_t flags = data ? before.flags & ~std::uint32_t{kNullData} : before.flags | kNullData;
  const bool external = (before.flags & kExternal) != 0;
  const std::size_t size = block_size(flags, std::size_t{before.name_size} + bytes.size());
  const bool fits = !external && size <= kArenaBlockMax - 128 && Arena::same_class(size, block_size(before));
  if (fits || (external && before.data_size == bytes.size())) {
    head(id).flags = flags;
    head(id).data_size = static_cast<std::uint32_t>(bytes.size());
  } else {
    reshape(id, flags, bytes.size());
  }
  head(id).content_crc = content_crc;
  if (!bytes.empty()) std::memmove(payload(id) + head(id).name_size, bytes.data(), bytes.size());
}

void NodeStore::link(NodeId parent, NodeId id) {
  if ((head(parent).flags & kChildren) == 0) {
    reshape(parent, head(parent).flags | kChildren, head(parent).data_size);
    children(parent) = Children{kNoNode, 0};
  }
  Children& list = children(parent);
  Head& h = head(id);
  h.parent = parent;
  h.prev = kNoNode;
  h.next = list.first;
  if (list.first != kNoNode) head(list.first).prev = id;
  list.first = id;
  ++list.count;
}

void NodeStore::unlink(NodeId id) {
  const Head& h = head(id);
  Children& list = children(h.parent);
  if (h.prev != kNoNode) {
    head(h.prev).next = h.next;
  } else {
    list.first = h.next;
  }
  if (h.next != kNoNode) head(h.next).prev = h.prev;
  --list.count;
}

void NodeStore::append_path(NodeId id, std::string& out) const {
  std::size_t size = 0;
  for (NodeId at = id; at != kRoot; at = parent(at)) size += name(at).size() + 1;
  std::size_t end = out.size() + size;
  out.resize(end);
  for (NodeId at = id; at != kRoot; at = parent(at)) {
    const std::string_view part = name(at);
    end -= part.size();
    std::copy(part.begin(), part.end(), out.begin() + static_cast<std::ptrdiff_t>(end));
    out[--end] = '/';
  }
}

}  // namespace tandem::coord::tree
