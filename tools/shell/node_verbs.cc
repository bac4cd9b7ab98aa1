// create, delete, deleteall, set, get, ls, stat, sync, getAllChildrenNumber, getEphemerals.
#include <algorithm>

#include "tools/shell/print.h"
#include "tools/shell/verbs.h"

namespace tandem::tools::shell {

namespace {

using base::Errc;
using base::make_error;
using base::Status;
using jute::CreateMode;
using zkclient::BlockingClient;
using zkclient::Op;
using zkclient::OpResult;

constexpr std::int64_t kTtlMax = 0xffffffffff;  // five bytes of ephemeralOwner

base::Result<std::int32_t> version_of(const Arguments& arguments) {
  if (!arguments.has("v")) return zksession::kAnyVersion;
  const auto version = parse_integer(arguments.value("v"));
  if (!version || *version != static_cast<std::int32_t>(*version))
    return make_error(Errc::invalid_argument, "-v argument must be an int value: {}", arguments.value("v"));
  return static_cast<std::int32_t>(*version);
}

base::Result<CreateMode> create_mode(const Arguments& arguments, std::int64_t ttl) {
  const bool e = arguments.has("e"), s = arguments.has("s"), c = arguments.has("c"), t = arguments.has("t");
  if (t && e) return make_error(Errc::invalid_argument, "TTLs cannot be used with Ephemeral znodes");
  if (t && c) return make_error(Errc::invalid_argument, "TTLs cannot be used with Container znodes");
  if (t && (ttl > kTtlMax || ttl <= 0))
    return make_error(Errc::invalid_argument, "ttl must be positive and cannot be larger than: {}", kTtlMax);
  if (e && s) return CreateMode::ephemeral_sequential;
  if (e) return CreateMode::ephemeral;
  if (s) return t ? CreateMode::persistent_sequential_with_ttl : CreateMode::persistent_sequential;
  if (c) return CreateMode::container;
  return t ? CreateMode::persistent_with_ttl : CreateMode::persistent;
}

bool is_sequential(CreateMode mode) {
  return mode == CreateMode::persistent_sequential || mode == CreateMode::ephemeral_sequential ||
         mode == CreateMode::persistent_sequential_with_ttl;
}

Status create(BlockingClient& zk, const Arguments& arguments) {
  if (arguments.has("c") && (arguments.has("e") || arguments.has("s"))) {
    return make_error(Errc::invalid_argument,
                      "-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.");
  }
  std::int64_t ttl = 0;
  if (arguments.has("t")) {
    const auto parsed = parse_integer(arguments.value("t"));
    if (!parsed) return make_error(Errc::invalid_argument, "-t argument must be a long value");
    ttl = *parsed;
  }
  const auto mode = create_mode(arguments, ttl);
  if (!mode) return mode.error();
  const std::string& path = arguments.words[1];
  jute::Buffer data;
  if (arguments.words.size() > 2) data = arguments.words[2];
  const auto acl = arguments.words.size() > 3 ? parse_acl(arguments.words[3]) : jute::open_acl();
  if (auto status = check_path(is_sequential(*mode) ? path + "1" : path); !status) return status;
  OpResult result;
  if (acl.empty()) {
    result.error = jute::ErrorCode::invalid_acl;
  } else {
    result = zk.call(Op::create(path, std::move(data), *mode, acl, ttl));
  }
  if (result.error == jute::ErrorCode::ephemeral_on_local_session)
    note("Unable to create ephemeral node on a local session");
  if (result.error == jute::ErrorCode::invalid_acl) note(jute::keeper_message(result.error, result.path));
  if (!result.ok()) return keeper_error(result);
  note("Created " + result.path);
  return {};
}

Status remove(BlockingClient& zk, const Arguments& arguments) {
  if (arguments.words.size() > 2)
    note("'delete path [version]' has been deprecated. Please use 'delete [-v version] path' instead.");
  const auto version = version_of(arguments);
  if (!version) return version.error();
  const auto result = checked_call(zk, Op::remove(arguments.words[1], *version));
  return result ? Status() : result.error();
}

// Parents before children; the deletions then run from the end.
base::Result<std::vector<std::string>> list_tree(BlockingClient& zk, const std::string& path) {
  if (auto status = check_path(path); !status) return status.error();
  std::vector<std::string> tree{path};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    OpResult result = zk.call(Op::get_children(tree[i]));
    if (!result.ok()) return keeper_error(result);
    const std::string prefix = tree[i] == "/" ? "/" : tree[i] + "/";
    for (const std::string& child : result.children) tree.push_back(prefix + child);
  }
  return tree;
}

Status remove_all(BlockingClient& zk, const Arguments& arguments) {
  std::size_t batch_size = 1000;
  if (arguments.has("b")) {
    const auto parsed = parse_integer(arguments.value("b"));
    if (!parsed) return make_error(Errc::invalid_argument, "-b argument must be an int value");
    batch_size = *parsed > 0 ? static_cast<std::size_t>(*parsed) : 1;
  }
  auto tree = list_tree(zk, arguments.words[1]);
  if (!tree) return tree.error();
  while (!tree->empty()) {
    std::vector<Op> ops;
    for (; !tree->empty() && ops.size() < batch_size; tree->pop_back())
      ops.push_back(Op::remove(std::move(tree->back())));
    if (zk.call(Op::multi(std::move(ops))).ok()) continue;
    note("Failed to delete some node(s) in the subtree!");
    return {};
  }
  return {};
}

Status set(BlockingClient& zk, const Arguments& arguments) {
  std::string data = arguments.words[2];
  if (arguments.has("b")) {
    auto bytes = from_base64(data);
    if (!bytes) return bytes.error();
    data = std::move(*bytes);
  }
  const auto version = version_of(arguments);
  if (!version) return version.error();
  const auto result = checked_call(zk, Op::set_data(arguments.words[1], std::move(data), *version));
  if (!result) return result.error();
  if (arguments.has("s")) put(stat_text(result->stat));
  return {};
}

// "get path watch" of old, which is now -w.
bool watch_asked(const Arguments& arguments, const char* verb, const char* instead) {
  if (arguments.words.size() <= 2) return arguments.has("w");
  note(fmt::format("'{} path [watch]' has been deprecated. Please use '{} path' instead.", verb, instead));
  return true;
}

Status get(BlockingClient& zk, const Arguments& arguments) {
  const bool watch = watch_asked(arguments, "get", "get [-s] [-w]");
  const auto result = checked_call(zk, Op::get_data(arguments.words[1], watch));
  if (!result) return result.error();
  std::string text = result->data.value_or("null");
  if (arguments.has("x")) {
    text = hex_dump(text);
  } else if (arguments.has("b")) {
    text = base64(text);
  }
  put(text + "\n");
  if (arguments.has("s")) put(stat_text(result->stat));
  return {};
}

Status list(BlockingClient& zk, const Arguments& arguments) {
  const bool watch = watch_asked(arguments, "ls", "ls [-w]");
  const std::string& path = arguments.words[1];
  if (arguments.has("R")) {
    return visit_tree(zk, path, watch, [](const std::string& node) {
      put(node + "\n");
      return Status();
    });
  }
  auto result = checked_call(zk, Op::get_children(path, watch));
  if (!result) return result.error();
  std::sort(result->children.begin(), result->children.end());
  put(list_text(result->children) + "\n");
  if (arguments.has("s")) put(stat_text(result->stat));
  return {};
}

Status stat(BlockingClient& zk, const Arguments& arguments) {
  const bool watch = watch_asked(arguments, "stat", "stat [-w]");
  const auto result = checked_call(zk, Op::exists(arguments.words[1], watch));
  if (!result) return result.error();
  put(stat_text(result->stat));
  return {};
}

Status sync(BlockingClient& zk, const Arguments& arguments) {
  if (auto status = check_path(arguments.words[1]); !status) return status;
  const OpResult result = zk.call(Op::sync(arguments.words[1]));
  put(result.ok() ? "Sync is OK\n" : fmt::format("Sync has failed. rc={}\n", static_cast<int>(result.error)));
  return {};
}

Status count_all(BlockingClient& zk, const Arguments& arguments) {
  const auto result = checked_call(zk, Op::get_all_children_number(arguments.words[1]));
  if (!result) return result.error();
  put(fmt::format("{}\n", result->number));
  return {};
}

Status ephemerals(BlockingClient& zk, const Arguments& arguments) {
  const auto result =
      checked_call(zk, Op::get_ephemerals(arguments.words.size() > 1 ? arguments.words[1] : "/"));
  if (!result) return result.error();
  put(list_text(result->children) + "\n");
  return {};
}

constexpr Option kCreateOptions[] = {
    {"e", false, "ephemeral"}, {"s", false, "sequential"}, {"c", false, "container"}, {"t", true, "ttl"}};
constexpr Option kVersionOption[] = {{"v", true, "version"}};
constexpr Option kBatchOption[] = {{"b", true, "batch size"}};
constexpr Option kSetOptions[] = {{"s", false, "Print znode stats additionally"},
                                  {"v", true, "Set with an expected version"},
                                  {"b", false, "Supply data in base64 format"}};
constexpr Option kGetOptions[] = {{"s", false, "Print znode stats additionally"},
                                  {"w", false, "Watch for changes on the znode"},
                                  {"b", false, "Output data in base64 format"},
                                  {"x", false, "Output data in hexdump format"}};
constexpr Option kListOptions[] = {
    {"?", false, "help"}, {"s", false, "stat"}, {"w", false, "watch"}, {"R", false, "recurse"}};
constexpr Option kWatchOption[] = {{"w", false, "watch"}};

constexpr Verb kNodeVerbs[] = {
    {"create", "[-s] [-e] [-c] [-t ttl] path [data] [acl]", {kCreateOptions}, 2, create},
    {"delete", "[-v version] path", {kVersionOption}, 2, remove},
    {"deleteall", "path [-b batch size]", {kBatchOption}, 2, remove_all},
    {"set", "path data [-s] [-v version] [-b]", {kSetOptions}, 3, set, true},
    {"get", "[-s] [-w] [-b] [-x] path", {kGetOptions}, 2, get, true},
    {"ls", "[-s] [-w] [-R] path", {kListOptions}, 2, list},
    {"stat", "[-w] path", {kWatchOption}, 2, stat},
    {"sync", "path", {}, 2, sync},
    {"getAllChildrenNumber", "path", {}, 2, count_all},
    {"getEphemerals", "path", {}, 1, ephemerals},
};

}  // namespace

std::span<const Verb> node_verbs() { return kNodeVerbs; }

}  // namespace tandem::tools::shell
