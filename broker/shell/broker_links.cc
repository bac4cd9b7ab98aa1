#include "broker/shell/broker_links.h"

#include <deque>

#include "broker/protocol/header.h"
#include "broker/shell/limits.h"
#include "net/connection.h"
#include "net/connector.h"
#include "net/timer.h"

namespace tandem::broker::shell {
namespace {

constexpr base::milliseconds kConnectTimeout{10'000};
constexpr base::milliseconds kRetryBackoff{100};

template <class Response>
base::Result<controller::Controller::Answer> decode(const protocol::ResponseFrame& frame,
                                                    std::int16_t version) {
  Response response;
  protocol::Decoder decoder(frame.body, version, version >= Response::kFlexibleSince);
  decoder.walk(response);
  if (const auto status = decoder.status(); !status) return status.error();
  return controller::Controller::Answer(std::move(response));
}

}  // namespace

class BrokerLinks::Link : public std::enable_shared_from_this<Link> {
 public:
  Link(BrokerLinks& links, std::int32_t broker, zk::Endpoint endpoint)
      : links_(links),
        broker_(broker),
        endpoint_(std::move(endpoint)),
        retry_(links.loop_, [this] { on_timer(); }) {}

  void start() { open(); }

  void stop() {
    stopped_ = true;
    connecting_.reset();
    retry_.set(std::nullopt);
    if (connection_) std::exchange(connection_, nullptr)->close();
  }

  void send(controller::Send request) {
    if (full_) return;  // about to be taken out
    if (queue_.size() >= kControlRequestsMax) return overflow();
    queue_.push_back(std::move(request));
    write_next();
  }

  std::size_t queued() const { return queue_.size(); }

 private:
  class Handler final : public net::Handler {
   public:
    explicit Handler(std::weak_ptr<Link> link) : link_(std::move(link)) {}
    base::Result<std::size_t> frame_size(std::string_view head) override {
      return net::length_prefixed(head, kControlResponseBytesMax);
    }
    void on_frame(net::Connection& connection, const net::Frame& frame) override {
      if (const auto link = link_.lock()) link->on_frame(connection, frame);
    }
    void on_closed(net::Connection& connection, const base::Error& reason) override {
      if (const auto link = link_.lock()) link->on_closed(connection, reason);
    }

   private:
    std::weak_ptr<Link> link_;
  };

  void overflow() {
    links_.log_.warn("broker {} answers no control requests: {} are dropped, it is told everything anew",
                     broker_, queue_.size());
    full_ = true;
    queue_.clear();
    stop();
    links_.on_full_(broker_);
  }

  void open() {
    if (stopped_ || connecting_ || connection_) return;
    connecting_ = net::connect(links_.loop_, {endpoint_.host, static_cast<std::uint16_t>(endpoint_.port)},
                               kConnectTimeout, [this](base::Result<net::Socket> socket) {
                                 connecting_.reset();
                                 on_connected(std::move(socket));
                               });
  }

  void on_connected(base::Result<net::Socket> socket) {
    if (stopped_) return;
    if (!socket) {
      links_.log_.warn("broker {} at {} cannot be reached: {}", broker_, endpoint_.connection_string(),
                       socket.error().context);
      retry_.set(links_.loop_.clock().now() + kRetryBackoff);
      return;
    }
    connection_ =
        net::Connection::start(links_.loop_, std::move(*socket), std::make_shared<Handler>(weak_from_this()));
    in_flight_ = false;
    write_next();
  }

  void on_timer() {
    if (connection_ && in_flight_) {
      links_.log_.warn("broker {} has not answered a control request in time", broker_);
      connection_->close();
    } else {
      open();
    }
  }

  void write_next() {
    if (!connection_ || in_flight_ || queue_.empty()) return;
    const auto& request = queue_.front();
    in_flight_ = true;
    connection_->write(
        std::visit([&](const auto& message) { return frame(request.version, message); }, request.request));
    retry_.set(links_.loop_.clock().now() + links_.answer_timeout_);
  }

  template <class Message>
  std::string frame(std::int16_t version, const Message& message) {
    return protocol::encode_request(version, correlation(), links_.client_id_, message);
  }
  std::string frame(std::int16_t version, const controller::MetadataUpdate& update) {
    return links_.metadata_.frame(update, version, correlation(), links_.client_id_);
  }

  std::int32_t correlation() const { return static_cast<std::int32_t>(queue_.front().id & 0x7fffffff); }

  base::Result<controller::Controller::Answer> read(const net::Frame& frame) const {
    const auto& request = queue_.front();
    const bytes::Slice body = frame.own();
    const auto key = std::visit([](const auto& message) { return message.kApi; }, request.request);
    const auto response = protocol::read_response(
        body.sub(protocol::kSizeBytes, body.size() - protocol::kSizeBytes), key, request.version);
    if (!response) return response.error();
    if (response->correlation_id != correlation()) {
      return base::make_error(base::Errc::corrupt, "an answer to a request that was not asked");
    }
    if (std::holds_alternative<protocol::LeaderAndIsrRequest>(request.request)) {
      return decode<protocol::LeaderAndIsrResponse>(*response, request.version);
    }
    if (std::holds_alternative<protocol::StopReplicaRequest>(request.request)) {
      return decode<protocol::StopReplicaResponse>(*response, request.version);
    }
    return decode<protocol::UpdateMetadataResponse>(*response, request.version);
  }

  void on_frame(net::Connection& connection, const net::Frame& frame) {
    if (&connection != connection_.get() || !in_flight_) return;
    auto answer = read(frame);
    if (!answer) {
      connection.close(answer.error());
      return;
    }
    const auto id = queue_.front().id;
    queue_.pop_front();
    links_.metadata_.release_unused();
    in_flight_ = false;
    retry_.set(std::nullopt);
    const auto self = shared_from_this();  // the answer may take this link out
    links_.on_answer_(broker_, id, std::move(*answer));
    if (!stopped_) write_next();
  }

  void on_closed(net::Connection& connection, const base::Error&) {
    if (&connection != connection_.get()) return;
    connection_.reset();
    in_flight_ = false;
    if (!stopped_) retry_.set(links_.loop_.clock().now() + kRetryBackoff);
  }

  BrokerLinks& links_;
  std::int32_t broker_;
  zk::Endpoint endpoint_;
  net::Timer retry_;
  std::shared_ptr<net::Connecting> connecting_;
  std::shared_ptr<net::Connection> connection_;
  std::deque<controller::Send> queue_;
  bool in_flight_ = false;
  bool stopped_ = false;
  bool full_ = false;
};

BrokerLinks::BrokerLinks(net::Loop& loop, std::string client_id, base::milliseconds answer_timeout,
                         OnAnswer on_answer, OnFull on_full, logging::Logger log)
    : loop_(loop),
      client_id_(std::move(client_id)),
      answer_timeout_(answer_timeout),
      on_answer_(std::move(on_answer)),
      on_full_(std::move(on_full)),
      log_(log) {}

BrokerLinks::~BrokerLinks() { clear(); }

void BrokerLinks::add(std::int32_t broker, const zk::Endpoint& endpoint) {
  remove(broker);
  auto link = std::make_shared<Link>(*this, broker, endpoint);
  links_.emplace(broker, link);
  link->start();
}

void BrokerLinks::remove(std::int32_t broker) {
  const auto at = links_.find(broker);
  if (at == links_.end()) return;
  const auto link = at->second;
  links_.erase(at);
  link->stop();
}

void BrokerLinks::clear() {
  for (auto& [broker, link] : std::exchange(links_, {})) link->stop();
}

void BrokerLinks::send(controller::Send request) {
  const auto at = links_.find(request.broker);
  if (at != links_.end()) at->second->send(std::move(request));
}

std::size_t BrokerLinks::queued(std::int32_t broker) const {
  const auto at = links_.find(broker);
  return at == links_.end() ? 0 : at->second->queued();
}

}  // namespace tandem::broker::shell
