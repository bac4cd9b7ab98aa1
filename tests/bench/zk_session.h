// The blocking part of a ZooKeeper client for the load generator: handshake, single calls, frames with
// places to patch. Encoded by hand on purpose: the generator must not share the server's codec.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/options.h"
#include "tests/bench/socket.h"

namespace tandem::bench {

enum ZkOp : std::int32_t {
  kZkCreate = 1,
  kZkExists = 3,
  kZkGetData = 4,
  kZkSetData = 5,
  kZkGetChildren = 8,
  kZkSync = 9,
  kZkPing = 11,
  kZkClose = -11,
};
inline constexpr std::int32_t kZkNodeExists = -110;
inline constexpr std::int32_t kZkLost = INT32_MAX;  // the connection failed, not the request

struct ZkSession {
  std::int64_t id = 0;
  std::string password = std::string(16, '\0');
};

// Where the znodes of a run are: PREFIX/dDDDD/nNNNNNNN, `fanout` to a directory.
struct ZkLayout {
  std::string prefix;
  std::uint64_t fanout = 1000;

  std::string node(std::uint64_t index) const;
  std::string directory(std::uint64_t number) const;
  std::string create_directory(std::uint64_t number) const;  // of the create workload
  std::vector<std::string> parents() const;                  // the prefix and its ancestors, top first
};

// A request of fixed length whose xid and path digits are patched in place.
struct ZkTemplate {
  std::string frame;
  std::size_t directory_at = 0;  // where the digits are; 0 if there are none
  std::size_t leaf_at = 0;
  int leaf_digits = 7;
};
ZkTemplate make_template(
    ZkOp op, const ZkLayout& layout, std::size_t value_bytes, std::int32_t create_flags,
    const std::string& create_run);  // create_run: empty unless each create is a new name

// Connects and shakes hands; -1 if that did not work before the deadline.
int open_session(const sockaddr_in& address, ZkSession& session, std::int32_t timeout_ms,
                 std::uint64_t deadline_ns);
std::string request_frame(std::int32_t xid, ZkOp op, const std::string& body);
// One request and its reply; the error code, or kZkLost.
std::int32_t call(int fd, std::int32_t xid, const std::string& frame, std::uint64_t deadline_ns);
std::string create_body(const std::string& path, std::string_view value, std::int32_t flags);
void make_directories(const std::string& server, const std::vector<std::string>& paths);

}  // namespace tandem::bench
