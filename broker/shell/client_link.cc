#include "broker/shell/client_link.h"

#include "broker/api/dispatch.h"
#include "broker/api/replicas.h"
#include "net/loop.h"

namespace tandem::broker::shell {

namespace {

constexpr std::size_t kSizeBytes = 4;  // in front of every frame

}  // namespace

void ClientLink::start(net::Loop& loop, net::Socket socket, api::Services& services, Options options,
                       net::ConnectionOptions connection_options) {
  auto link = std::make_shared<ClientLink>(services, std::move(options));
  link->client_ = std::make_shared<api::Client>();
  link->client_->host = "/" + socket.peer().host;
  link->client_->listener = link->options_.listener;
  link->client_->number = link->options_.number;
  link->thread_ = std::this_thread::get_id();
  link->shard_ = services.shards.current();
  link->loop_ = &loop;
  const auto connection = net::Connection::start(loop, std::move(socket), link, connection_options);
  link->connection_ = connection.get();
}

base::Result<std::size_t> ClientLink::frame_size(std::string_view head) {
  return net::length_prefixed(head, options_.request_bytes_max);
}

void ClientLink::on_frame(net::Connection& connection, const net::Frame& frame) {
  connection_ = &connection;
  const bytes::Slice whole = frame.own();
  auto request = protocol::read_request(whole.sub(kSizeBytes, whole.size() - kSizeBytes));
  if (!request) {
    services_.log.warn("closing {}: {}", client_->host, request.error().context);
    return connection.close(request.error());
  }
  if (request->api->key != protocol::ApiKey::produce) finish_appends();
  const api::Handler handler = api::find_handler(request->api->key);
  if (handler == nullptr) {
    services_.log.warn("closing {}: {} is not served here", client_->host, request->api->name);
    return connection.close({base::Errc::unsupported, "API not served"});
  }
  const std::uint64_t slot = first_slot_ + slots_.size();
  slots_.emplace_back();
  if (slots_.size() >= kClientRequestsMax) connection.pause_reading();
  api::Responder respond(shared_from_this(), slot, request->version, request->correlation_id);
  handler(
      api::Call{services_, client_, std::move(*request), services_.clock.now(), std::move(respond), true});
}

void ClientLink::on_frames_end(net::Connection&) { finish_appends(); }

void ClientLink::finish_appends() {
  if (services_.replicas != nullptr) services_.replicas->staged(shard_).finish();
}

void ClientLink::on_closed(net::Connection&, const base::Error&) {
  connection_ = nullptr;
  slots_.clear();
  if (options_.on_closed) options_.on_closed();
}

void ClientLink::run_here(std::function<void()> task) {
  if (on_own_thread()) return task();
  loop_->post([self = shared_from_this(), task = std::move(task)] { task(); });
}

void ClientLink::deliver(std::uint64_t slot, bytes::Chain response) {
  if (on_own_thread()) return answered(slot, std::move(response));
  auto held = std::make_shared<bytes::Chain>(std::move(response));
  loop_->post([self = shared_from_this(), slot, held] { self->answered(slot, std::move(*held)); });
}

void ClientLink::deliver_nothing(std::uint64_t slot) {
  run_here([this, slot] { answered(slot, {}); });
}

void ClientLink::close(std::uint64_t) {
  run_here([this] {
    if (connection_ != nullptr) connection_->close();
  });
}

std::string* ClientLink::begin_direct(std::uint64_t slot) {
  const bool is_next = on_own_thread() && connection_ != nullptr && slot == first_slot_;
  return is_next ? &connection_->output() : nullptr;
}

void ClientLink::end_direct(std::uint64_t slot) {
  slots_.at(slot - first_slot_).direct = true;
  answered(slot, {});
}

void ClientLink::answered(std::uint64_t slot, bytes::Chain response) {
  if (connection_ == nullptr) return;  // the client has gone
  Slot& entry = slots_.at(slot - first_slot_);
  entry.answered = true;
  entry.response = std::move(response);
  if (slot == first_slot_) send_ready();
}

void ClientLink::send_ready() {
  while (!slots_.empty() && slots_.front().answered) {
    Slot slot = std::move(slots_.front());
    slots_.pop_front();
    ++first_slot_;
    if (!slot.direct && !slot.response.empty()) connection_->write(std::move(slot.response));
  }
  if (slots_.size() < kClientRequestsMax / 2 && connection_->reading_paused()) connection_->resume_reading();
}

}  // namespace tandem::broker::shell
