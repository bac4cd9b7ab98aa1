#include "broker/shell/tree_link.h"

#include "broker/zk/paths.h"

namespace tandem::broker::shell {
namespace {

using zksession::Op;
using zksession::OpResult;

jute::Buffer payload(zk::ZkOp& op) {
  if (op.null_data) return std::nullopt;
  return std::move(op.data);
}

jute::CreateMode mode_of(const zk::ZkOp& op) {
  if (op.ephemeral)
    return op.sequential ? jute::CreateMode::ephemeral_sequential : jute::CreateMode::ephemeral;
  return op.sequential ? jute::CreateMode::persistent_sequential : jute::CreateMode::persistent;
}

Op to_session(zk::ZkOp op) {
  switch (op.kind) {
    case zk::ZkKind::create:
      return Op::create(std::move(op.path), payload(op), mode_of(op));
    case zk::ZkKind::remove:
      return Op::remove(std::move(op.path), op.version);
    case zk::ZkKind::set:
      return Op::set_data(std::move(op.path), payload(op), op.version);
    case zk::ZkKind::check:
      return Op::check(std::move(op.path), op.version);
    case zk::ZkKind::get:
      return Op::get_data(std::move(op.path), op.watch);
    case zk::ZkKind::exists:
      return Op::exists(std::move(op.path), op.watch);
    case zk::ZkKind::children:
      return Op::get_children(std::move(op.path), op.watch);
    case zk::ZkKind::sync:
      return Op::sync(std::move(op.path));
    case zk::ZkKind::multi:
      break;
  }
  std::vector<Op> parts;
  parts.reserve(op.parts.size());
  for (auto& part : op.parts) parts.push_back(to_session(std::move(part)));
  return Op::multi(std::move(parts));
}

zk::ZkResult from_session(OpResult result) {
  zk::ZkResult out;
  out.code = static_cast<zk::ZkCode>(result.error);
  if (result.data) out.data = std::move(*result.data);
  out.path = std::move(result.path);
  out.stat.czxid = result.stat.czxid.value;
  out.stat.mzxid = result.stat.mzxid.value;
  out.stat.ctime_ms = result.stat.ctime;
  out.stat.ephemeral_owner = result.stat.ephemeral_owner;
  out.stat.version = result.stat.version;
  out.children = std::move(result.children);
  for (auto& part : result.results) out.parts.push_back(from_session(std::move(part)));
  return out;
}

bool is_lost(const OpResult& result) {
  return result.error == jute::ErrorCode::session_expired || result.error == jute::ErrorCode::connection_loss;
}

}  // namespace

TreeLink::TreeLink(net::Loop& loop, TreeLinkOptions options, TreeLinkCallbacks callbacks, logging::Logger log)
    : options_(std::move(options)), callbacks_(std::move(callbacks)), log_(log) {
  zkclient::Options client;
  client.session.servers = options_.servers;
  client.session.session_timeout = options_.session_timeout;
  client.session.max_in_flight = options_.in_flight_max;
  client.seed = options_.seed;
  client_ = std::make_unique<zkclient::Client>(
      loop, std::move(client),
      zkclient::Callbacks{[this](const zkclient::Event& event) { on_event(event); },
                          [this](zkclient::State state) { on_state(state); }});
}

TreeLink::~TreeLink() = default;

void TreeLink::start() { client_->start(); }

void TreeLink::stop(std::function<void()> done) {
  stopping_ = true;
  stopped_ = std::move(done);
  client_->close();
}

void TreeLink::on_state(zkclient::State state) {
  switch (state) {
    case zkclient::State::connected:
    case zkclient::State::connected_read_only: {
      const auto id = client_->session_id().value;
      if (id == session_) return;  // the same session on another connection
      make_chroot([this, id] {
        session_ = id;
        callbacks_.on_session(id);
      });
      return;
    }
    case zkclient::State::expired:
    case zkclient::State::auth_failed:
      session_ = 0;
      callbacks_.on_lost();
      if (!stopping_ && state == zkclient::State::expired) client_->start();
      return;
    case zkclient::State::closed:
      session_ = 0;
      if (stopped_) std::exchange(stopped_, nullptr)();
      return;
    case zkclient::State::connecting:
      return;
  }
}

// The chroot of the connect string is made on first contact, as Kafka does.
void TreeLink::make_chroot(std::function<void()> done) {
  if (chroot_made_ || options_.servers.chroot.empty()) {
    done();
    return;
  }
  std::vector<Op> ops;
  auto paths = zk::ancestors(options_.servers.chroot);
  paths.push_back(options_.servers.chroot);
  for (auto& path : paths) {
    ops.push_back(Op::create(std::move(path), std::nullopt));
    ops.back().absolute = true;
  }
  client_->submit_all(std::move(ops), zkclient::OnLoss::retry,
                      [this, done = std::move(done)](std::vector<OpResult> results) {
                        const auto& last = results.back();
                        if (is_lost(last)) return;
                        if (!last.ok() && last.error != jute::ErrorCode::node_exists) {
                          log_.error("the chroot {} could not be made (code {})", options_.servers.chroot,
                                     static_cast<int>(last.error));
                        }
                        chroot_made_ = true;
                        done();
                      });
}

void TreeLink::on_event(const zkclient::Event& event) {
  switch (event.type) {
    case jute::EventType::node_created:
      callbacks_.on_watch(event.path, zk::ZkEvent::created);
      return;
    case jute::EventType::node_deleted:
      callbacks_.on_watch(event.path, zk::ZkEvent::deleted);
      return;
    case jute::EventType::node_data_changed:
      callbacks_.on_watch(event.path, zk::ZkEvent::data_changed);
      return;
    case jute::EventType::node_children_changed:
      callbacks_.on_watch(event.path, zk::ZkEvent::children_changed);
      return;
    default:
      return;
  }
}

void TreeLink::perform(std::vector<zk::ZkOp> ops, std::function<void(std::vector<zk::ZkResult>)> done) {
  std::vector<Op> out;
  out.reserve(ops.size());
  for (auto& op : ops) out.push_back(to_session(std::move(op)));
  client_->submit_all(std::move(out), zkclient::OnLoss::retry,
                      [done = std::move(done)](std::vector<OpResult> results) {
                        std::vector<zk::ZkResult> answers;
                        answers.reserve(results.size());
                        for (auto& result : results) {
                          if (is_lost(result)) return;
                          answers.push_back(from_session(std::move(result)));
                        }
                        done(std::move(answers));
                      });
}

}  // namespace tandem::broker::shell
