// zkSnapShotToolkit.sh: what a snapshot holds, as text for people or as JSON for disk usage viewers.
// Children come sorted; the original prints them in the order of a hash set.
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>

#include "base/clock.h"
#include "coord/storage/snapshot_file.h"
#include "fs/posix_disk.h"
#include "tools/shell/print.h"
#include "tools/shell/verbs.h"
#include "tools/storage/commands.h"

namespace tandem::tools::storage {

namespace {

namespace storage = coord::storage;

struct Node {
  std::string data;
  jute::StatPersisted stat;
  std::vector<std::string> children;
};

struct Snapshot final : storage::SnapshotVisitor {
  std::map<std::string, Node> nodes;  // the root is "/"
  std::map<std::int64_t, std::int32_t> sessions;
  std::map<std::int64_t, std::size_t> ephemerals;

  void on_session(jute::SessionId id, std::int32_t timeout_ms) override { sessions[id.value] = timeout_ms; }
  void on_acl(std::int64_t, std::vector<jute::ACL>) override {}
  base::Status on_node(const storage::SnapshotNode& node) override {
    const std::string path = node.path.empty() ? "/" : std::string(node.path);
    Node& stored = nodes[path];
    stored.data = node.data.value_or(std::string_view());
    stored.stat = node.stat;
    if (node.stat.ephemeral_owner != 0) ++ephemerals[node.stat.ephemeral_owner];
    if (path == "/") return {};
    const auto slash = path.rfind('/');
    nodes[slash == 0 ? "/" : path.substr(0, slash)].children.push_back(path);
    return {};
  }
};

std::string hex_line(const char* name, std::int64_t value) {
  return fmt::format("  {} = {:#016x}\n", name, static_cast<std::uint64_t>(value));
}

class TextPrinter {
 public:
  TextPrinter(const Snapshot& snapshot, bool with_data) : snapshot_(snapshot), with_data_(with_data) {}

  void print(std::int64_t file_zxid) {
    shell::put(fmt::format("ZNode Details (count={}):\n", snapshot_.nodes.size() + 1));
    print_node("/");
    shell::put("----\nSession Details (sid, timeout, ephemeralCount):\n");
    for (const auto& [id, timeout] : snapshot_.sessions) {
      const auto owned = snapshot_.ephemerals.find(id);
      shell::put(fmt::format("{:#016x}, {}, {}\n", static_cast<std::uint64_t>(id), timeout,
                             owned == snapshot_.ephemerals.end() ? 0 : owned->second));
    }
    shell::put(
        fmt::format("----\nLast zxid: 0x{:x}\n", static_cast<std::uint64_t>(std::max(file_zxid, last_))));
  }

 private:
  void print_node(const std::string& path) {
    const auto it = snapshot_.nodes.find(path);
    if (it == snapshot_.nodes.end()) return;
    const Node& node = it->second;
    const jute::StatPersisted& stat = node.stat;
    last_ = std::max({last_, stat.mzxid.value, stat.pzxid.value});
    std::string text = "----\n" + path + "\n" + hex_line("cZxid", stat.czxid.value);
    text += "  ctime = " + shell::java_date(stat.ctime) + "\n" + hex_line("mZxid", stat.mzxid.value);
    text += "  mtime = " + shell::java_date(stat.mtime) + "\n" + hex_line("pZxid", stat.pzxid.value);
    text += fmt::format("  cversion = {}\n  dataVersion = {}\n  aclVersion = {}\n", stat.cversion,
                        stat.version, stat.aversion);
    text += hex_line("ephemeralOwner", stat.ephemeral_owner);
    text += with_data_ ? "  data = " + shell::base64(node.data) + "\n"
                       : fmt::format("  dataLength = {}\n", node.data.size());
    shell::put(text);
    for (const std::string& child : node.children) print_node(child);
  }

  const Snapshot& snapshot_;
  bool with_data_;
  std::int64_t last_ = 0;
};

std::string json_string(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<std::uint8_t>(c) < 0x20) {
      out += fmt::format("\\u{:04X}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out;
}

class JsonPrinter {
 public:
  explicit JsonPrinter(const Snapshot& snapshot) : snapshot_(snapshot) {}

  void print(std::int64_t now_ms) {
    shell::put(fmt::format(
        "[1,0,{{\"progname\":\"SnapshotFormatter.java\",\"progver\":\"0.01\",\"timestamp\":{}}}", now_ms));
    print_node("/");
    shell::put("]");
  }

 private:
  void print_node(const std::string& path) {
    const auto it = snapshot_.nodes.find(path);
    if (it == snapshot_.nodes.end()) return;
    const Node& node = it->second;
    const std::string name = path == "/" ? path : path.substr(path.rfind('/') + 1);
    shell::put(fmt::format(",{}{{\"name\":\"{}\",\"asize\":{},\"dsize\":{},\"dev\":0,\"ino\":{}}}",
                           node.children.empty() ? "" : "[", json_string(name), node.data.size(),
                           node.data.size(), ++inode_));
    for (const std::string& child : node.children) print_node(child);
    if (!node.children.empty()) shell::put("]");
  }

  const Snapshot& snapshot_;
  int inode_ = 1000;
};

int usage() {
  shell::note("USAGE: SnapshotFormatter [-d|-json] snapshot_file");
  shell::note("       -d dump the data for each znode");
  shell::note("       -json dump znode info in json format");
  return 2;
}

int print_snapshot(const std::string& path, bool data, bool json) {
  const auto name = storage::parse_snapshot_name(path.substr(path.rfind('/') + 1));
  fs::PosixDisk disk;
  Snapshot snapshot;
  const auto trailer =
      storage::read_snapshot(disk, path, name ? name->compression : storage::Compression::none, snapshot);
  if (!trailer) {
    shell::note(trailer.error().context);
    return 1;
  }
  for (auto& [node_path, node] : snapshot.nodes) std::sort(node.children.begin(), node.children.end());
  if (json) {
    JsonPrinter(snapshot).print(base::SystemClock().wall().ms);
  } else {
    TextPrinter(snapshot, data).print(name ? name->zxid.value : -1);
  }
  return 0;
}

}  // namespace

int snapshot_toolkit(const Invocation& invocation) {
  bool data = false, json = false;
  std::vector<std::string> files;
  for (const std::string& arg : invocation.args) {
    if (files.empty() && arg == "-d") {
      data = true;
    } else if (files.empty() && arg == "-json") {
      json = true;
    } else {
      files.push_back(arg);
    }
  }
  if (files.size() != 1) return usage();
  struct stat found {};
  if (::stat(files[0].c_str(), &found) != 0) {
    shell::note("File '" + files[0] + "' does not exist.");
    return 2;
  }
  if (S_ISDIR(found.st_mode)) {
    shell::note("'" + files[0] + "' is a directory. it must be a file.");
    return 2;
  }
  if (data && json) {
    shell::note("Cannot specify both data dump (-d) and json mode (-json) in same call");
    return 2;
  }
  return print_snapshot(files[0], data, json);
}

}  // namespace tandem::tools::storage
