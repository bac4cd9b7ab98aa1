#include "broker/controller/registration.h"

#include <fmt/core.h>

#include "broker/zk/controller.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {
namespace {

using zk::ZkCode;
using zk::ZkOp;

// Another owner's node is polled for: ids go away with their session, and a restart is quick.
constexpr int kEnlistAttemptsMax = 5;

bool made(const zk::ZkResult& result) { return result.ok() || result.code == ZkCode::node_exists; }

}  // namespace

zk::TopicId random_id(base::Random& random) {
  zk::TopicId id{};
  do {
    random.fill(id);
    id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x40);
    id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);
  } while (zk::topic_id_text(id).front() == '-');  // would read as an option on command lines
  return id;
}

void Registration::prepare(PrepareOptions options) {
  script_ = run_prepare(std::move(options));
  script_.start();
}

void Registration::enlist(zk::BrokerRegistration broker, std::int64_t session, base::WallTime now,
                          bool predecessor_gone) {
  zk_.forget();
  script_ = run_enlist(std::move(broker), session, now, predecessor_gone);
  script_.start();
}

void Registration::update(zk::BrokerRegistration broker, base::WallTime now) {
  zk_.forget();
  script_ = run_update(std::move(broker), now);
  script_.start();
}

void Registration::on_results(std::uint64_t batch, std::vector<zk::ZkResult> results) {
  zk_.answer(batch, std::move(results));
}

void Registration::on_session_lost() {
  zk_.forget();
  script_.reset();
}

std::vector<Registration::Effect> Registration::take() {
  std::vector<Effect> out;
  for (auto& batch : zk_.take()) out.emplace_back(std::move(batch));
  for (auto& effect : std::exchange(effects_, {})) out.push_back(std::move(effect));
  return out;
}

void Registration::refuse(std::string reason) { effects_.emplace_back(Refused{std::move(reason)}); }

Task<bool> Registration::make_paths(std::vector<std::string> paths) {
  std::vector<ZkOp> ops;
  for (const auto& path : paths) {
    for (auto& ancestor : zk::ancestors(path)) ops.push_back(zk::create_empty_op(std::move(ancestor)));
    ops.push_back(zk::create_empty_op(path));
  }
  const auto results = co_await zk_.run(std::move(ops));
  for (const auto& result : results) {
    if (made(result)) continue;
    refuse(fmt::format("the coordination service refused to create the broker's persistent paths (code {})",
                       static_cast<int>(result.code)));
    co_return false;
  }
  co_return true;
}

Task<std::optional<std::string>> Registration::cluster_id() {
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto read = co_await zk_.run(zk::get_op(std::string(zk::kClusterIdPath)));
    if (read.front().ok()) {
      const auto id = zk::decode_cluster_id(read.front().data);
      if (id) co_return *id;
      refuse(id.error().context);
      co_return std::nullopt;
    }
    const auto fresh = zk::topic_id_text(random_id(random_));
    std::vector<ZkOp> ops;
    ops.push_back(zk::create_empty_op("/cluster"));
    ops.push_back(zk::create_op(std::string(zk::kClusterIdPath), zk::encode_cluster_id(fresh)));
    const auto created = co_await zk_.run(std::move(ops));
    if (created.back().ok()) co_return fresh;
  }
  refuse("the cluster id at /cluster/id could be neither read nor created");
  co_return std::nullopt;
}

Task<std::optional<std::int32_t>> Registration::draw_id(std::int32_t reserved_max) {
  const auto drawn = co_await zk_.run(zk::set_op(std::string(zk::kSequenceIdPath), ""));
  if (drawn.front().ok()) co_return drawn.front().stat.version + reserved_max;
  refuse(fmt::format("no broker id could be drawn from {} (code {})", zk::kSequenceIdPath,
                     static_cast<int>(drawn.front().code)));
  co_return std::nullopt;
}

// A tree that shows an older cluster is joined only on the operator's word, since the inter-broker protocol
// is not negotiated: /controller of version 1 was written below 3.4, /feature of version 1 below 3.3.
Task<bool> Registration::tree_is_acceptable(PrepareOptions options) {
  std::vector<ZkOp> ops;
  ops.push_back(zk::get_op(std::string(zk::kControllerPath)));
  ops.push_back(zk::get_op(std::string(zk::kFeaturePath)));
  ops.push_back(zk::exists_op(zk::topic_path("__transaction_state")));
  const auto found = co_await zk_.run(std::move(ops));
  const bool old_controller =
      found[0].ok() && found[0].data.find("\"kraftControllerEpoch\"") == std::string::npos;
  const auto feature = found[1].ok() ? zk::decode_feature(found[1].data) : zk::FeatureNode{};
  const bool old_feature = !feature || feature->version < 2 || !feature->enabled;
  if (!options.protocol_configured && (old_controller || old_feature)) {
    refuse(
        "the tree belongs to a cluster of an older inter-broker protocol: set inter.broker.protocol.version "
        "to "
        "the version that its brokers use");
    co_return false;
  }
  if (found[2].ok() && !options.accept_transactions) {
    refuse(
        "the tree has the topic __transaction_state, and transactions are not supported yet: set "
        "tandem.accept.transactions=true to start all the same");
    co_return false;
  }
  co_return true;
}

Task<void> Registration::run_prepare(PrepareOptions options) {
  std::vector<std::string> paths = options.required_paths;
  for (const auto path : zk::persistent_paths()) paths.emplace_back(path);
  const bool acceptable = co_await tree_is_acceptable(options);
  if (!acceptable) co_return;
  const bool have_paths = co_await make_paths(std::move(paths));
  if (!have_paths) co_return;
  const auto cluster = co_await cluster_id();
  if (!cluster) co_return;
  Prepared prepared{options.broker_id, *cluster};
  if (prepared.broker_id < 0) {
    if (!options.id_generation) {
      refuse("broker.id is not set and broker.id.generation.enable is false");
      co_return;
    }
    const auto drawn = co_await draw_id(options.reserved_id_max);
    if (!drawn) co_return;
    prepared.broker_id = *drawn;
  }
  effects_.emplace_back(std::move(prepared));
}

Task<bool> Registration::endpoints_are_free(zk::BrokerRegistration broker) {
  const auto list = co_await zk_.run(zk::children_op(std::string(zk::kBrokerIdsPath)));
  std::vector<ZkOp> ops;
  std::vector<std::string> ids;
  for (const auto& id : list.front().children) {
    if (id == std::to_string(broker.id)) continue;
    ids.push_back(id);
    ops.push_back(zk::get_op(fmt::format("{}/{}", zk::kBrokerIdsPath, id)));
  }
  const auto others = co_await zk_.run(std::move(ops));
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (!others[i].ok()) continue;
    const auto other = zk::decode_broker(0, others[i].data);
    if (!other) continue;
    for (const auto& theirs : other->endpoints) {
      for (const auto& ours : broker.endpoints) {
        if (ours.host != theirs.host || ours.port != theirs.port) continue;
        refuse(fmt::format("the end point {}:{} is already registered by broker {}", ours.host, ours.port,
                           ids[i]));
        co_return false;
      }
    }
  }
  co_return true;
}

// Nothing: it has gone away meanwhile.
Task<std::optional<Registration::Standing>> Registration::look_at(zk::BrokerRegistration broker,
                                                                  std::int64_t session,
                                                                  bool predecessor_gone) {
  const auto found = co_await zk_.run(zk::get_op(zk::broker_path(broker.id)));
  const zk::ZkResult& node = found.front();
  if (!node.ok()) co_return std::nullopt;
  Standing standing;
  standing.owner = node.stat.ephemeral_owner;
  if (standing.owner == session) {
    standing.ours = node.stat.czxid;
  } else if (own_session_ && standing.owner == *own_session_) {
    standing.replace = node.stat.version;  // of our expired session, which the service still lists
  } else if (predecessor_gone) {
    // Other end points: perhaps a copy of the directories on another machine, which may be serving.
    const auto before = zk::decode_broker(broker.id, node.data);
    if (before && before->endpoints == broker.endpoints) standing.replace = node.stat.version;
  }
  co_return standing;
}

Task<void> Registration::run_enlist(zk::BrokerRegistration broker, std::int64_t session, base::WallTime now,
                                    bool predecessor_gone) {
  const bool free = co_await endpoints_are_free(broker);
  if (!free) co_return;
  const std::string path = zk::broker_path(broker.id);
  Standing standing;
  for (int attempt = 0; attempt < kEnlistAttemptsMax; ++attempt) {
    ZkOp create = zk::create_empty_op(path);
    create.ephemeral = true;
    std::vector<ZkOp> parts;
    if (standing.replace) parts.push_back(zk::remove_op(path, *standing.replace));
    parts.push_back(std::move(create));
    parts.push_back(zk::set_op(path, zk::encode_broker(broker, now), 0));
    const auto written = co_await zk_.run(zk::multi_op(std::move(parts)));
    const ZkCode code = written.front().code;
    std::optional<std::int64_t> epoch;
    if (written.front().ok()) {
      epoch = written.front().parts.back().stat.czxid;
    } else if (code == ZkCode::node_exists || (standing.replace && code != ZkCode::ok)) {
      auto seen = co_await look_at(broker, session, predecessor_gone);
      standing = seen ? *seen : Standing{};
      epoch = standing.ours;
      if (seen && !epoch && !standing.replace) break;
      if (!epoch) continue;
    } else {
      refuse(fmt::format("the registration at {} was refused (code {})", path, static_cast<int>(code)));
      co_return;
    }
    own_session_ = session;
    effects_.emplace_back(Enlisted{*epoch});
    co_return;
  }
  refuse(fmt::format(
      "{} exists and belongs to another session (0x{:x}): another broker uses broker.id={}, or the "
      "last one's session has not expired yet",
      path, static_cast<std::uint64_t>(standing.owner), broker.id));
}

Task<void> Registration::run_update(zk::BrokerRegistration broker, base::WallTime now) {
  co_await zk_.run(zk::set_op(zk::broker_path(broker.id), zk::encode_broker(broker, now)));
}

}  // namespace tandem::broker::controller
