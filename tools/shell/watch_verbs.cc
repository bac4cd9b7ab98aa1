// addWatch, removewatches, and what concerns the ensemble: config, reconfig, version.
#include <algorithm>

#include "base/version.h"
#include "tools/shell/print.h"
#include "tools/shell/verbs.h"

namespace tandem::tools::shell {

namespace {

using base::Errc;
using base::make_error;
using base::Status;
using jute::WatcherType;
using zkclient::BlockingClient;
using zkclient::Op;

Status add_watch(BlockingClient& zk, const Arguments& arguments) {
  auto mode = jute::AddWatchMode::persistent_recursive;
  std::string name = arguments.has("m") ? arguments.value("m") : "PERSISTENT_RECURSIVE";
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  if (name == "PERSISTENT") mode = jute::AddWatchMode::persistent;
  if (arguments.words.size() != 2 || (name != "PERSISTENT" && name != "PERSISTENT_RECURSIVE"))
    return base::Error{Errc::invalid_argument, usage_of(*find_verb("addWatch"))};
  const auto result = checked_call(zk, Op::add_watch(arguments.words[1], mode));
  return result ? Status() : result.error();
}

Status remove_watches(BlockingClient& zk, const Arguments& arguments) {
  const std::pair<const char*, WatcherType> types[] = {{"c", WatcherType::children},
                                                       {"d", WatcherType::data},
                                                       {"p", WatcherType::persistent},
                                                       {"r", WatcherType::persistent_recursive}};
  WatcherType type = WatcherType::any;
  for (const auto& [option, meaning] : types) {
    if (!arguments.has(option)) continue;
    type = meaning;
    break;
  }
  const auto result = checked_call(zk, Op::remove_watches(arguments.words[1], type, arguments.has("l")));
  return result ? Status() : result.error();
}

// "version host:port,...": the client addresses of the servers in a configuration.
std::string client_connect_string(std::string_view config) {
  std::string version, servers;
  while (!config.empty()) {
    const auto end = config.find('\n');
    const std::string_view line = config.substr(0, end);
    config = end == std::string_view::npos ? std::string_view() : config.substr(end + 1);
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    if (line.substr(0, equals) == "version") version = line.substr(equals + 1);
    const auto client = line.find(';');
    if (!line.starts_with("server.") || client == std::string_view::npos) continue;
    const std::string_view address = line.substr(client + 1);
    servers += fmt::format("{}{}{}", servers.empty() ? "" : ",",
                           address.find(':') == std::string_view::npos ? "0.0.0.0:" : "", address);
  }
  return version + " " + servers;
}

Status config(BlockingClient& zk, const Arguments& arguments) {
  Op op = Op::get_data("/zookeeper/config", arguments.has("w"));
  op.absolute = true;
  const auto result = checked_call(zk, std::move(op));
  if (!result) return result.error();
  const std::string text = result->data.value_or("null");
  put((arguments.has("c") ? client_connect_string(text) : text) + "\n");
  if (arguments.has("s")) put(stat_text(result->stat));
  return {};
}

Status reconfig(BlockingClient& zk, const Arguments& arguments) {
  const auto given = [&](const char* option) { return arguments.has(option); };
  if (!given("members") && !given("add") && !given("remove") && !given("file"))
    return base::Error{Errc::invalid_argument, usage_of(*find_verb("reconfig"))};
  if (given("file"))
    return make_error(Errc::invalid_argument, "reconfig -file is not supported: use -members");
  if (given("members") && (given("add") || given("remove"))) {
    return make_error(Errc::invalid_argument,
                      "Can't use -file or -members together with -add or -remove (mixing incremental and "
                      "non-incremental modes is not allowed)");
  }
  Op op;
  op.code = jute::OpCode::reconfig;
  if (given("v")) {
    const auto version = parse_integer(arguments.value("v"), 16);
    if (!version)
      return make_error(Errc::invalid_argument, "-v must be followed by a long (configuration version)");
    op.reconfig.cur_config_id = *version;
  }
  const auto lower = [&](const char* option) -> jute::Buffer {
    if (!given(option)) return std::nullopt;
    std::string value = arguments.value(option);
    std::transform(value.begin(), value.end(), value.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return value;
  };
  op.reconfig.joining_servers = lower("add");
  op.reconfig.leaving_servers = lower("remove");
  op.reconfig.new_members = lower("members");
  const auto result = zk.call(std::move(op));
  if (!result.ok()) return keeper_error(result);
  put("Committed new configuration:\n" + result.data.value_or("") + "\n");
  if (given("s")) put(stat_text(result.stat));
  return {};
}

Status version(BlockingClient&, const Arguments& arguments) {
  if (arguments.words.size() > 1) return base::Error{Errc::invalid_argument, usage_of(*find_verb("version"))};
  put(fmt::format("ZooKeeper CLI version: {}\n", base::kZooKeeperVersion));
  return {};
}

constexpr Option kModeOption[] = {{"m", true, ""}};
constexpr Option kRemoveOptions[] = {{"c", false, "child watcher type"},
                                     {"d", false, "data watcher type"},
                                     {"p", false, "persistent watcher type"},
                                     {"r", false, "persistent recursive watcher type"},
                                     {"a", false, "any watcher type"},
                                     {"l", false, "remove locally when there is no server connection"}};
constexpr Option kConfigOptions[] = {
    {"s", false, "stats"}, {"w", false, "watch"}, {"c", false, "client connection string"}};
constexpr Option kReconfigOptions[] = {{"s", false, "stats"},
                                       {"v", true, "required current config version"},
                                       {"file", true, "path of config file to parse for membership"},
                                       {"members", true, "comma-separated list of servers, all of them"},
                                       {"add", true, "comma-separated list of new servers"},
                                       {"remove", true, "comma-separated list of server IDs to remove"}};

constexpr Verb kWatchVerbs[] = {
    {"addWatch",
     "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is "
     "PERSISTENT_RECURSIVE",
     {kModeOption},
     1,
     add_watch},
    {"removewatches", "path [-c|-d|-a] [-l]", {kRemoveOptions}, 2, remove_watches},
    {"config", "[-c] [-w] [-s]", {kConfigOptions}, 1, config},
    {"reconfig",
     "[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | "
     "[-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]",
     {kReconfigOptions},
     1,
     reconfig},
    {"version", "", {}, 1, version},
};

}  // namespace

std::span<const Verb> watch_verbs() { return kWatchVerbs; }

}  // namespace tandem::tools::shell
