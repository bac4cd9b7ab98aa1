// Transactions: what the log keeps, what a proposal carries, what the tree applies.
// A payload is TxnHeader + body [+ TxnDigest]; the body's record follows from the header's type.
// Source of the formats: module org.apache.zookeeper.txn of zookeeper.jute (docs/format-txnlog.md).
// Decoding is total: any bytes give a transaction or an error, never more memory than they justify.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "jute/data.h"
#include "jute/fields.h"
#include "jute/ids.h"
#include "jute/opcodes.h"

namespace tandem::coord::records {

using jute::OpCode;
using jute::SessionId;
using jute::Zxid;

struct TxnHeader {
  SessionId client_id;
  std::int32_t cxid = 0;
  Zxid zxid;
  std::int64_t time = 0;  // wall clock of the leader, ms since 1970
  OpCode type = OpCode::error;

  void describe(jute::Fields& f) {
    f("clientId", client_id);
    f("cxid", cxid);
    f("zxid", zxid);
    f("time", time);
    f("type", type);
  }
  bool operator==(const TxnHeader&) const = default;
};

// The digest of the whole tree after the transaction was applied, as its proposer computed it.
struct TxnDigest {
  std::int32_t version = 2;
  std::int64_t tree_digest = 0;

  void describe(jute::Fields& f) {
    f("version", version);
    f("treeDigest", tree_digest);
  }
  bool operator==(const TxnDigest&) const = default;
};

// create, create2. Logs older than 3.4 lack the last field (CreateTxnV0): parent_cversion is then -1, which
// asks the tree for "one more than it has".
struct CreateTxn {
  std::string path;
  jute::Buffer data;
  std::vector<jute::ACL> acl;
  bool ephemeral = false;
  std::int32_t parent_cversion = -1;

  void describe(jute::Fields& f) {
    describe_v0(f);
    f("parentCVersion", parent_cversion);
  }
  void describe_v0(jute::Fields& f) {
    f("path", path);
    f("data", data);
    f("acl", acl);
    f("ephemeral", ephemeral);
  }
  bool operator==(const CreateTxn&) const = default;
};

struct CreateContainerTxn {
  std::string path;
  jute::Buffer data;
  std::vector<jute::ACL> acl;
  std::int32_t parent_cversion = -1;

  void describe(jute::Fields& f) {
    f("path", path);
    f("data", data);
    f("acl", acl);
    f("parentCVersion", parent_cversion);
  }
  bool operator==(const CreateContainerTxn&) const = default;
};

struct CreateTTLTxn {
  std::string path;
  jute::Buffer data;
  std::vector<jute::ACL> acl;
  std::int32_t parent_cversion = -1;
  std::int64_t ttl = 0;  // ms

  void describe(jute::Fields& f) {
    f("path", path);
    f("data", data);
    f("acl", acl);
    f("parentCVersion", parent_cversion);
    f("ttl", ttl);
  }
  bool operator==(const CreateTTLTxn&) const = default;
};

// delete, deleteContainer.
struct DeleteTxn {
  std::string path;

  void describe(jute::Fields& f) { f("path", path); }
  bool operator==(const DeleteTxn&) const = default;
};

// setData, reconfig. `version` is the new version.
struct SetDataTxn {
  std::string path;
  jute::Buffer data;
  std::int32_t version = 0;

  void describe(jute::Fields& f) {
    f("path", path);
    f("data", data);
    f("version", version);
  }
  bool operator==(const SetDataTxn&) const = default;
};

struct SetACLTxn {
  std::string path;
  std::vector<jute::ACL> acl;
  std::int32_t version = 0;

  void describe(jute::Fields& f) {
    f("path", path);
    f("acl", acl);
    f("version", version);
  }
  bool operator==(const SetACLTxn&) const = default;
};

// check; only inside a multi.
struct CheckVersionTxn {
  std::string path;
  std::int32_t version = 0;

  void describe(jute::Fields& f) {
    f("path", path);
    f("version", version);
  }
  bool operator==(const CheckVersionTxn&) const = default;
};

struct CreateSessionTxn {
  std::int32_t time_out = 0;  // ms

  void describe(jute::Fields& f) { f("timeOut", time_out); }
  bool operator==(const CreateSessionTxn&) const = default;
};

// Logs older than 3.6, or written with closeSessionTxn.enabled=false, have no body: listed is then false and
// the session's ephemerals are to be looked up.
struct CloseSessionTxn {
  std::vector<std::string> paths_to_delete;
  bool listed = true;  // not on the wire

  void describe(jute::Fields& f) {
    if (listed) f("paths2Delete", paths_to_delete);
  }
  bool operator==(const CloseSessionTxn&) const = default;
};

struct ErrorTxn {
  std::int32_t err = 0;

  void describe(jute::Fields& f) { f("err", err); }
  bool operator==(const ErrorTxn&) const = default;
};

// One operation of a multi; `data` is the body of `type` (decode_body reads it).
struct SubTxn {
  OpCode type = OpCode::error;
  jute::Buffer data;

  void describe(jute::Fields& f) {
    f("type", type);
    f("data", data);
  }
  bool operator==(const SubTxn&) const = default;
};

// All of it applies, or, when the multi failed, all are errors.
struct MultiTxn {
  std::vector<SubTxn> txns;

  void describe(jute::Fields& f) { f("txns", txns); }
  bool operator==(const MultiTxn&) const = default;
};

using Txn = std::variant<ErrorTxn, CreateTxn, CreateContainerTxn, CreateTTLTxn, DeleteTxn, SetDataTxn,
                         SetACLTxn, CheckVersionTxn, MultiTxn, CreateSessionTxn, CloseSessionTxn>;

struct LoggedTxn {
  TxnHeader header;
  Txn body;
  std::optional<TxnDigest> digest;

  bool operator==(const LoggedTxn&) const = default;
};

// Appends the body's record.
void encode_body(std::string& out, const Txn& body);
std::string encoded_body(const Txn& body);

// The body of a transaction of `type` from the start of `bytes`; `rest` receives what follows it (a digest).
// Unknown types are Errc::unsupported.
base::Result<Txn> decode_body(OpCode type, std::string_view bytes, std::string_view* rest = nullptr);

// A whole payload: header, body, digest if any.
void encode_payload(std::string& out, const TxnHeader& header, const Txn& body, const TxnDigest* digest);
base::Result<LoggedTxn> decode_payload(std::string_view bytes);

// One line for people: logs, dumps.
std::string printed(const LoggedTxn& txn);

}  // namespace tandem::coord::records
