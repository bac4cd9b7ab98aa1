#include "zkclient/client.h"

#include <unordered_map>
#include <utility>

#include "net/connection.h"
#include "net/connector.h"
#include "net/loop.h"
#include "net/timer.h"

namespace tandem::zkclient {

namespace {

// The core's own connect deadline is shorter; this one only bounds a resolver that hangs.
constexpr base::Duration kConnectMax = std::chrono::seconds(60);

class Link;

// What a link reports to.
class LinkOwner {
 public:
  virtual ~LinkOwner() = default;
  virtual void on_frame(const Link* link, std::string_view body) = 0;
  virtual void on_frames_end() = 0;
  virtual void on_closed(const Link* link) = 0;
};

// One connection; cut off from its owner as soon as the owner is done with it.
class Link final : public net::Handler {
 public:
  Link(std::weak_ptr<LinkOwner> owner, std::size_t frame_bytes_max)
      : owner_(std::move(owner)), frame_bytes_max_(frame_bytes_max) {}
  base::Result<std::size_t> frame_size(std::string_view head) override {
    return net::length_prefixed(head, frame_bytes_max_);
  }
  void on_frame(net::Connection&, const net::Frame& frame) override {
    if (auto owner = owner_.lock()) owner->on_frame(this, frame.bytes().substr(4));
  }
  void on_frames_end(net::Connection&) override {
    if (auto owner = owner_.lock()) owner->on_frames_end();
  }
  void on_closed(net::Connection&, const base::Error&) override {
    if (auto owner = owner_.lock()) owner->on_closed(this);
  }
  void forget_owner() { owner_.reset(); }

 private:
  std::weak_ptr<LinkOwner> owner_;
  std::size_t frame_bytes_max_;
};

}  // namespace

struct Client::Core final : public LinkOwner, public std::enable_shared_from_this<Client::Core> {
  Core(net::Loop& loop, Options options, Callbacks callbacks)
      : loop_(loop),
        frame_bytes_max_(options.frame_bytes_max),
        callbacks_(std::move(callbacks)),
        session_(std::move(options.session), base::Random(options.seed)),
        timer_(loop, [this] { on_timer(); }) {}

  base::Instant now() const { return loop_.clock().now(); }

  void on_timer() {
    session_.on_deadline(now());
    perform();
  }

  void on_frame(const Link* link, std::string_view body) override {
    if (link == link_.get()) session_.on_frame(body, now());
  }
  void on_frames_end() override { perform(); }
  void on_closed(const Link* link) override {
    if (link != link_.get()) return;
    forget_link();
    session_.on_disconnected(now());
    perform();
  }

  void forget_link() {
    connecting_.reset();
    if (link_) link_->forget_owner();
    link_.reset();
    connection_.reset();
  }

  // Callbacks may come back here; the outermost call goes on until nothing is left to do.
  void perform() {
    if (performing_) return;
    performing_ = true;
    const auto self = shared_from_this();
    for (auto effects = session_.drain(); !effects.empty() && !stopped_; effects = session_.drain()) {
      for (zksession::Effect& effect : effects) {
        if (!stopped_) std::visit([this](auto& one) { apply(one); }, effect);
      }
    }
    performing_ = false;
    if (!stopped_) timer_.set(session_.next_deadline());
  }

  void apply(zksession::Connect& effect) {
    forget_link();
    const net::Endpoint endpoint{effect.host.name, effect.host.port};
    connecting_ = net::connect(loop_, endpoint, kConnectMax,
                               [this](base::Result<net::Socket> socket) { on_connect(std::move(socket)); });
  }
  void apply(zksession::Disconnect&) {
    const auto connection = connection_;
    forget_link();
    if (connection) connection->close();
  }
  void apply(zksession::Send& effect) {
    if (connection_) connection_->write(effect.bytes);
  }
  void apply(zksession::Complete& effect) {
    const auto it = done_.find(effect.id);
    if (it == done_.end()) return;
    Done done = std::move(it->second);
    done_.erase(it);
    done(std::move(effect.result));
  }
  void apply(zksession::Notify& effect) {
    if (callbacks_.on_event) callbacks_.on_event(effect.event);
  }
  void apply(zksession::StateChanged& effect) {
    if (callbacks_.on_state) callbacks_.on_state(effect.state);
  }

  void on_connect(base::Result<net::Socket> socket) {
    connecting_.reset();
    if (socket) {
      link_ = std::make_shared<Link>(weak_from_this(), frame_bytes_max_);
      connection_ = net::Connection::start(loop_, std::move(*socket), link_);
      session_.on_connected(now());
    } else {
      session_.on_disconnected(now());
    }
    perform();
  }

  void stop() {
    stopped_ = true;
    timer_.set(std::nullopt);
    const auto connection = connection_;
    forget_link();
    if (connection) connection->close();
  }

  net::Loop& loop_;
  std::size_t frame_bytes_max_;
  Callbacks callbacks_;
  zksession::Session session_;
  net::Timer timer_;
  std::shared_ptr<net::Connecting> connecting_;
  std::shared_ptr<Link> link_;
  std::shared_ptr<net::Connection> connection_;
  std::unordered_map<zksession::RequestId, Done> done_;
  bool performing_ = false;
  bool stopped_ = false;
};

Client::Client(net::Loop& loop, Options options, Callbacks callbacks)
    : core_(std::make_shared<Core>(loop, std::move(options), std::move(callbacks))) {}

Client::~Client() { core_->stop(); }

void Client::start() {
  core_->session_.start(core_->now());
  core_->perform();
}

void Client::submit(Op op, OnLoss on_loss, Done done) {
  const auto id = core_->session_.submit(std::move(op), on_loss, core_->now());
  core_->done_.emplace(id, std::move(done));  // before perform(): the answer may be there already
  core_->perform();
}

void Client::submit_all(std::vector<Op> ops, OnLoss on_loss, AllDone done) {
  struct Batch {
    std::vector<OpResult> results;
    std::size_t left;
    AllDone done;
  };
  if (ops.empty()) return done({});
  auto batch = std::make_shared<Batch>(Batch{std::vector<OpResult>(ops.size()), ops.size(), std::move(done)});
  for (std::size_t i = 0; i < ops.size(); ++i) {
    const auto id = core_->session_.submit(std::move(ops[i]), on_loss, core_->now());
    core_->done_.emplace(id, [batch, i](OpResult result) {
      batch->results[i] = std::move(result);
      if (--batch->left == 0) batch->done(std::move(batch->results));
    });
  }
  core_->perform();
}

void Client::add_auth(std::string scheme, std::string data) {
  core_->session_.add_auth(std::move(scheme), std::move(data), core_->now());
  core_->perform();
}

void Client::close() {
  core_->session_.close(core_->now());
  core_->perform();
}

State Client::state() const { return core_->session_.state(); }

jute::SessionId Client::session_id() const { return core_->session_.id(); }

zksession::milliseconds Client::session_timeout() const { return core_->session_.negotiated_timeout(); }

std::size_t Client::pending() const { return core_->session_.pending(); }

std::string Client::server() const {
  return core_->connection_ ? net::to_string(core_->connection_->peer()) : std::string();
}

}  // namespace tandem::zkclient
