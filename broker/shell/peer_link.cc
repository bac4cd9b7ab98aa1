#include "broker/shell/peer_link.h"

#include "base/check.h"
#include "net/connection.h"
#include "net/connector.h"
#include "net/timer.h"

namespace tandem::broker::shell {

using base::Errc;
using base::make_error;

// What callbacks of the loop hold on to; the link lets go of it when it ends.
class PeerLink::Wire : public std::enable_shared_from_this<Wire> {
 public:
  Wire(net::Loop& loop, const PeerLinkOptions& options, Locate locate)
      : loop_(loop), options_(options), locate_(std::move(locate)), timer_(loop, [this] {
          lose(make_error(Errc::timed_out, "no answer within {} ms", options_.answer_timeout.count()));
        }) {}

  std::int32_t next_correlation() { return correlation_ = (correlation_ + 1) & 0x7fffffff; }
  bool busy() const { return done_ != nullptr; }

  void send(protocol::ApiKey key, std::int16_t version, std::string frame, OnBody done) {
    ENSURE(!busy(), "a request while another is under way");
    key_ = key;
    version_ = version;
    done_ = std::move(done);
    if (connection_) return write(frame);
    waiting_ = std::move(frame);
    const auto endpoint = locate_();
    if (!endpoint) {
      loop_.defer([self = weak_from_this()] {
        if (const auto wire = self.lock()) wire->lose(make_error(Errc::unavailable, "broker is not known"));
      });
      return;
    }
    connecting_ =
        net::connect(loop_, *endpoint, options_.connect_timeout, [this](base::Result<net::Socket> socket) {
          connecting_.reset();
          on_connected(std::move(socket));
        });
  }

  void stop() {
    done_ = nullptr;
    lose(make_error(Errc::closed, "closed here"));
  }

 private:
  class Handler final : public net::Handler {
   public:
    Handler(std::weak_ptr<Wire> wire, std::size_t bytes_max)
        : wire_(std::move(wire)), bytes_max_(bytes_max) {}
    base::Result<std::size_t> frame_size(std::string_view head) override {
      return net::length_prefixed(head, bytes_max_);
    }
    void on_frame(net::Connection& connection, const net::Frame& frame) override {
      if (const auto wire = wire_.lock()) wire->on_frame(connection, frame);
    }
    void on_closed(net::Connection& connection, const base::Error& reason) override {
      const auto wire = wire_.lock();
      if (wire && wire->connection_.get() == &connection) wire->lose(reason);
    }

   private:
    std::weak_ptr<Wire> wire_;
    std::size_t bytes_max_;
  };

  void write(const std::string& frame) {
    timer_.set(loop_.clock().now() + options_.answer_timeout);
    connection_->write(frame);
  }

  void on_connected(base::Result<net::Socket> socket) {
    if (!socket) return lose(socket.error());
    connection_ = net::Connection::start(
        loop_, std::move(*socket), std::make_shared<Handler>(weak_from_this(), options_.response_bytes_max));
    write(std::exchange(waiting_, {}));
  }

  void on_frame(net::Connection& connection, const net::Frame& frame) {
    if (&connection != connection_.get() || !busy()) return;
    const bytes::Slice whole = frame.own();
    auto response = protocol::read_response(
        whole.sub(protocol::kSizeBytes, whole.size() - protocol::kSizeBytes), key_, version_);
    if (!response) return lose(response.error());
    if (response->correlation_id != correlation_)
      return lose(make_error(Errc::corrupt, "an answer to a request that was not asked"));
    timer_.set(std::nullopt);
    const auto self = shared_from_this();
    std::exchange(done_, nullptr)(std::move(response->body));
  }

  void lose(const base::Error& reason) {
    const auto self = shared_from_this();
    timer_.set(std::nullopt);
    connecting_.reset();
    waiting_.clear();
    if (connection_) std::exchange(connection_, nullptr)->close();
    if (done_) std::exchange(done_, nullptr)(reason);
  }

  net::Loop& loop_;
  PeerLinkOptions options_;
  Locate locate_;
  net::Timer timer_;
  std::shared_ptr<net::Connecting> connecting_;
  std::shared_ptr<net::Connection> connection_;
  std::string waiting_;  // the frame, until there is a connection
  protocol::ApiKey key_{};
  std::int16_t version_ = 0;
  std::int32_t correlation_ = 0;
  OnBody done_;
};

PeerLink::PeerLink(net::Loop& loop, PeerLinkOptions options, Locate locate)
    : options_(std::move(options)), wire_(std::make_shared<Wire>(loop, options_, std::move(locate))) {}

PeerLink::~PeerLink() { close(); }

std::int32_t PeerLink::next_correlation() { return wire_->next_correlation(); }

void PeerLink::send(protocol::ApiKey key, std::int16_t version, std::string frame, OnBody done) {
  wire_->send(key, version, std::move(frame), std::move(done));
}

bool PeerLink::busy() const { return wire_->busy(); }

void PeerLink::close() { wire_->stop(); }

}  // namespace tandem::broker::shell
