// Operations of the coordination service as data: what a client (or a core that emits effects) wants done,
// and what came of it. One flat struct per direction, so that ops can be listed, compared, queued again and
// printed. Paths are the caller's; the session adds and strips the chroot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "jute/data.h"
#include "jute/errors.h"
#include "jute/opcodes.h"
#include "jute/requests.h"

namespace tandem::zksession {

using jute::ErrorCode;
using jute::OpCode;

inline constexpr std::int32_t kAnyVersion = -1;

struct Op {
  OpCode code = OpCode::exists;
  std::string path;
  jute::Buffer data;                                     // create, set_data; auth bytes
  std::vector<jute::ACL> acl;                            // create, set_acl
  std::int32_t version = kAnyVersion;                    // remove, set_data, set_acl, check
  jute::CreateMode mode = jute::CreateMode::persistent;  // create
  std::int64_t ttl_ms = 0;                               // create with a TTL mode
  bool watch = false;                                    // exists, get_data, get_children
  jute::AddWatchMode watch_mode = jute::AddWatchMode::persistent;
  jute::WatcherType watcher_type = jute::WatcherType::any;
  bool absolute = false;  // the path is not under the chroot (/zookeeper/config)
  bool local = false;     // remove_watches: forget ours even when the server cannot be told
  jute::ReconfigRequest reconfig;
  std::vector<Op> ops;  // multi, multi_read

  bool operator==(const Op&) const = default;

  // `create` always asks for create2, container or TTL as the mode says; the result then holds a Stat as
  // well.
  static Op create(std::string path, jute::Buffer data = std::string(),
                   jute::CreateMode mode = jute::CreateMode::persistent,
                   std::vector<jute::ACL> acl = jute::open_acl(), std::int64_t ttl_ms = 0);
  static Op remove(std::string path, std::int32_t version = kAnyVersion);
  static Op exists(std::string path, bool watch = false);
  static Op get_data(std::string path, bool watch = false);
  static Op set_data(std::string path, jute::Buffer data, std::int32_t version = kAnyVersion);
  static Op get_children(std::string path, bool watch = false);  // with the Stat (getChildren2)
  static Op get_acl(std::string path);
  static Op set_acl(std::string path, std::vector<jute::ACL> acl, std::int32_t version = kAnyVersion);
  static Op check(std::string path, std::int32_t version = kAnyVersion);  // only inside a multi
  static Op sync(std::string path);
  static Op multi(std::vector<Op> ops);
  static Op add_watch(std::string path, jute::AddWatchMode mode);
  static Op remove_watches(std::string path, jute::WatcherType type, bool local = false);
  static Op get_ephemerals(std::string prefix);
  static Op get_all_children_number(std::string path);
  static Op who_am_i();
};

// What is set depends on the operation; everything else keeps its default.
struct OpResult {
  ErrorCode error = ErrorCode::ok;
  jute::Zxid zxid;   // of the reply
  std::string path;  // the path as asked for; of a create the one that was made
  jute::Buffer data;
  jute::Stat stat;
  std::vector<std::string> children;  // get_children, get_ephemerals
  std::vector<jute::ACL> acl;
  std::vector<jute::ClientInfo> who;
  std::int32_t number = 0;        // get_all_children_number
  std::vector<OpResult> results;  // multi: one for each op; error is then that of the first that failed

  bool ok() const { return error == ErrorCode::ok; }
  bool operator==(const OpResult&) const = default;
};

// A path prefix that a client does not see; "" for none.
class Chroot {
 public:
  Chroot() = default;
  explicit Chroot(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string to_server(std::string_view path) const;
  std::string to_client(std::string_view path) const;
  const std::string& prefix() const { return prefix_; }

 private:
  std::string prefix_;
};

// The code that goes on the wire (create becomes create2, create_container or create_ttl) and the body.
OpCode wire_code(const Op& op);
void encode_body(const Op& op, const Chroot& chroot, std::string& out);

// The body of a reply without error; a malformed body gives marshalling_error.
OpResult decode_reply(const Op& op, const Chroot& chroot, std::string_view body);

}  // namespace tandem::zksession
