#include "tools/kafka/admin.h"

#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <fstream>

namespace tandem::tools::kafka {

namespace {

constexpr int kPauseMilliseconds = 100;
constexpr Admin::Milliseconds kConnectTimeout{10'000};

base::Result<std::vector<Node>> parse_bootstrap(const std::string& text) {
  std::vector<Node> nodes;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string one = text.substr(at, comma - at);
    at = comma + 1;
    const std::size_t colon = one.rfind(':');
    Node node;
    const char* end = one.data() + one.size();
    if (colon == std::string::npos || colon == 0 ||
        std::from_chars(one.data() + colon + 1, end, node.port).ptr != end || node.port <= 0 ||
        node.port > 65535)
      return base::make_error(base::Errc::invalid_argument, "Invalid url in bootstrap.servers: {}", one);
    node.host = one.substr(0, colon);
    if (node.host.size() > 2 && node.host.front() == '[')
      node.host = node.host.substr(1, node.host.size() - 2);
    nodes.push_back(std::move(node));
  }
  return nodes;
}

}  // namespace

void Admin::pause() { ::poll(nullptr, 0, kPauseMilliseconds); }

bool Admin::moves(ErrorCode error) {
  return error == ErrorCode::not_coordinator || error == ErrorCode::coordinator_not_available ||
         error == ErrorCode::coordinator_load_in_progress;
}

base::Result<Admin> Admin::open(const std::string& bootstrap, Milliseconds timeout) {
  auto nodes = parse_bootstrap(bootstrap);
  if (!nodes) return nodes.error();
  Admin admin;
  admin.bootstrap_ = std::move(*nodes);
  admin.timeout_ = timeout;
  bool told = false;
  for (const Deadline deadline(timeout);; pause()) {
    base::Error last;
    for (const Node& node : admin.bootstrap_) {
      auto connection = Connection::open(node.host, static_cast<std::uint16_t>(node.port),
                                         std::min(timeout, kConnectTimeout));
      if (connection) {
        admin.connections_.emplace(-1, std::move(*connection));
        return admin;
      }
      last = connection.error();
    }
    if (!told)
      fmt::print(stderr, "WARN no broker of {} answers yet ({}); trying on\n", bootstrap, last.context);
    told = true;
    if (deadline.passed())
      return base::make_error(base::Errc::timed_out, "Timed out waiting for a node assignment. {}",
                              last.context);
  }
}

void Admin::learn(const protocol::MetadataResponse& response) {
  nodes_.clear();
  for (const auto& broker : response.brokers)
    nodes_.push_back({broker.node_id, broker.host, broker.port, broker.rack});
  std::sort(nodes_.begin(), nodes_.end(), [](const Node& a, const Node& b) { return a.id < b.id; });
}

base::Result<protocol::MetadataResponse> Admin::metadata(std::optional<std::vector<std::string>> topics,
                                                         bool authorized_operations) {
  protocol::MetadataRequest request;
  request.allow_auto_topic_creation = false;
  request.include_topic_authorized_operations = authorized_operations;
  if (topics) {
    request.topics.emplace();
    for (std::string& topic : *topics) request.topics->push_back({.name = std::move(topic)});
  }
  const auto connection = any();
  if (!connection) return connection.error();
  for (const Deadline deadline(timeout_);; pause()) {
    auto response = (*connection)->call(request);
    if (!response) return response;
    learn(*response);
    if ((response->controller_id >= 0 && !nodes_.empty()) || deadline.passed()) return response;
  }
}

base::Result<std::vector<Node>> Admin::nodes() {
  const auto seen = metadata(std::vector<std::string>{});
  if (!seen) return seen.error();
  return nodes_;
}

base::Result<Connection*> Admin::any() { return &connections_.at(-1); }

base::Result<Connection*> Admin::node(std::int32_t id) {
  if (const auto found = connections_.find(id); found != connections_.end()) return &found->second;
  const auto row =
      std::find_if(nodes_.begin(), nodes_.end(), [&](const Node& node) { return node.id == id; });
  if (row == nodes_.end()) return base::make_error(base::Errc::unavailable, "broker {} is not available", id);
  auto connection = Connection::open(row->host, static_cast<std::uint16_t>(row->port), timeout_);
  if (!connection) return connection.error();
  return &connections_.emplace(id, std::move(*connection)).first->second;
}

base::Result<Node> Admin::coordinator_of(const std::string& group) {
  if (nodes_.empty()) {
    if (const auto seen = nodes(); !seen) return seen.error();
  }
  protocol::FindCoordinatorRequest request;
  request.key = group;
  request.coordinator_keys = {group};
  for (const Deadline deadline(timeout_);; pause()) {
    auto response = connections_.at(-1).call(request);
    if (!response) return response.error();
    Node node{response->node_id, response->host, response->port, {}};
    ErrorCode error = response->error_code;
    std::optional<std::string> message = response->error_message;
    if (!response->coordinators.empty()) {  // from version 4 on
      const auto& found = response->coordinators.front();
      node = {found.node_id, found.host, found.port, {}};
      error = found.error_code;
      message = found.error_message;
    }
    if (error == ErrorCode::none) {
      if (std::none_of(nodes_.begin(), nodes_.end(), [&](const Node& known) { return known.id == node.id; }))
        nodes_.push_back(node);
      return node;
    }
    if (!protocol::error_info(error).retriable || deadline.passed())
      return base::make_error(base::Errc::unavailable, "{}", words_of(error, message));
  }
}

std::string words_of(ErrorCode error, const std::optional<std::string>& message) {
  return message && !message->empty() ? *message : std::string(protocol::sentence_of(error));
}

base::Status check_client_properties(const std::string& file) {
  std::ifstream in(file);
  if (!in) return base::make_error(base::Errc::not_found, "{} cannot be read", file);
  for (std::string line; std::getline(in, line);) {
    const std::size_t equals = line.find('=');
    if (equals == std::string::npos || line.starts_with('#')) continue;
    if (line.substr(0, equals) == "security.protocol" && line.substr(equals + 1) != "PLAINTEXT")
      return base::make_error(base::Errc::unsupported, "{}: security.protocol={} is not supported yet", file,
                              line.substr(equals + 1));
  }
  return {};
}

base::Result<Admin> open_admin(const Options& options, Admin::Milliseconds timeout) {
  if (const auto file = options.get("command-config")) {
    if (auto checked = check_client_properties(*file); !checked) return checked.error();
  }
  return Admin::open(options.get_or("bootstrap-server", ""), timeout);
}

}  // namespace tandem::tools::kafka
