#include "tools/kafka/tree.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "broker/zk/brokers.h"
#include "broker/zk/paths.h"
#include "tools/kafka/text.h"

namespace tandem::tools::kafka {

namespace zk = broker::zk;
using zkclient::Op;

namespace {

constexpr base::milliseconds kTreeTimeout{30'000};

}  // namespace

base::Error zk_error(const zkclient::OpResult& result) {
  return base::make_error(base::Errc::unavailable, "{}", jute::keeper_message(result.error, result.path));
}

base::Result<std::unique_ptr<Tree>> Tree::open(const std::string& connect) {
  auto servers = zksession::parse_connect_string(connect);
  if (!servers) return servers.error();
  zkclient::Options options;
  options.session.servers = std::move(*servers);
  options.session.session_timeout = kTreeTimeout;
  options.seed = base::system_seed();
  std::unique_ptr<Tree> tree(new Tree(std::move(options)));
  if (!tree->client_.wait_connected(kTreeTimeout))
    return base::make_error(base::Errc::timed_out,
                            "Timed out waiting for connection while in state: CONNECTING");
  return tree;
}

base::Result<std::vector<std::string>> Tree::children(std::string_view path) {
  auto result = call(Op::get_children(std::string(path)));
  if (result.error == jute::ErrorCode::no_node) return std::vector<std::string>();
  if (!result.ok()) return zk_error(result);
  std::sort(result.children.begin(), result.children.end());
  return result.children;
}

base::Result<std::optional<std::string>> Tree::data(std::string path) {
  auto result = call(Op::get_data(std::move(path)));
  if (result.error == jute::ErrorCode::no_node) return std::optional<std::string>();
  if (!result.ok()) return zk_error(result);
  return std::optional<std::string>(result.data.value_or(""));
}

base::Status Tree::write(const std::string& path, std::string data) {
  auto result = call(Op::set_data(path, data));
  if (result.error == jute::ErrorCode::no_node) result = call(Op::create(path, data));
  if (!result.ok()) return zk_error(result);
  return {};
}

base::Result<std::optional<zk::TopicAssignment>> Tree::assignment(const std::string& topic) {
  const auto found = data(zk::topic_path(topic));
  if (!found) return found.error();
  if (!*found) return std::optional<zk::TopicAssignment>();
  auto assignment = zk::decode_topic(topic, **found);
  if (!assignment) return assignment.error();
  return std::optional(std::move(*assignment));
}

base::Result<std::vector<broker::controller::AssignableBroker>> Tree::brokers() {
  const auto ids = children(zk::kBrokerIdsPath);
  if (!ids) return ids.error();
  std::vector<broker::controller::AssignableBroker> out;
  for (const std::string& text : *ids) {
    const auto id = static_cast<std::int32_t>(parse_number(text).value_or(-1));
    const auto found = data(zk::broker_path(id));
    if (!found) return found.error();
    if (!*found) continue;
    const auto registration = zk::decode_broker(id, **found);
    if (!registration) return registration.error();
    out.push_back({id, registration->rack});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return out;
}

base::Result<zk::Config> Tree::config(std::string_view type, const std::string& entity) {
  const std::string path = zk::config_path(type, entity);
  const auto found = data(path);
  if (!found) return found.error();
  if (!*found) return zk::Config();
  return zk::decode_config(path, **found);
}

base::Status Tree::change_config(std::string_view type, const std::string& entity, const zk::Config& config) {
  if (auto written = write(zk::config_path(type, entity), zk::encode_config(config)); !written)
    return written;
  const std::string path = fmt::format("{}/{}", zk::kConfigChangesPath, zk::kConfigChangePrefix);
  const auto told = call(Op::create(path, zk::encode_config_change({std::string(type), entity}),
                                    jute::CreateMode::persistent_sequential));
  if (!told.ok()) return zk_error(told);
  return {};
}

}  // namespace tandem::tools::kafka
