#include "coord/tree/data_tree.h"

#include <algorithm>
#include <cstring>

#include "base/checksum.h"
#include "bytes/writer.h"
#include "coord/tree/path.h"
#include "coord/tree/snapshot_view.h"

namespace tandem::coord::tree {

using base::Errc;
using jute::BufferView;

struct DataTree::Load {
  boost::unordered_flat_map<std::int64_t, AclId> acls;
  std::optional<AclId> unknown_acl;

  // The node before and those above it, of which one is the next one's parent where a tree is written depth
  // first, as all servers do.
  struct Level {
    std::size_t path_size;
    NodeId id;
  };
  std::string path;
  std::vector<Level> levels;

  NodeId known(std::string_view wanted) const {
    for (std::size_t i = levels.size(); i-- > 0 && levels[i].path_size >= wanted.size();) {
      if (levels[i].path_size == wanted.size() && path.compare(0, wanted.size(), wanted) == 0)
        return levels[i].id;
    }
    return kNoNode;
  }
  void remember(std::string_view node_path, std::size_t parent_size, NodeId parent, NodeId id) {
    while (!levels.empty() && levels.back().path_size > parent_size) levels.pop_back();
    if (levels.empty() || levels.back().id != parent) levels.assign(1, {parent_size, parent});
    levels.push_back({node_path.size(), id});
    path = node_path;
  }
};

namespace {

base::Error twice() { return base::make_error(Errc::corrupt, "snapshot has a node twice"); }

}  // namespace

DataTree::DataTree(const TreeOptions& options) : options_(options), owners_(options.extended_types) {
  reset();
  const jute::StatPersisted fresh;
  add_node("", kNoNode, "", "", kOpenAcl, fresh);
  const NodeId zookeeper = add_node(kZookeeperPath, kRoot, "zookeeper", "", kOpenAcl, fresh);
  add_node(kQuotaPath, zookeeper, "quota", "", kOpenAcl, fresh);
  jute::StatPersisted config;
  config.aversion = -1;
  const AclId read_only = acls_.intern({jute::ACL{jute::perm::kRead, {"world", "anyone"}}});
  add_node(kConfigPath, zookeeper, "config", "", read_only, config);
}

DataTree::~DataTree() = default;

void DataTree::reset() {
  ENSURE(views_.empty(), "the tree is being read for a snapshot");
  nodes_ = std::make_unique<NodeStore>(options_.hash_seed);
  acls_ = AclTable();
  owners_ = Owners(options_.extended_types);
  quotas_.clear();
  digest_ = 0;
  data_size_ = 1;  // the root's second name, "/"
  last_zxid_ = {};
}

std::uint32_t DataTree::content_crc_of(std::string_view path, BufferView data) {
  const std::uint32_t crc = base::crc32(path == "/" ? std::string_view() : path);
  return data ? base::crc32(*data, crc) : crc;
}

std::uint64_t DataTree::node_digest(std::string_view path, std::uint32_t content_crc,
                                    const jute::StatPersisted& stat) {
  if (path.starts_with(kZookeeperSubtree)) return 0;
  struct __attribute__((packed)) {
    std::uint64_t czxid, mzxid, pzxid, ctime, mtime;
    std::uint32_t version, cversion, aversion;
    std::uint64_t owner;
  } raw;
  static_assert(sizeof raw == 60);
  const auto u64 = [](std::int64_t v) { return __builtin_bswap64(static_cast<std::uint64_t>(v)); };
  const auto u32 = [](std::int32_t v) { return __builtin_bswap32(static_cast<std::uint32_t>(v)); };
  raw.czxid = u64(stat.czxid.value);
  raw.mzxid = u64(stat.mzxid.value);
  raw.pzxid = u64(stat.pzxid.value);
  raw.ctime = u64(stat.ctime);
  raw.mtime = u64(stat.mtime);
  raw.version = u32(stat.version);
  raw.cversion = u32(stat.cversion);
  raw.aversion = u32(stat.aversion);
  raw.owner = u64(stat.ephemeral_owner);
  char bytes[sizeof raw];
  std::memcpy(bytes, &raw, sizeof raw);
  return base::crc32({bytes, sizeof bytes}, content_crc);
}

NodeId DataTree::add_node(std::string_view path, NodeId parent, std::string_view name, BufferView data,
                          AclId acl, const jute::StatPersisted& stat) {
  NodeStore::NewNode node;
  node.parent = parent;
  node.name = name;
  node.data = data;
  node.acl = acl;
  node.stat = stat;
  node.content_crc = options_.digest ? content_crc_of(path, data) : 0;
  const NodeId id = load_ != nullptr ? nodes_->load(node) : nodes_->create(node);
  if (options_.digest) digest_ += node_digest(path, node.content_crc, stat);
  data_size_ += static_cast<std::int64_t>(path.size() + (data ? data->size() : 0));
  owners_.add(id, stat.ephemeral_owner, path.size());
  return id;
}

void DataTree::change_stat(NodeId id, std::string_view path, const jute::StatPersisted& stat) {
  if (options_.digest) {
    const std::uint32_t crc = nodes_->content_crc(id);
    digest_ -= node_digest(path, crc, nodes_->stat(id));
    digest_ += node_digest(path, crc, stat);
  }
  nodes_->set_stat(id, stat);
}

jute::Stat DataTree::stat(NodeId id) const {
  const jute::StatPersisted kept = nodes_->stat(id);
  const auto children = static_cast<std::int32_t>(nodes_->child_count(id));
  jute::Stat stat;
  stat.czxid = kept.czxid;
  stat.mzxid = kept.mzxid;
  stat.ctime = kept.ctime;
  stat.mtime = kept.mtime;
  stat.version = kept.version;
  // The stored number counts creations; clients see creations and deletions. It wraps as Java's int does.
  stat.cversion = static_cast<std::int32_t>(static_cast<std::uint32_t>(kept.cversion) * 2 -
                                            static_cast<std::uint32_t>(children));
  stat.aversion = kept.aversion;
  if (kept.ephemeral_owner != 0 && owners_.kind(kept.ephemeral_owner) == OwnerKind::session)
    stat.ephemeral_owner = kept.ephemeral_owner;
  stat.data_length = static_cast<std::int32_t>(nodes_->data_size(id));
  stat.num_children = children;
  stat.pzxid = kept.pzxid;
  return stat;
}

std::string DataTree::path(NodeId id) const {
  std::string out;
  nodes_->append_path(id, out);
  return out;
}

std::size_t DataTree::descendants(NodeId id) const {
  if (id == kRoot) return nodes_->size() - 1;
  std::size_t count = 0;
  std::vector<NodeId> todo{id};
  while (!todo.empty()) {
    const NodeId at = todo.back();
    todo.pop_back();
    count += nodes_->child_count(at);
    for (NodeId child = nodes_->first_child(at); child != kNoNode; child = nodes_->next_sibling(child)) {
      if (nodes_->child_count(child) > 0) todo.push_back(child);
    }
  }
  return count;
}

std::vector<std::string> DataTree::ephemerals(jute::SessionId session) const {
  std::vector<std::string> paths;
  for (const NodeId id : owners_.of_session(session)) paths.push_back(path(id));
  return paths;
}

// ---- loading
// ------------------------------------------------------------------------------------------------

void DataTree::begin_load() {
  reset();
  load_ = std::make_unique<Load>();
}

void DataTree::expect_nodes(std::uint64_t count) { nodes_->expect(count); }

void DataTree::load_acl(std::int64_t disk_id, const std::vector<jute::ACL>& acl) {
  load_->acls[disk_id] = acls_.intern(acl);
}

base::Status DataTree::load_node(std::string_view path, BufferView data, std::int64_t disk_acl_id,
                                 const jute::StatPersisted& stat) {
  ENSURE(load_ != nullptr, "load_node without begin_load");
  if (nodes_->loaded_twice()) return twice();
  AclId acl = kOpenAcl;
  if (disk_acl_id != -1) {
    const auto it = load_->acls.find(disk_acl_id);
    if (it != load_->acls.end()) {
      acl = it->second;
    } else {
      if (!load_->unknown_acl) load_->unknown_acl = acls_.intern({jute::ACL{0, {"world", "anyone"}}});
      acl = *load_->unknown_acl;
    }
    acls_.add_use(acl);
  }
  if (path.empty()) {
    if (nodes_->size() != 0) return base::make_error(Errc::corrupt, "snapshot has a second root");
    add_node("", kNoNode, "", data, acl, stat);
    load_->levels.assign(1, {0, kRoot});
    return {};
  }
  if (path[0] != '/' || nodes_->size() == 0)
    return base::make_error(Errc::corrupt, "snapshot node '{}' has no parent", path);
  const SplitPath split = split_path(path);
  if (split.name.empty() || split.name.size() > kNameBytesMax)
    return base::make_error(Errc::corrupt, "snapshot node '{}' has no name, or too long a one", path);
  NodeId parent = load_->known(split.parent);
  if (parent == kNoNode) {
    nodes_->settle();
    parent = nodes_->find(split.parent);
  }
  if (parent == kNoNode)
    return base::make_error(Errc::corrupt, "snapshot node '{}' comes before its parent", path);
  load_->remember(path, split.parent.size(), parent, add_node(path, parent, split.name, data, acl, stat));
  return {};
}

base::Status DataTree::finish_load(jute::Zxid last_zxid) {
  ENSURE(load_ != nullptr, "finish_load without begin_load");
  if (nodes_->size() == 0) return base::make_error(Errc::corrupt, "snapshot has no root");
  nodes_->settle();
  if (nodes_->loaded_twice()) return twice();
  for (const auto& [disk_id, acl] : load_->acls) acls_.drop_use(acl);  // each held one while loading
  if (load_->unknown_acl) acls_.drop_use(*load_->unknown_acl);
  load_.reset();
  last_zxid_ = last_zxid;
  if (const NodeId quota = nodes_->find(kQuotaPath); quota != kNoNode) find_quotas(quota);
  return {};
}

// ---- quotas
// -------------------------------------------------------------------------------------------------

void DataTree::find_quotas(NodeId id) {
  for (NodeId child = nodes_->first_child(id); child != kNoNode; child = nodes_->next_sibling(child)) {
    if (nodes_->child_count(child) > 0) {
      find_quotas(child);
    } else if (nodes_->name(child) == kLimitsName && id != nodes_->find(kQuotaPath)) {
      const std::string quota = path(id).substr(kQuotaPath.size());
      recount_quota(quota);
      quotas_.add(quota);
    }
  }
}

void DataTree::quota_created(std::string_view parent, std::string_view name) {
  if (!parent.starts_with(kQuotaPath)) return;
  const std::string_view path = parent.substr(kQuotaPath.size());
  if (path.empty()) return;  // a quota on the root never counts
  if (name == kLimitsName) quotas_.add(path);
  if (name == kStatsName) recount_quota(path);
}

void DataTree::quota_changed(std::string_view path, std::int64_t bytes, std::int64_t count) {
  const std::string_view quota = quotas_.deepest_above(path);
  if (quota.empty()) return;
  const NodeId node = nodes_->find(quota_stats_path(quota));
  if (node == kNoNode) return;
  QuotaNumbers numbers = QuotaNumbers::parse(nodes_->data(node).value_or(std::string_view()));
  numbers.set_count(numbers.count() + count);
  numbers.set_bytes(numbers.bytes() + bytes);
  nodes_->set_data(node, numbers.text(), 0);  // never in the digest, nor in the node's stat
}

void DataTree::recount_quota(std::string_view path) {
  const NodeId stats = nodes_->find(quota_stats_path(path));
  if (stats == kNoNode) return;
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  std::vector<NodeId> todo;
  if (const NodeId id = nodes_->find(path); id != kNoNode) todo.push_back(id);
  while (!todo.empty()) {
    const NodeId id = todo.back();
    todo.pop_back();
    ++count;
    bytes += nodes_->data_size(id);
    for (NodeId child = nodes_->first_child(id); child != kNoNode; child = nodes_->next_sibling(child))
      todo.push_back(child);
  }
  QuotaNumbers numbers;
  numbers.set_count(count);
  numbers.set_bytes(bytes);
  nodes_->set_data(stats, numbers.text(), 0);
}

}  // namespace tandem::coord::tree
