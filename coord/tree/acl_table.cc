#include "coord/tree/acl_table.h"

#include <algorithm>

#include "base/check.h"
#include "jute/codec.h"

namespace tandem::coord::tree {

namespace {

struct AclList {
  std::vector<jute::ACL> list;
  void describe(jute::Fields& f) { f("acl", list); }
};

}  // namespace

AclTable::AclTable() {
  auto entry = std::make_unique<Entry>();
  entry->list = jute::open_acl();
  entry->encoded = jute::encoded(AclList{entry->list});
  entry->uses = 1;
  open_ = entry.get();
  by_bytes_.emplace(entry->encoded, kOpenAcl);
  by_id_.emplace(kOpenAcl, std::move(entry));
}

const AclTable::Entry& AclTable::entry(AclId id) const {
  if (id == kOpenAcl) return *open_;
  const auto it = by_id_.find(id);
  ENSURE(it != by_id_.end(), "ACL list {} is not known", id);
  return *it->second;
}

AclId AclTable::intern(std::string_view encoded) {
  if (encoded == open_->encoded) return kOpenAcl;
  if (const auto it = by_bytes_.find(encoded); it != by_bytes_.end()) {
    ++by_id_.find(it->second)->second->uses;
    return it->second;
  }
  auto entry = std::make_unique<Entry>();
  entry->encoded = encoded;
  auto decoded = jute::decoded<AclList>(encoded);
  ENSURE(decoded.has_value(), "ACL list of {} bytes does not decode", encoded.size());
  entry->list = std::move(decoded->list);
  entry->uses = 1;
  const AclId id = next_++;
  by_bytes_.emplace(entry->encoded, id);
  by_id_.emplace(id, std::move(entry));
  return id;
}

AclId AclTable::intern(const std::vector<jute::ACL>& acl) { return intern(jute::encoded(AclList{acl})); }

void AclTable::add_use(AclId id) {
  if (id != kOpenAcl) ++by_id_.find(id)->second->uses;
}

void AclTable::drop_use(AclId id) {
  if (id == kOpenAcl) return;
  const auto it = by_id_.find(id);
  ENSURE(it != by_id_.end() && it->second->uses > 0, "ACL list {} is not used", id);
  if (--it->second->uses > 0) return;
  by_bytes_.erase(it->second->encoded);
  by_id_.erase(it);
}

std::vector<AclId> AclTable::sorted_ids() const {
  std::vector<AclId> ids;
  for (const auto& [id, entry] : by_id_) {
    if (id != kOpenAcl) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace tandem::coord::tree
