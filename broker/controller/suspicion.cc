// Brokers whose process is gone while their session lives: their connection has ended and their listener
// refuses. They count as dead before the coordination service says so, and a dead controller's office is
// taken over. Everything is written by epoch and version, so that a suspect that lives after all loses
// nothing that it acknowledged to those who asked for all replicas: docs/decisions/0008-early-suspicion.md.
#include <fmt/core.h>

#include "broker/controller/controller.h"
#include "broker/zk/controller.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {

using zk::ZkOp;

Task<void> Controller::on_reachability_seen(Reachability seen) {
  if (active_) {
    if (!options_.suspect_brokers) co_return;
    if (seen.refuses) {
      co_await suspect(seen);
    } else {
      co_await trust(seen);
    }
  } else if (seen.refuses && options_.suspect_controller) {
    co_await take_over(seen);
  }
}

// ---- of brokers, as the controller ----

void Controller::watch(std::int32_t broker) {
  if (broker == options_.broker_id || !options_.suspect_brokers) return;
  const auto& live = state_.brokers.at(broker);
  const auto* endpoint = live.registration.endpoint(options_.control_listener);
  if (endpoint != nullptr) effects_.emplace_back(WatchBroker{broker, live.epoch, *endpoint});
}

// The listener that refuses may be one that the broker has given up for another: its registration is read
// anew. What became of it otherwise, a watch tells.
Task<void> Controller::suspect(Reachability seen) {
  const auto known = state_.brokers.find(seen.broker);
  if (known == state_.brokers.end() || known->second.epoch != seen.epoch) co_return;
  const auto found = co_await zk_.run(zk::get_op(zk::broker_path(seen.broker), true));
  if (!found.front().ok() || found.front().stat.czxid != seen.epoch) co_return;
  const auto broker = zk::decode_broker(seen.broker, found.front().data);
  if (!broker || *broker != known->second.registration) co_return;
  count_out(seen.broker, seen.epoch);
  std::set<std::int32_t> one;
  one.insert(seen.broker);
  co_await on_brokers_down(std::move(one));
}

void Controller::count_out(std::int32_t broker, std::int64_t epoch) {
  effects_.emplace_back(
      Note{fmt::format("broker {} refuses connections: it counts as dead before its session ends", broker)});
  state_.suspects[broker] = epoch;
  state_.brokers.erase(broker);
  effects_.emplace_back(Disconnect{broker});
}

// What was seen while a failover read the tree.
void Controller::count_out_seen() {
  std::erase_if(events_, [this](const Event& event) {
    const auto* seen = std::get_if<Reachability>(&event);
    if (seen == nullptr) return false;
    const auto known = state_.brokers.find(seen->broker);
    const bool counts = seen->refuses && options_.suspect_brokers && known != state_.brokers.end() &&
                        known->second.epoch == seen->epoch;
    if (counts) count_out(seen->broker, seen->epoch);
    return true;
  });
}

// It lives, or lives again and has not said so yet: as one that has just registered.
Task<void> Controller::trust(Reachability seen) {
  const auto suspected = state_.suspects.find(seen.broker);
  if (suspected == state_.suspects.end() || suspected->second != seen.epoch) co_return;
  effects_.emplace_back(Note{fmt::format("broker {} takes connections again", seen.broker)});
  state_.suspects.erase(suspected);
  co_await on_brokers_changed();
}

// ---- of the controller, as another broker ----

Task<void> Controller::watch_holder() {
  const auto holder = active_id_;
  if (!options_.suspect_controller || holder < 0) co_return;
  const auto found = co_await zk_.run(zk::get_op(zk::broker_path(holder)));
  const auto broker = zk::decode_broker(holder, found.front().ok() ? found.front().data : "");
  const auto* endpoint = broker ? broker->endpoint(options_.control_listener) : nullptr;
  if (!found.front().ok() || endpoint == nullptr || active_) {
    unwatch_holder();
    co_return;
  }
  const WatchBroker wanted{holder, found.front().stat.czxid, *endpoint};
  const bool known = watched_holder_ && watched_holder_->broker == holder &&
                     watched_holder_->epoch == wanted.epoch && watched_holder_->endpoint == wanted.endpoint;
  if (known) co_return;
  unwatch_holder();
  watched_holder_ = wanted;
  effects_.emplace_back(wanted);
}

void Controller::unwatch_holder() {
  if (watched_holder_) effects_.emplace_back(UnwatchBroker{watched_holder_->broker});
  watched_holder_.reset();
}

// The epoch is read first: as long as its version stands, nobody has won an election since, and the node that
// is removed is the one that was looked at. Node and registration must be of one session, that of the process
// whose listener refuses.
Task<void> Controller::take_over(Reachability seen) {
  if (!watched_holder_ || watched_holder_->broker != seen.broker || watched_holder_->epoch != seen.epoch)
    co_return;
  std::vector<ZkOp> ops;
  ops.push_back(zk::get_op(std::string(zk::kControllerEpochPath)));
  ops.push_back(zk::get_op(std::string(zk::kControllerPath)));
  ops.push_back(zk::get_op(zk::broker_path(seen.broker)));
  const auto found = co_await zk_.run(std::move(ops));
  if (!found[0].ok() || !found[1].ok() || !found[2].ok()) co_return;  // a watch tells what became of it
  const auto epoch = zk::decode_controller_epoch(found[0].data);
  const auto holder = zk::decode_controller(found[1].data);
  const auto broker = zk::decode_broker(seen.broker, found[2].data);
  const bool same = epoch && holder && broker && holder->broker == seen.broker &&
                    found[2].stat.czxid == seen.epoch &&
                    found[1].stat.ephemeral_owner == found[2].stat.ephemeral_owner;
  if (!same) co_return;
  const auto* endpoint = broker->endpoint(options_.control_listener);
  if (endpoint == nullptr || *endpoint != watched_holder_->endpoint) {
    co_await watch_holder();
    co_return;
  }
  effects_.emplace_back(
      Note{fmt::format("the controller {} refuses connections: its office is taken over", seen.broker)});
  const bool won = co_await seize({*epoch, found[0].stat.version}, true);
  if (!won) co_return;
  state_.suspects[seen.broker] = seen.epoch;
  watched_holder_.reset();  // but not what it observes, which tells when the suspect is back
  co_await begin();
}

// This broker is registered, so its log directories are locked here: the process that held the office is
// gone.
Task<void> Controller::take_over_own_office() {
  std::vector<ZkOp> ops;
  ops.push_back(zk::get_op(std::string(zk::kControllerEpochPath)));
  ops.push_back(zk::get_op(std::string(zk::kControllerPath)));
  const auto found = co_await zk_.run(std::move(ops));
  if (!found[0].ok() || !found[1].ok()) co_return;
  const auto epoch = zk::decode_controller_epoch(found[0].data);
  const auto holder = zk::decode_controller(found[1].data);
  const bool ours =
      epoch && holder && holder->broker == options_.broker_id && found[1].stat.ephemeral_owner != session_;
  if (!ours) co_return;
  const bool won = co_await seize({*epoch, found[0].stat.version}, true);
  if (won) co_await begin();
}

}  // namespace tandem::broker::controller
