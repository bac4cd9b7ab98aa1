// Records that several parts of the protocol carry: identities, access control, node status.
// Source: module org.apache.zookeeper.data of zookeeper.jute.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jute/fields.h"
#include "jute/ids.h"

namespace tandem::jute {

namespace perm {
inline constexpr std::int32_t kRead = 1;
inline constexpr std::int32_t kWrite = 2;
inline constexpr std::int32_t kCreate = 4;
inline constexpr std::int32_t kDelete = 8;
inline constexpr std::int32_t kAdmin = 16;
inline constexpr std::int32_t kAll = 31;
}  // namespace perm

struct Id {
  std::string scheme;
  std::string id;

  void describe(Fields& f) {
    f("scheme", scheme);
    f("id", id);
  }
  bool operator==(const Id&) const = default;
  auto operator<=>(const Id&) const = default;
};

struct ACL {
  std::int32_t perms = 0;
  Id id;

  void describe(Fields& f) {
    f("perms", perms);
    f("id", id);
  }
  bool operator==(const ACL&) const = default;
  auto operator<=>(const ACL&) const = default;
};

// What everybody may do anything to: world:anyone:cdrwa.
inline std::vector<ACL> open_acl() { return {ACL{perm::kAll, Id{"world", "anyone"}}}; }

// 68 bytes on the wire.
struct Stat {
  Zxid czxid;
  Zxid mzxid;
  std::int64_t ctime = 0;  // ms since 1970
  std::int64_t mtime = 0;
  std::int32_t version = 0;
  std::int32_t cversion = 0;
  std::int32_t aversion = 0;
  std::int64_t ephemeral_owner = 0;
  std::int32_t data_length = 0;
  std::int32_t num_children = 0;
  Zxid pzxid;

  void describe(Fields& f) {
    f("czxid", czxid);
    f("mzxid", mzxid);
    f("ctime", ctime);
    f("mtime", mtime);
    f("version", version);
    f("cversion", cversion);
    f("aversion", aversion);
    f("ephemeralOwner", ephemeral_owner);
    f("dataLength", data_length);
    f("numChildren", num_children);
    f("pzxid", pzxid);
  }
  bool operator==(const Stat&) const = default;
};

// The part of Stat that snapshots keep, 60 bytes.
struct StatPersisted {
  Zxid czxid;
  Zxid mzxid;
  std::int64_t ctime = 0;
  std::int64_t mtime = 0;
  std::int32_t version = 0;
  std::int32_t cversion = 0;
  std::int32_t aversion = 0;
  std::int64_t ephemeral_owner = 0;
  Zxid pzxid;

  void describe(Fields& f) {
    f("czxid", czxid);
    f("mzxid", mzxid);
    f("ctime", ctime);
    f("mtime", mtime);
    f("version", version);
    f("cversion", cversion);
    f("aversion", aversion);
    f("ephemeralOwner", ephemeral_owner);
    f("pzxid", pzxid);
  }
  bool operator==(const StatPersisted&) const = default;
};

}  // namespace tandem::jute
