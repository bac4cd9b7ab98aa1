#include "broker/shell/peer_watch.h"

#include "net/connection.h"
#include "net/connector.h"
#include "net/timer.h"

namespace tandem::broker::shell {
namespace {

constexpr base::milliseconds kWatchConnectTimeout{5'000};
// One refusal may be a listener that is being replaced.
constexpr int kRefusalsMin = 2;
constexpr base::milliseconds kSecondLook{20};
// A process that has started listens before it registers: it is left the time to say itself who it is.
constexpr base::milliseconds kKept{1'000};
constexpr base::milliseconds kWatchRetry{250};

}  // namespace

class PeerWatch::Watched : public std::enable_shared_from_this<Watched> {
 public:
  Watched(PeerWatch& watch, std::int32_t broker, std::int64_t epoch, const zk::Endpoint& endpoint)
      : watch_(watch),
        broker_(broker),
        epoch_(epoch),
        address_{endpoint.host, static_cast<std::uint16_t>(endpoint.port)},
        timer_(watch.loop_, [this] { on_timer(); }) {}

  void connect() {
    connecting_ = net::connect(watch_.loop_, address_, kWatchConnectTimeout,
                               [this](base::Result<net::Socket> socket) { on_connected(std::move(socket)); });
  }

  void stop() {
    stopped_ = true;
    connecting_.reset();
    timer_.set(std::nullopt);
    if (connection_) std::exchange(connection_, nullptr)->close();
  }

 private:
  class Handler final : public net::Handler {
   public:
    explicit Handler(std::weak_ptr<Watched> watched) : watched_(std::move(watched)) {}
    base::Result<std::size_t> frame_size(std::string_view) override {
      return base::make_error(base::Errc::corrupt, "an answer, and nothing was asked");
    }
    void on_frame(net::Connection&, const net::Frame&) override {}
    void on_closed(net::Connection& connection, const base::Error&) override {
      if (const auto watched = watched_.lock()) watched->on_closed(connection);
    }

   private:
    std::weak_ptr<Watched> watched_;
  };

  void on_connected(base::Result<net::Socket> socket) {
    connecting_.reset();
    if (stopped_) return;
    if (socket) {
      connection_ = net::Connection::start(watch_.loop_, std::move(*socket),
                                           std::make_shared<Handler>(weak_from_this()));
      refusals_ = 0;
      if (refuses_) wait(kKept);
      if (watch_.on_line_) watch_.on_line_(broker_, true);
      return;
    }
    const bool refused = socket.error().code == base::Errc::closed;
    refusals_ = refused ? refusals_ + 1 : 0;
    wait(refused && refusals_ < kRefusalsMin ? kSecondLook : kWatchRetry);
    if (refusals_ >= kRefusalsMin) tell(true);
  }

  void on_closed(net::Connection& connection) {
    if (stopped_ || &connection != connection_.get()) return;
    connection_.reset();
    timer_.set(std::nullopt);
    connect();
    if (watch_.on_line_) watch_.on_line_(broker_, false);
  }

  void on_timer() {
    if (stopped_) return;
    if (connection_) {
      tell(false);
    } else if (!connecting_) {
      connect();
    }
  }

  void wait(base::Duration time) { timer_.set(watch_.loop_.clock().now() + time); }

  void tell(bool refuses) {
    if (std::exchange(refuses_, refuses) == refuses) return;
    const auto self = shared_from_this();  // what is told may end the watch
    watch_.on_change_(broker_, epoch_, refuses);
  }

  PeerWatch& watch_;
  std::int32_t broker_;
  std::int64_t epoch_;
  net::Endpoint address_;
  net::Timer timer_;
  std::shared_ptr<net::Connecting> connecting_;
  std::shared_ptr<net::Connection> connection_;
  int refusals_ = 0;
  bool refuses_ = false;
  bool stopped_ = false;
};

PeerWatch::PeerWatch(net::Loop& loop, OnChange on_change, OnLine on_line)
    : loop_(loop), on_change_(std::move(on_change)), on_line_(std::move(on_line)) {}

PeerWatch::~PeerWatch() { clear(); }

void PeerWatch::add(std::int32_t broker, std::int64_t epoch, const zk::Endpoint& endpoint) {
  remove(broker);
  auto watched = std::make_shared<Watched>(*this, broker, epoch, endpoint);
  watched_.emplace(broker, watched);
  watched->connect();
}

void PeerWatch::remove(std::int32_t broker) {
  const auto at = watched_.find(broker);
  if (at == watched_.end()) return;
  const auto watched = at->second;
  watched_.erase(at);
  watched->stop();
}

void PeerWatch::clear() {
  for (auto& [broker, watched] : std::exchange(watched_, {})) watched->stop();
}

}  // namespace tandem::broker::shell
