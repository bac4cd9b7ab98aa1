// From a request to a transaction, judged against tree and pending changes, in Apache's order of checks; an
// error is a transaction too and uses up a zxid. Leader only. What comes out is the payload for the log,
// whole: nothing is proposed that could not be read back. Source: Apache's PrepRequestProcessor;
// coordination.md 0, 1.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "bytes/reader.h"
#include "coord/auth/authorizer.h"
#include "coord/pipeline/ops.h"
#include "coord/pipeline/pending_changes.h"
#include "coord/session/session_tracker.h"
#include "coord/tree/data_tree.h"
#include "jute/errors.h"
#include "jute/proto.h"

namespace tandem::coord::pipeline {

struct PrepareOptions {
  bool ensemble = false;  // a leader, not a server on its own: set by the pipeline, as the next
  bool local_sessions = false;
  bool enforce_quota = false;
  bool reconfig_enabled = false;
  bool close_session_lists = true;                                       // zookeeper.closeSessionTxn.enabled
  std::size_t txn_bytes_max = 2 * std::size_t{jute::kMaxBufferDefault};  // jute.maxbuffer + extrasize
};

class Preparer {
 public:
  // `local`: the sessions that only this server knows.
  Preparer(PrepareOptions options, tree::DataTree& tree, session::SessionTracker& sessions,
           const session::SessionTracker& local, const auth::Authorizer& authorizer);

  struct Proposal {
    jute::SessionId session;  // 0: the reaper's
    session::OwnerId owner = 0;
    const std::vector<jute::Id>* ids = nullptr;
    RequestView request;
    std::int32_t session_timeout_ms = 0;  // createSession
  };

  // Appends the payload of the next transaction to `out` and returns its zxid. nullopt: the request does not
  // parse (MARSHALLINGERROR, no transaction).
  std::optional<jute::Zxid> prepare(const Proposal& proposal, base::WallTime wall, std::string& out);

  // The transaction of a request that is refused: an error, nothing else.
  jute::Zxid prepare_error(const Proposal& proposal, jute::ErrorCode err, base::WallTime wall,
                           std::string& out);

  // Whether these are writes that a multi could hold, all of them whole.
  static bool multi_parses(bytes::Reader body);
  // Whether any leader makes a transaction of this write: only then is it forwarded.
  static bool parses(jute::OpCode type, std::string_view body);
  // A createTTL whose flags name no TTL mode.
  static bool is_ttl_without_mode(jute::OpCode type, std::string_view body);
  // Whether it creates an ephemeral, which a local session cannot have.
  static bool needs_global_session(jute::OpCode type, std::string_view body);

  jute::Zxid next_zxid() const { return next_; }
  void on_applied(jute::Zxid zxid) { pending_.forget(zxid); }
  // Nothing of what was proposed and not applied will be.
  void take_back_all();

 private:
  struct Txn;       // the one being made
  struct CreateOp;  // a create of any kind, decoded
  struct MultiCreate;

  Txn begin(const Proposal& proposal, base::WallTime wall, std::string& out);
  jute::Zxid end(Txn& txn, jute::ErrorCode err);
  jute::ErrorCode prepare_op(Txn& txn, jute::OpCode type, bytes::Reader& body, bool& parses);
  jute::ErrorCode prepare_multi(Txn& txn, bytes::Reader& body, bool& parses);
  jute::ErrorCode prepare_create(Txn& txn, CreateOp op);
  void propose_create(Txn& txn, CreateOp& op, std::string_view path, const PendingNode& parent);
  jute::ErrorCode prepare_delete(Txn& txn, std::string_view path, std::int32_t version);
  jute::ErrorCode prepare_delete_container(Txn& txn, std::string_view path);
  jute::ErrorCode prepare_set_data(Txn& txn, std::string_view path, jute::BufferView data,
                                   std::int32_t version);
  jute::ErrorCode prepare_set_acl(Txn& txn, std::string_view path, const AclList& acl, std::int32_t version);
  jute::ErrorCode prepare_check(Txn& txn, std::string_view path, std::int32_t version);
  void prepare_close_session(Txn& txn);
  void end_error(Txn& txn, jute::ErrorCode err);

  bool permitted(const Txn& txn, const PendingNode& node, std::int32_t perms) const;
  jute::ErrorCode check_session(const Txn& txn, bool global) const;
  jute::ErrorCode check_quota(std::string_view path, std::int64_t bytes, std::int64_t count) const;
  bool fits_close_session(const Txn& txn, std::string_view path) const;
  void change(Txn& txn, std::string_view path, const PendingNode& before, PendingNode after);
  void remove_node(Txn& txn, std::string_view path, const PendingNode& node);

  PrepareOptions options_;
  tree::DataTree& tree_;
  session::SessionTracker& sessions_;
  const session::SessionTracker& local_;
  const auth::Authorizer& authorizer_;
  PendingChanges pending_;
  jute::Zxid next_;
  std::uint64_t digest_;  // of the tree after all that was proposed
};

}  // namespace tandem::coord::pipeline
