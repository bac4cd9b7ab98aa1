// The office of the controller: who holds it, how it is won and laid down. Kafka's election is one multi that
// creates /controller and raises /controller_epoch under its version; taking the office over from a dead
// holder (suspicion.cc) removes the node in the same multi.
#include "broker/controller/controller.h"
#include "broker/zk/controller.h"
#include "broker/zk/paths.h"

namespace tandem::broker::controller {

using zk::ZkCode;
using zk::ZkOp;

void Controller::resign() {
  for (const auto& [id, broker] : state_.brokers) {
    effects_.emplace_back(Disconnect{id});
    if (id != options_.broker_id) effects_.emplace_back(UnwatchBroker{id});
  }
  for (const auto& [id, epoch] : state_.suspects) effects_.emplace_back(UnwatchBroker{id});
  if (active_) effects_.emplace_back(Became{false, state_.epoch});
  active_ = false;
  rebalance_at_.reset();
  state_ = ClusterState{};
  batch_.clear();
  sent_.clear();
  for (auto& waiting : std::exchange(waiting_, {})) reply(waiting.token, std::move(waiting.reply));
  for (const auto& [token, request] : std::exchange(asked_, {})) refuse(token, request);
  std::erase_if(events_, [](const Event& event) { return std::holds_alternative<Asked>(event); });
}

// Looks at /controller: stands for election where it is absent, lays down an office whose epoch is lost (to
// be stood for anew), and takes over one that an earlier process of this broker has left.
Task<void> Controller::stand() {
  std::vector<ZkOp> ops;
  ops.push_back(zk::exists_op(std::string(zk::kControllerPath), true));
  ops.push_back(zk::get_op(std::string(zk::kControllerPath)));
  const auto found = co_await zk_.run(std::move(ops));
  if (!found[1].ok()) {
    if (active_) resign();
    active_id_ = -1;
    unwatch_holder();
    const bool won = co_await win();
    if (won) co_await begin();
    co_return;
  }
  const auto holder = zk::decode_controller(found[1].data);
  active_id_ = holder ? holder->broker : -1;
  const bool own_session = found[1].stat.ephemeral_owner == session_;
  const bool own_id = active_id_ == options_.broker_id;
  if (active_ && own_session && own_id) co_return;
  if (active_) resign();
  if (own_session && own_id) {
    co_await leave();
  } else if (own_id && options_.take_over_own) {
    co_await take_over_own_office();
  } else {
    co_await watch_holder();
  }
}

Task<bool> Controller::win() {
  const std::string epoch_path(zk::kControllerEpochPath);
  auto read = co_await zk_.run(zk::get_op(epoch_path));
  if (read.front().code == ZkCode::no_node) {
    co_await zk_.run(zk::create_op(epoch_path, "0"));
    read = co_await zk_.run(zk::get_op(epoch_path));
  }
  const auto current = zk::decode_controller_epoch(read.front().data);
  if (!read.front().ok() || !current) {
    effects_.emplace_back(Note{"no election: /controller_epoch cannot be read"});
    co_return false;
  }
  const bool won = co_await seize({*current, read.front().stat.version}, false);
  co_return won;
}

// Creates /controller, in place of the node that stands, and raises the epoch in one multi. A lost reply
// shows as NODEEXISTS or BADVERSION on the second try: we have won when the node is ours and the epoch is the
// one that we meant to write.
Task<bool> Controller::seize(Epoch current, bool standing) {
  const std::string path(zk::kControllerPath);
  const std::string epoch_path(zk::kControllerEpochPath);
  const std::int32_t next = current.number + 1;
  const base::WallTime wall{wall_.ms +
                            std::chrono::duration_cast<base::milliseconds>(now_ - wall_at_).count()};
  ZkOp create = zk::create_op(path, zk::encode_controller(options_.broker_id, wall));
  create.ephemeral = true;
  std::vector<ZkOp> parts;
  if (standing) parts.push_back(zk::remove_op(path));
  parts.push_back(std::move(create));
  parts.push_back(zk::set_op(epoch_path, std::to_string(next), current.version));
  const auto written = co_await zk_.run(zk::multi_op(std::move(parts)));
  if (written.front().ok()) {
    state_.epoch = next;
    state_.epoch_version = written.front().parts.back().stat.version;
    co_return true;
  }
  std::vector<ZkOp> ops;
  ops.push_back(zk::get_op(path));
  ops.push_back(zk::get_op(epoch_path));
  const auto seen = co_await zk_.run(std::move(ops));
  if (!seen[0].ok() || !seen[1].ok()) co_return false;
  const auto holder = zk::decode_controller(seen[0].data);
  const auto epoch = zk::decode_controller_epoch(seen[1].data);
  active_id_ = holder ? holder->broker : -1;
  const bool ours = holder && holder->broker == options_.broker_id && epoch && *epoch == next &&
                    seen[0].stat.ephemeral_owner == session_;
  if (!ours) co_return false;
  state_.epoch = next;
  state_.epoch_version = seen[1].stat.version;
  co_return true;
}

Task<void> Controller::begin() {
  active_ = true;
  active_id_ = options_.broker_id;
  effects_.emplace_back(Became{true, state_.epoch});
  co_await fail_over();
}

// Another broker may have taken the office over while the session lives: only the node of this session is
// removed, and only as long as nobody has won an election since it was looked at.
Task<void> Controller::leave() {
  resign();
  active_id_ = -1;
  std::vector<ZkOp> ops;
  ops.push_back(zk::get_op(std::string(zk::kControllerEpochPath)));
  ops.push_back(zk::get_op(std::string(zk::kControllerPath)));
  const auto found = co_await zk_.run(std::move(ops));
  if (!found[0].ok() || !found[1].ok() || found[1].stat.ephemeral_owner != session_) co_return;
  std::vector<ZkOp> parts;
  parts.push_back(zk::remove_op(std::string(zk::kControllerPath)));
  parts.push_back(zk::check_op(std::string(zk::kControllerEpochPath), found[0].stat.version));
  co_await zk_.run(zk::multi_op(std::move(parts)));
}

}  // namespace tandem::broker::controller
