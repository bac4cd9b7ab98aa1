// setquota, listquota, delquota: limits and usage under /zookeeper/quota, with the checks of Apache's shell.
#include "tools/shell/quota.h"
#include "tools/shell/verbs.h"

namespace tandem::tools::shell {

namespace {

using base::Errc;
using base::make_error;
using base::Status;
using jute::ErrorCode;
using zkclient::BlockingClient;
using zkclient::Op;
using zkclient::OpResult;

const std::string kRoot = "/zookeeper/quota";
const std::string kLimitNode = "zookeeper_limits";
const std::string kStatNode = "zookeeper_stats";

std::string limit_path(const std::string& path) { return kRoot + path + "/" + kLimitNode; }
std::string stat_path(const std::string& path) { return kRoot + path + "/" + kStatNode; }

bool holds_limit(const OpResult& children) {
  for (const std::string& child : children.children) {
    if (child == kLimitNode) return true;
  }
  return false;
}

base::Result<Quota> read_quota(BlockingClient& zk, const std::string& path) {
  const auto result = checked_call(zk, Op::get_data(path));
  if (!result) return result.error();
  return Quota::parse(result->data.value_or(""));
}

// Reads the numbers of the options into a quota; a complaint goes to stderr and nothing is done.
std::optional<Quota> asked_quota(const Arguments& arguments) {
  Quota quota;
  for (const char* key : {kCount, kBytes, kCountHard, kBytesHard}) quota.set(key, -1);
  const struct {
    const char* option;
    const char* key;
    std::int64_t min;
    const char* complaint;
  } limits[] = {
      {"n", kCount, 1, "the num quota must be greater than zero"},
      {"b", kBytes, 0, "the bytes quota must be greater than or equal to zero"},
      {"N", kCountHard, 1, "the num quota must be greater than zero"},
      {"B", kBytesHard, 0, "the bytes quota must be greater than or equal to zero"},
  };
  for (const auto& limit : limits) {
    if (!arguments.has(limit.option)) continue;
    const auto value = parse_integer(arguments.value(limit.option));
    if (!value) {
      note("NumberFormatException happens when parsing the option value");
      return std::nullopt;
    }
    if (*value < limit.min) {
      note(limit.complaint);
      return std::nullopt;
    }
    quota.set(limit.key, *value);
  }
  return quota;
}

// A chain from the root to a leaf may hold one quota only.
Status check_relatives(BlockingClient& zk, const std::string& path) {
  const auto below = visit_tree(zk, kRoot + path, false, [&](const std::string& node) -> Status {
    const OpResult children = zk.call(Op::get_children(node));
    if (node != kRoot + path && children.ok() && holds_limit(children))
      return make_error(Errc::already_exists, "{} has a child {} which has a quota", path,
                        node.substr(kRoot.size()));
    return {};
  });
  if (!below && below.error().code == Errc::already_exists) return below;
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string above = path.substr(0, slash);
    const OpResult children = zk.call(Op::get_children(kRoot + above));
    if (!children.ok() || children.children.empty()) return {};
    if (holds_limit(children))
      return make_error(Errc::already_exists, "{} has a parent {} which has a quota", path, above);
  }
  return {};
}

void warn_if_exceeded(const Quota& limit, const Quota& usage) {
  const auto under = [&](const char* key, const char* used) {
    return limit.get(key) > -1 && limit.get(key) < usage.get(used);
  };
  if (under(kCount, kCount) || under(kCountHard, kCount))
    put(fmt::format("[Warning]: the count quota you create is less than the existing count:{}\n",
                    usage.get(kCount)));
  if (under(kBytes, kBytes) || under(kBytesHard, kBytes))
    put(fmt::format("[Warning]: the bytes quota you create is less than the existing bytes:{}\n",
                    usage.get(kBytes)));
}

Status create_if_missing(BlockingClient& zk, const std::string& path, jute::Buffer data) {
  const OpResult result = zk.call(Op::create(path, std::move(data)));
  if (!result.ok() && result.error != ErrorCode::node_exists) return keeper_error(result);
  return {};
}

Status write_quota(BlockingClient& zk, const std::string& path, const Quota& asked) {
  const OpResult there = zk.call(Op::exists(limit_path(path)));
  if (!there.ok() && there.error != ErrorCode::no_node) return keeper_error(there);
  Quota limit = asked;
  if (there.ok()) {
    auto old = read_quota(zk, limit_path(path));
    if (!old) return old.error();
    for (const char* key : {kCount, kBytes, kCountHard, kBytesHard}) {
      if (asked.get(key) > -1) old->set(key, asked.get(key));
    }
    limit = *old;
  } else {
    Quota zero;
    zero.set(kCount, 0);
    zero.set(kBytes, 0);
    if (auto status = create_if_missing(zk, limit_path(path), limit.text()); !status) return status;
    if (auto status = create_if_missing(zk, stat_path(path), zero.text()); !status) return status;
  }
  const auto usage = read_quota(zk, stat_path(path));
  if (!usage) return usage.error();
  warn_if_exceeded(limit, *usage);
  if (!there.ok()) return {};
  const auto result = checked_call(zk, Op::set_data(limit_path(path), limit.text()));
  return result ? Status() : result.error();
}

Status set_quota(BlockingClient& zk, const Arguments& arguments) {
  const std::string& path = arguments.words[1];
  if (path.starts_with(kRoot)) {
    note("cannot set a quota under the path: " + kRoot);
    return {};
  }
  const auto asked = asked_quota(arguments);
  if (!asked) return {};
  if (auto status = check_path(path); !status) return status;
  const OpResult node = zk.call(Op::exists(path));
  if (node.error == ErrorCode::no_node) return make_error(Errc::not_found, "{} does not exist.", path);
  if (!node.ok()) return keeper_error(node);
  if (auto status = check_relatives(zk, path); !status) return status;
  for (std::size_t slash = 0; slash != std::string::npos;) {
    slash = path.find('/', slash + 1);
    if (auto status = create_if_missing(zk, kRoot + path.substr(0, slash), std::nullopt); !status)
      return status;
  }
  return write_quota(zk, path, *asked);
}

Status list_quota(BlockingClient& zk, const Arguments& arguments) {
  const std::string& path = arguments.words[1];
  note("absolute path is " + limit_path(path));
  if (auto status = check_path(limit_path(path)); !status) return status;
  const OpResult limit = zk.call(Op::get_data(limit_path(path)));
  const OpResult usage = limit.ok() ? zk.call(Op::get_data(stat_path(path))) : limit;
  if (usage.error == ErrorCode::no_node) {
    note("quota for " + path + " does not exist.");
    return {};
  }
  if (!usage.ok()) return keeper_error(usage);
  put(fmt::format("Output quota for {} {}\n", path, Quota::parse(limit.data.value_or("")).text()));
  put(fmt::format("Output stat for {} {}\n", path, Quota::parse(usage.data.value_or("")).text()));
  return {};
}

// Removes quota nodes without children, upwards.
Status trim(BlockingClient& zk, std::string path) {
  while (path != kRoot) {
    const auto children = checked_call(zk, Op::get_children(path));
    if (!children) return children.error();
    if (!children->children.empty()) return {};
    const auto removed = checked_call(zk, Op::remove(path));
    if (!removed) return removed.error();
    path = path.substr(0, path.rfind('/'));
  }
  return {};
}

Status delete_quota(BlockingClient& zk, const Arguments& arguments) {
  const std::string& path = arguments.words[1];
  if (auto status = check_path(limit_path(path)); !status) return status;
  const OpResult there = zk.call(Op::get_data(limit_path(path)));
  if (there.error == ErrorCode::no_node) {
    put("Quota does not exist for " + path + "\n");
    return {};
  }
  if (!there.ok()) return keeper_error(there);
  if (arguments.given.empty()) {
    const auto children = checked_call(zk, Op::get_children(kRoot + path));
    if (!children) return children.error();
    for (const std::string& child : children->children) {
      const auto removed = checked_call(zk, Op::remove(kRoot + path + "/" + child));
      if (!removed) return removed.error();
    }
    return trim(zk, kRoot + path);
  }
  Quota limit = Quota::parse(there.data.value_or(""));
  const std::pair<const char*, const char*> keys[] = {
      {"n", kCount}, {"b", kBytes}, {"N", kCountHard}, {"B", kBytesHard}};
  for (const auto& [option, key] : keys) {
    if (arguments.has(option)) limit.set(key, -1);
  }
  const auto result = checked_call(zk, Op::set_data(limit_path(path), limit.text()));
  return result ? Status() : result.error();
}

constexpr Option kSetQuotaOptions[] = {{"n", true, "num soft quota"},
                                       {"b", true, "bytes soft quota"},
                                       {"N", true, "num hard quota"},
                                       {"B", true, "bytes hard quota"}};
constexpr Option kDeleteOptions[] = {{"n", false, "num soft quota"},
                                     {"b", false, "bytes soft quota"},
                                     {"N", false, "num hard quota"},
                                     {"B", false, "bytes hard quota"}};

constexpr Verb kQuotaVerbs[] = {
    {"setquota", "-n|-b|-N|-B val path", {kSetQuotaOptions, true, true}, 2, set_quota},
    {"listquota", "path", {}, 2, list_quota},
    {"delquota", "[-n|-b|-N|-B] path", {kDeleteOptions, false, true}, 2, delete_quota},
};

}  // namespace

std::span<const Verb> quota_verbs() { return kQuotaVerbs; }

}  // namespace tandem::tools::shell
