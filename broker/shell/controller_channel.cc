#include "broker/shell/controller_channel.h"

#include <algorithm>

#include "broker/protocol/messages/api_versions.h"
#include "broker/shell/limits.h"

namespace tandem::broker::shell {
namespace {

using api::FromController;
using api::ToController;
using protocol::ErrorCode;

constexpr base::milliseconds kChannelConnectTimeout{10'000};
constexpr base::milliseconds kChannelBackoff{100};

protocol::ApiKey key_of(const ToController& request) {
  return std::visit([](const auto& message) { return message.kApi; }, request);
}

std::int16_t newest_of(const ToController& request) {
  const auto* alter = std::get_if<protocol::AlterPartitionRequest>(&request);
  if (alter != nullptr) {
    const bool ids = std::all_of(alter->topics.begin(), alter->topics.end(),
                                 [](const auto& topic) { return !topic.topic_id.is_zero(); });
    if (!ids) return 1;
  }
  return std::visit([](const auto& message) { return message.kVersionMax; }, request);
}

template <class Response>
base::Result<FromController> decode_as(const protocol::ResponseFrame& frame, std::int16_t version) {
  Response response;
  protocol::Decoder decoder(frame.body, version, version >= Response::kFlexibleSince);
  decoder.walk(response);
  if (const auto status = decoder.status(); !status) return status.error();
  return FromController(std::move(response));
}

}  // namespace

bool is_not_controller(const FromController& response) {
  if (const auto* created = std::get_if<protocol::CreateTopicsResponse>(&response)) {
    return std::any_of(created->topics.begin(), created->topics.end(),
                       [](const auto& topic) { return topic.error_code == ErrorCode::not_controller; });
  }
  if (const auto* alter = std::get_if<protocol::AlterPartitionResponse>(&response))
    return alter->error_code == ErrorCode::not_controller;
  if (const auto* ids = std::get_if<protocol::AllocateProducerIdsResponse>(&response))
    return ids->error_code == ErrorCode::not_controller;
  return std::get<protocol::ControlledShutdownResponse>(response).error_code == ErrorCode::not_controller;
}

class ControllerChannel::Handler final : public net::Handler {
 public:
  Handler(ControllerChannel& channel, std::weak_ptr<int> alive)
      : channel_(channel), alive_(std::move(alive)) {}
  base::Result<std::size_t> frame_size(std::string_view head) override {
    return net::length_prefixed(head, kControlResponseBytesMax);
  }
  void on_frame(net::Connection& connection, const net::Frame& frame) override {
    if (!alive_.expired()) channel_.on_frame(connection, frame);
  }
  void on_closed(net::Connection& connection, const base::Error&) override {
    if (!alive_.expired()) channel_.on_closed(connection);
  }

 private:
  ControllerChannel& channel_;
  std::weak_ptr<int> alive_;
};

ControllerChannel::ControllerChannel(net::Loop& loop, Options options, Find find, logging::Logger log)
    : loop_(loop), options_(std::move(options)), find_(std::move(find)), log_(log), timer_(loop, [this] {
        on_timer();
      }) {}

ControllerChannel::~ControllerChannel() {
  alive_.reset();
  drop_connection();
}

void ControllerChannel::set_controller(std::int32_t id) {
  if (id == controller_) return;
  controller_ = id;
  drop_connection();
  retry_at_.reset();
  advance();
}

void ControllerChannel::send(ToController request, base::milliseconds timeout,
                             api::ClusterControl::Told done) {
  if (stopped_ || queue_.size() >= kControllerRequestsMax) {
    done(base::make_error(base::Errc::limit_exceeded, "no more requests to the controller are taken"));
    return;
  }
  queue_.push_back({std::move(request), loop_.clock().now() + timeout, std::move(done)});
  advance();
}

void ControllerChannel::stop() {
  stopped_ = true;
  drop_connection();
  timer_.set(std::nullopt);
  for (auto& item : std::exchange(queue_, {}))
    item.done(base::make_error(base::Errc::closed, "this broker shuts down"));
}

// Does what can be done now: look up, connect, ask for versions, send.
void ControllerChannel::advance() {
  if (stopped_) return;
  const bool idle = queue_.empty() || controller_ < 0 || in_flight_ || retry_at_;
  if (!idle) {
    if (connection_) {
      write_front();
    } else if (!looking_ && !connecting_) {
      look_up();
    }
  }
  set_timer();
}

void ControllerChannel::look_up() {
  looking_ = true;
  const auto round = ++round_;
  answer_due_ = loop_.clock().now() + kChannelConnectTimeout;
  find_(controller_, [this, round, alive = std::weak_ptr(alive_)](std::optional<zk::Endpoint> endpoint) {
    if (alive.expired() || round != round_ || !looking_) return;
    looking_ = false;
    if (endpoint) {
      open(*endpoint);
    } else {
      retry_later();
    }
  });
}

void ControllerChannel::open(const zk::Endpoint& endpoint) {
  const net::Endpoint address{endpoint.host, static_cast<std::uint16_t>(endpoint.port)};
  connecting_ = net::connect(loop_, address, kChannelConnectTimeout,
                             [this, alive = std::weak_ptr(alive_)](base::Result<net::Socket> socket) {
                               if (alive.expired()) return;
                               connecting_.reset();
                               if (stopped_) return;
                               if (!socket) return retry_later();
                               connection_ = net::Connection::start(loop_, std::move(*socket),
                                                                    std::make_shared<Handler>(*this, alive));
                               versions_.clear();
                               write(protocol::encode_request(0, ++correlation_, options_.client_id,
                                                              protocol::ApiVersionsRequest{}));
                             });
  set_timer();
}

void ControllerChannel::write(const std::string& frame) {
  in_flight_ = true;
  answer_due_ = loop_.clock().now() + options_.request_timeout;
  connection_->write(frame);
  set_timer();
}

std::optional<std::int16_t> ControllerChannel::version_of(const ToController& request) const {
  const auto theirs = versions_.find(static_cast<std::int16_t>(key_of(request)));
  if (theirs == versions_.end()) return std::nullopt;
  return std::min(theirs->second, newest_of(request));
}

void ControllerChannel::write_front() {
  while (!queue_.empty()) {
    const auto version = version_of(queue_.front().request);
    if (version) {
      version_ = *version;
      ++correlation_;
      write(std::visit(
          [&](const auto& message) {
            return protocol::encode_request(version_, correlation_, options_.client_id, message);
          },
          queue_.front().request));
      return;
    }
    auto item = std::move(queue_.front());
    queue_.pop_front();
    item.done(base::make_error(base::Errc::unsupported, "the controller does not serve the API {}",
                               static_cast<int>(key_of(item.request))));
  }
}

void ControllerChannel::on_frame(net::Connection& connection, const net::Frame& frame) {
  if (&connection != connection_.get() || !in_flight_) return;
  in_flight_ = false;
  const bytes::Slice whole = frame.own();
  const bytes::Slice body = whole.sub(protocol::kSizeBytes, whole.size() - protocol::kSizeBytes);
  if (!versions_.empty()) return on_answer(body);
  if (const auto status = read_versions(body); !status) {
    log_.warn("the controller {} cannot be asked: {}", controller_, status.error().context);
    drop_connection();
    return retry_later();
  }
  advance();
}

base::Status ControllerChannel::read_versions(const bytes::Slice& frame) {
  const auto header = protocol::read_response(frame, protocol::ApiKey::api_versions, 0);
  if (!header) return header.error();
  protocol::ApiVersionsResponse response;
  protocol::Decoder decoder(header->body, 0, false);
  decoder.walk(response);
  if (const auto status = decoder.status(); !status) return status;
  for (const auto& api : response.api_keys) versions_[api.api_key] = api.max_version;
  if (versions_.empty()) return base::make_error(base::Errc::corrupt, "it names no API");
  return {};
}

void ControllerChannel::on_answer(const bytes::Slice& frame) {
  ENSURE(!queue_.empty(), "an answer, and nothing was asked");
  const auto& request = queue_.front().request;
  const auto header = protocol::read_response(frame, key_of(request), version_);
  base::Result<FromController> answer = base::make_error(base::Errc::corrupt, "an answer to nothing asked");
  if (header && header->correlation_id == correlation_) {
    answer =
        std::visit([&]<class Request>(
                       const Request&) { return decode_as<typename Request::Response>(*header, version_); },
                   request);
  }
  if (!answer) log_.warn("an answer of the controller {}: {}", controller_, answer.error().context);
  if (!answer || is_not_controller(*answer)) {
    drop_connection();
    return retry_later();
  }
  auto item = std::move(queue_.front());
  queue_.pop_front();
  const std::weak_ptr alive(alive_);
  item.done(std::move(answer));
  if (!alive.expired()) advance();
}

void ControllerChannel::on_closed(net::Connection& connection) {
  if (&connection != connection_.get()) return;
  connection_.reset();
  in_flight_ = false;
  if (!stopped_ && !queue_.empty()) retry_later();
}

void ControllerChannel::drop_connection() {
  ++round_;
  looking_ = false;
  in_flight_ = false;
  connecting_.reset();
  if (connection_) std::exchange(connection_, nullptr)->close();
}

void ControllerChannel::retry_later() {
  if (stopped_) return;
  retry_at_ = loop_.clock().now() + kChannelBackoff;
  set_timer();
}

void ControllerChannel::on_timer() {
  const auto now = loop_.clock().now();
  if (retry_at_ && *retry_at_ <= now) retry_at_.reset();
  if ((in_flight_ || looking_) && answer_due_ <= now) {
    log_.warn("the controller {} has not answered in time", controller_);
    drop_connection();
  }
  expire();
  advance();
}

void ControllerChannel::expire() {
  const auto now = loop_.clock().now();
  std::vector<Item> late;
  for (auto at = queue_.begin(); at != queue_.end();) {
    if (at->deadline > now) {
      ++at;
      continue;
    }
    if (at == queue_.begin() && in_flight_) drop_connection();  // its answer would be taken for another's
    late.push_back(std::move(*at));
    at = queue_.erase(at);
  }
  for (auto& item : late)
    item.done(base::make_error(base::Errc::timed_out, "no controller has answered in time"));
}

void ControllerChannel::set_timer() {
  std::optional<base::Instant> next = retry_at_;
  const auto sooner = [&next](base::Instant at) {
    if (!next || at < *next) next = at;
  };
  if (in_flight_ || looking_) sooner(answer_due_);
  for (const auto& item : queue_) sooner(item.deadline);
  timer_.set(stopped_ ? std::nullopt : next);
}

}  // namespace tandem::broker::shell
