// getAcl, setAcl, addauth, whoami.
#include "tools/shell/print.h"
#include "tools/shell/verbs.h"

namespace tandem::tools::shell {

namespace {

using base::Errc;
using base::make_error;
using base::Status;
using zkclient::BlockingClient;
using zkclient::Op;

Status get_acl(BlockingClient& zk, const Arguments& arguments) {
  const auto result = checked_call(zk, Op::get_acl(arguments.words[1]));
  if (!result) return result.error();
  put(acl_text(result->acl));
  if (arguments.has("s")) put(stat_text(result->stat));
  return {};
}

Status set_acl(BlockingClient& zk, const Arguments& arguments) {
  const std::string& path = arguments.words[1];
  const auto acl = parse_acl(arguments.words[2]);
  std::int32_t version = zksession::kAnyVersion;
  if (arguments.has("v")) {
    const auto parsed = parse_integer(arguments.value("v"));
    if (!parsed) return make_error(Errc::invalid_argument, "-v argument must be an int value");
    version = static_cast<std::int32_t>(*parsed);
  }
  zkclient::OpResult refused;
  refused.error = jute::ErrorCode::invalid_acl;
  if (arguments.has("R")) {
    return visit_tree(zk, path, false, [&](const std::string& node) {
      const auto result = acl.empty() ? refused : zk.call(Op::set_acl(node, acl, version));
      if (!result.ok()) put(jute::keeper_message(result.error, result.path));
      return Status();
    });
  }
  if (auto status = check_path(path); !status) return status;
  if (acl.empty()) return keeper_error(refused);
  const auto result = checked_call(zk, Op::set_acl(path, acl, version));
  if (!result) return result.error();
  if (arguments.has("s")) put(stat_text(result->stat));
  return {};
}

Status add_auth(BlockingClient& zk, const Arguments& arguments) {
  zk.add_auth(arguments.words[1], arguments.words.size() > 2 ? arguments.words[2] : std::string());
  return {};
}

Status who_am_i(BlockingClient& zk, const Arguments&) {
  const auto result = zk.call(Op::who_am_i());
  if (!result.ok()) return keeper_error(result);
  put("Auth scheme: User\n");
  for (const jute::ClientInfo& info : result.who) put(fmt::format("{}: {}\n", info.auth_scheme, info.user));
  return {};
}

constexpr Option kStatOption[] = {{"s", false, "stats"}};
constexpr Option kSetAclOptions[] = {
    {"s", false, "stats"}, {"v", true, "version"}, {"R", false, "recursive"}};

constexpr Verb kAclVerbs[] = {
    {"getAcl", "[-s] path", {kStatOption}, 2, get_acl},
    {"setAcl", "[-s] [-v version] [-R] path acl", {kSetAclOptions}, 3, set_acl},
    {"addauth", "scheme auth", {}, 2, add_auth},
    {"whoami", "", {}, 1, who_am_i},
};

}  // namespace

std::span<const Verb> acl_verbs() { return kAclVerbs; }

}  // namespace tandem::tools::shell
