// What the broker's cores ask of the tree and what comes back, as plain data: a core emits a batch of ZkOps,
// the shell performs it (in order, pipelined, again after a lost connection) and answers with one ZkResult
// for each. The codes are ZooKeeper's. A batch comes back only with definite answers, or not at all when the
// session has expired.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::broker::zk {

enum class ZkCode : std::int32_t {
  ok = 0,
  no_node = -101,
  no_auth = -102,
  bad_version = -103,
  node_exists = -110,
  not_empty = -111,
  session_expired = -112,
  connection_loss = -4,
  runtime_inconsistency = -2,  // in a multi: not tried, because another operation failed
};

enum class ZkKind : std::uint8_t { create, remove, set, check, get, exists, children, sync, multi };

struct ZkOp {
  ZkKind kind = ZkKind::get;
  std::string path;
  std::string data;
  bool null_data = false;  // create and set: no data at all, as Java's null
  bool ephemeral = false;
  bool sequential = false;
  bool watch = false;  // get, exists, children: leave a one-shot watch
  std::int32_t version = -1;
  std::vector<ZkOp> parts;  // of a multi
  bool operator==(const ZkOp&) const = default;
  std::string text() const;  // for transcripts and logs
};

struct ZkStat {
  std::int64_t czxid = 0;
  std::int64_t mzxid = 0;
  std::int64_t ctime_ms = 0;
  std::int64_t ephemeral_owner = 0;
  std::int32_t version = 0;
};

struct ZkResult {
  ZkCode code = ZkCode::ok;
  std::string data;  // of get
  std::string path;  // of create: with the sequence number
  ZkStat stat;       // of set, get, exists, children
  std::vector<std::string> children;
  std::vector<ZkResult> parts;  // of a multi, in order
  bool ok() const { return code == ZkCode::ok; }
};

ZkOp create_op(std::string path, std::string data);
ZkOp create_empty_op(std::string path);  // null data
ZkOp remove_op(std::string path, std::int32_t version = -1);
ZkOp set_op(std::string path, std::string data, std::int32_t version = -1);
ZkOp check_op(std::string path, std::int32_t version);
ZkOp get_op(std::string path, bool watch = false);
ZkOp exists_op(std::string path, bool watch = false);
ZkOp children_op(std::string path, bool watch = false);
ZkOp sync_op(std::string path);  // what is read behind it is not older than it
ZkOp multi_op(std::vector<ZkOp> parts);

// What a one-shot watch reported.
enum class ZkEvent : std::uint8_t { created, deleted, data_changed, children_changed };

}  // namespace tandem::broker::zk
