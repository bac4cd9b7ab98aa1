// ACL lists, each kept once: a node holds a 32-bit number. The key is the list's wire form, so that a create
// whose list is known decodes nothing. Number 0 is world:anyone:cdrwa (-1 on disk) and always there; the
// others rise from 1 and are never given twice, so that a fuzzy snapshot cannot name a newer list by an old
// number.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coord/tree/ids.h"
#include "jute/data.h"

namespace tandem::coord::tree {

class AclTable {
 public:
  AclTable();

  // Adds one use. `encoded` is a vector<ACL> on the wire, already checked to decode.
  AclId intern(std::string_view encoded);
  AclId intern(const std::vector<jute::ACL>& acl);
  void add_use(AclId id);
  void drop_use(AclId id);  // the last one forgets the list

  const std::vector<jute::ACL>& list(AclId id) const { return entry(id).list; }
  std::string_view encoded(AclId id) const { return entry(id).encoded; }
  std::size_t size() const { return by_id_.size(); }

  template <class Visit>  // visit(AclId, encoded list), rising numbers, without the open one
  void for_each(Visit&& visit) const {
    for (const AclId id : sorted_ids()) visit(id, encoded(id));
  }

 private:
  struct Entry {
    std::string encoded;
    std::vector<jute::ACL> list;
    std::uint64_t uses = 0;
  };

  const Entry& entry(AclId id) const;
  std::vector<AclId> sorted_ids() const;

  boost::unordered_flat_map<AclId, std::unique_ptr<Entry>> by_id_;
  boost::unordered_flat_map<std::string_view, AclId> by_bytes_;  // keys live in the entries
  const Entry* open_ = nullptr;
  AclId next_ = 1;
};

}  // namespace tandem::coord::tree
