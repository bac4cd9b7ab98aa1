#include "tools/shell/verbs.h"

#include <algorithm>
#include <cstdio>

#include "zksession/connect_string.h"

namespace tandem::tools::shell {

using zkclient::BlockingClient;
using zkclient::Op;
using zkclient::OpResult;

const Verb* find_verb(std::string_view name) {
  for (const auto verbs : {node_verbs(), acl_verbs(), quota_verbs(), watch_verbs()}) {
    for (const Verb& verb : verbs) {
      if (name == verb.name) return &verb;
    }
  }
  return nullptr;
}

std::string usage_of(const Verb& verb) {
  std::string text = fmt::format("{} {}", verb.name, verb.syntax);
  if (verb.lists_options) text += "\n" + describe_options(verb.options);
  return text;
}

base::Error keeper_error(const OpResult& result) {
  using jute::ErrorCode;
  const char* prefix = nullptr;
  switch (result.error) {
    case ErrorCode::no_node:
      prefix = "Node does not exist: ";
      break;
    case ErrorCode::no_children_for_ephemerals:
      prefix = "Ephemerals cannot have children: ";
      break;
    case ErrorCode::node_exists:
      prefix = "Node already exists: ";
      break;
    case ErrorCode::not_empty:
      prefix = "Node not empty: ";
      break;
    case ErrorCode::not_read_only:
      prefix = "Not a read-only call: ";
      break;
    case ErrorCode::invalid_acl:
      prefix = "Acl is not valid : ";
      break;
    case ErrorCode::no_auth:
      prefix = "Insufficient permission : ";
      break;
    case ErrorCode::bad_arguments:
      prefix = "Arguments are not valid : ";
      break;
    case ErrorCode::bad_version:
      prefix = "version No is not valid : ";
      break;
    case ErrorCode::quota_exceeded:
      prefix = "Quota has exceeded : ";
      break;
    default:
      return {base::Errc::invalid_argument, jute::keeper_message(result.error, result.path)};
  }
  return {base::Errc::invalid_argument, prefix + (result.path.empty() ? "null" : result.path)};
}

base::Status check_path(std::string_view path) {
  std::string fault = zksession::path_fault(path);
  if (fault.empty()) return {};
  return base::Error{base::Errc::invalid_argument, std::move(fault)};
}

base::Result<OpResult> checked_call(BlockingClient& zk, Op op) {
  if (auto status = check_path(op.path); !status) return status.error();
  OpResult result = zk.call(std::move(op));
  if (!result.ok()) return keeper_error(result);
  return result;
}

namespace {

base::Status visit_below(BlockingClient& zk, const std::string& path, bool watch,
                         const std::function<base::Status(const std::string&)>& visit) {
  OpResult result = zk.call(Op::get_children(path, watch));
  if (result.error == jute::ErrorCode::no_node) return {};  // deleted meanwhile
  if (!result.ok()) return keeper_error(result);
  std::sort(result.children.begin(), result.children.end());
  const std::string prefix = path == "/" ? path : path + "/";
  for (const std::string& child : result.children) {
    if (auto status = visit(prefix + child); !status) return status;
  }
  for (const std::string& child : result.children) {
    if (auto status = visit_below(zk, prefix + child, watch, visit); !status) return status;
  }
  return {};
}

}  // namespace

base::Status visit_tree(BlockingClient& zk, const std::string& path, bool watch,
                        const std::function<base::Status(const std::string&)>& visit) {
  const auto root = checked_call(zk, Op::get_data(path, watch));
  if (!root) return root.error();
  if (auto status = visit(path); !status) return status;
  return visit_below(zk, path, watch, visit);
}

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void note(std::string_view line) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

}  // namespace tandem::tools::shell
