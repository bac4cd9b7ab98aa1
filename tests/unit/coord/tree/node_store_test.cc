#include "coord/tree/node_store.h"

#include <doctest/doctest.h>

#include <map>
#include <set>

#include "base/random.h"

namespace tandem::coord::tree {

namespace {

jute::StatPersisted stat_of(std::int64_t zxid) {
  jute::StatPersisted stat;
  stat.czxid = stat.mzxid = stat.pzxid = jute::Zxid(zxid);
  stat.ctime = stat.mtime = zxid * 10;
  return stat;
}

}  // namespace

TEST_CASE("a node that never changed keeps a short stat and grows when it changes") {
  NodeStore store(1);
  store.create({.parent = kNoNode, .name = "", .data = "", .stat = {}});
  const NodeId id = store.create({.parent = kRoot, .name = "a", .data = "xyz", .acl = 7, .stat = stat_of(5)});
  CHECK(store.stat(id) == stat_of(5));
  jute::StatPersisted changed = stat_of(5);
  changed.version = -3;
  changed.pzxid = jute::Zxid(9);
  changed.ephemeral_owner = -1;
  store.set_stat(id, changed);
  CHECK(store.stat(id) == changed);
  CHECK(store.name(id) == "a");
  CHECK(store.data(id) == "xyz");
  CHECK(store.acl(id) == 7);
  CHECK(store.find("/a") == id);
}

TEST_CASE("random nodes come, change and go as in a map") {
  base::Random random(11);
  NodeStore store(random.next());
  store.create({.parent = kNoNode, .name = "", .data = "", .stat = {}});
  std::map<std::string, std::pair<NodeId, std::string>> model;  // by path: one level, some names long
  for (int step = 0; step < 30'000; ++step) {
    const std::uint64_t number = random.below(2000);
    const std::string name = std::to_string(number) + std::string(number % 50 == 0 ? 3000 : number % 40, 'n');
    const std::string path = "/" + name;
    const std::string data(random.chance(0.01) ? random.below(60'000) : random.below(200), 'd');
    const auto it = model.find(path);
    CHECK(store.find(path) == (it == model.end() ? kNoNode : it->second.first));
    if (it == model.end()) {
      const NodeId id = store.create({.parent = kRoot, .name = name, .data = data, .stat = stat_of(step)});
      model[path] = {id, data};
    } else if (random.chance(0.4)) {
      store.remove(it->second.first);
      model.erase(it);
    } else {
      store.set_data(it->second.first, data, 1);
      it->second.second = data;
    }
  }
  CHECK(store.size() == model.size() + 1);
  CHECK(store.child_count(kRoot) == model.size());
  std::set<NodeId> listed;
  for (NodeId id = store.first_child(kRoot); id != kNoNode; id = store.next_sibling(id)) listed.insert(id);
  CHECK(listed.size() == model.size());
  for (const auto& [path, node] : model) {
    CHECK(listed.contains(node.first));
    CHECK(store.data(node.first) == std::string_view(node.second));
    std::string shown;
    store.append_path(node.first, shown);
    CHECK(shown == path);
  }
}

}  // namespace tandem::coord::tree
