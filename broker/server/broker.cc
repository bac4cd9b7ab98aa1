#include "broker/server/broker.h"

#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <thread>

#include "broker/api/log_config.h"
#include "broker/zk/admin.h"
#include "broker/zk/paths.h"

namespace tandem::broker::server {

namespace {

using base::Errc;
using base::make_error;
using base::milliseconds;
using base::Status;

constexpr milliseconds kFirstMetadataWait{10'000};
constexpr std::string_view kRackAwareSelector = "org.apache.kafka.common.replica.RackAwareReplicaSelector";
constexpr std::string_view kLeaderSelector = "org.apache.kafka.common.replica.LeaderSelector";

std::vector<std::string> log_dirs(const config::BrokerConfig& config) {
  std::vector<std::string> dirs;
  std::string_view rest = config.log_dirs ? *config.log_dirs : config.log_dir;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    std::string_view dir = rest.substr(0, comma);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    while (!dir.empty() && dir.front() == ' ') dir.remove_prefix(1);
    while (!dir.empty() && dir.back() == ' ') dir.remove_suffix(1);
    if (!dir.empty()) dirs.emplace_back(dir);
  }
  return dirs;
}

std::size_t shard_count(const config::BrokerConfig& config) {
  if (config.tandem_broker_shards > 0) return static_cast<std::size_t>(config.tandem_broker_shards);
  return std::max(1U, std::thread::hardware_concurrency() / 2);
}

net::LoopOptions loop_options(const config::BrokerConfig& config) {
  net::LoopOptions options;
  options.spin = std::chrono::microseconds(config.tandem_network_spin_us);
  return options;
}

// The comment that Java's Properties.store writes: "#Sun Nov 22 04:00:00 UTC 2026".
std::string java_date(base::WallTime now) {
  const auto seconds = static_cast<time_t>(now.ms / 1000);
  struct tm local {};
  ::localtime_r(&seconds, &local);
  std::array<char, 64> text{};
  const std::size_t size = ::strftime(text.data(), text.size(), "#%a %b %d %H:%M:%S %Z %Y", &local);
  return std::string(text.data(), size);
}

// Old files name releases that this broker does not tell apart: it speaks the oldest that it knows.
std::optional<controller::ProtocolVersion> protocol_of(std::string_view text) {
  constexpr std::array kOlder = {"0.8", "0.9", "0.10", "0.11", "1.0", "1.1", "2.0",
                                 "2.1", "2.2", "2.3",  "2.4",  "2.5", "2.6"};
  for (const std::string_view older : kOlder)
    if (text == older || text.starts_with(std::string(older) + '.') ||
        text.starts_with(std::string(older) + '-'))
      return controller::ProtocolVersion{2, 7, 0};
  return controller::ProtocolVersion::parse(text);
}

config::Listeners listeners_of(const config::BrokerConfig& config) {
  auto listeners = config::resolve_listeners(config);
  ENSURE(listeners.has_value(), "listeners were checked when the file was loaded");
  return std::move(*listeners);
}

}  // namespace

Broker::Broker(Outside outside, config::Settings settings)
    : outside_(std::move(outside)),
      log_(outside_.log.named("kafka.server.KafkaServer")),
      initial_(settings),
      listeners_(listeners_of(settings.broker())),
      configs_(std::move(settings)),
      shards_(outside_.clock, shard_count(initial_.broker()), loop_options(initial_.broker())),
      services_{outside_.clock, outside_.log.named("kafka.server.KafkaApis"), shards_, node_, metadata_} {
  services_.configs = &configs_;
}

Broker::~Broker() = default;

Status Broker::start() {
  log_.info("starting");
  const std::string& protocol = config().inter_broker_protocol_version;
  if (!protocol_of(protocol))
    return make_error(Errc::invalid_argument,
                      "inter.broker.protocol.version: \"{}\" is not a version of the protocol", protocol);
  if (!controller::ProtocolVersion::parse(protocol))
    log_.warn("inter.broker.protocol.version: {} is older than 2.7, which is spoken instead", protocol);
  if (const auto& selector = config().replica_selector_class;
      selector && *selector != kRackAwareSelector && *selector != kLeaderSelector)
    log_.warn("replica.selector.class: {} is not here, consumers read from leaders", *selector);
  replicas_ = std::make_unique<api::Replicas>(outside_.clock, outside_.log.named("kafka.log.LogManager"),
                                              shards_, node_, outside_.disk, replicas_options());
  services_.replicas = replicas_.get();
  if (auto status = replicas_->open_dirs(); !status) return status;
  const auto stored = replicas_->stored_broker_id();
  if (!stored) return stored.error();
  auto control = controller_options();
  control.predecessor_gone = config().tandem_registration_takeover && *stored >= 0;
  control_ = std::make_unique<shell::ControllerService>(
      outside_.clock, std::move(control), outside_.log.named("kafka.controller.KafkaController"));
  services_.control = control_.get();
  watcher_ = std::make_unique<shell::ConfigWatcher>(*control_, configs_, outside_.clock,
                                                    outside_.log.named("kafka.server.DynamicConfigManager"));
  control_->subscribe([this](const std::string& path, zk::ZkEvent) { watcher_->on_event(path); });
  if (auto status = join_tree(*stored); !status) return status;
  if (auto status = load_settings(); !status) return status;
  if (auto status = replicas_->load(); !status) return status;
  make_followers();
  make_coordinators();
  follow_settings();
  if (auto status = serve(); !status) return status;
  log_.info("[KafkaServer id={}] started", node_.broker_id);
  return {};
}

// The number of this broker and of its cluster: configured, stored, or drawn from the tree; they must agree.
Status Broker::join_tree(std::int32_t stored_id) {
  const std::int32_t configured = config().broker_id;
  if (configured >= 0 && stored_id >= 0 && configured != stored_id) {
    return make_error(
        Errc::invalid_argument,
        "broker.id is {}, but meta.properties in the log directories says {}: set broker.id={} or "
        "give this broker directories of its own",
        configured, stored_id, stored_id);
  }
  controller::PrepareOptions options;
  options.broker_id = configured >= 0 ? configured : stored_id;
  options.id_generation = config().broker_id_generation_enable;
  options.reserved_id_max = config().reserved_broker_max_id;
  options.protocol_configured = initial_.is_set_in_file("inter.broker.protocol.version");
  options.accept_transactions = config().tandem_accept_transactions;
  log_.info("Connecting to the coordination service {}", config().zookeeper_connect);
  const auto prepared = control_->prepare(std::move(options));
  if (!prepared) return prepared.error();
  node_.broker_id = prepared->broker_id;
  node_.cluster_id = prepared->cluster_id;
  node_.rack = config().broker_rack.value_or("");
  log_.info("Cluster ID = {}", node_.cluster_id);
  return replicas_->claim(java_date(outside_.clock.wall()));
}

Status Broker::load_settings() {
  const auto loaded = std::make_shared<std::promise<void>>();
  auto future = loaded->get_future();
  watcher_->start(node_.broker_id, [loaded] { loaded->set_value(); });
  if (future.wait_for(milliseconds(config().zookeeper_session_timeout_ms)) == std::future_status::ready)
    return {};
  return make_error(Errc::timed_out, "the settings in the tree could not be read in {} ms",
                    config().zookeeper_session_timeout_ms);
}

void Broker::make_followers() {
  fetchers_ = std::make_unique<shell::ReplicaFetchers>(
      shards_, metadata_, node_, fetcher_options(), outside_.log.named("kafka.server.ReplicaFetcherManager"));
  shell::IsrSenderOptions options;
  options.through_controller = protocol().alter_partition();
  isr_sender_ = std::make_unique<shell::IsrSender>(shards_, *control_, node_, options,
                                                   outside_.log.named("kafka.server.AlterPartitionManager"));
  make_probes();
  replicas_->attach(fetchers_.get(), isr_sender_.get(), probes_.get());
}

void Broker::make_probes() {
  if (config().tandem_replica_suspect_ms <= 0) return;
  shell::FollowerProbesOptions options;
  options.suspect_after = milliseconds(config().tandem_replica_suspect_ms);
  options.listener = listeners_.inter_broker;
  options.broker_id = node_.broker_id;
  const auto shrink_all = [this] {
    for (std::size_t shard = 0; shard < shards_.size(); ++shard)
      shards_.post(shard, [this, shard] { replicas_->shrink_isrs(shard, false); });
  };
  probes_ = std::make_unique<shell::FollowerProbes>(shards_, metadata_, options, shrink_all,
                                                    outside_.log.named("kafka.server.ReplicaManager"));
}

void Broker::make_coordinators() {
  producer_ids_ = std::make_unique<shell::ProducerIdService>(*control_, node_.broker_id);
  services_.producer_ids = producer_ids_.get();
  topics_ = std::make_unique<shell::TopicCreator>(
      *control_, metadata_, configs_, outside_.log.named("kafka.server.AutoTopicCreationManager"));
  services_.internal_topics = topics_.get();
  if (config().auto_create_topics_enable) services_.auto_creation = topics_.get();
  groups_ = std::make_unique<api::GroupService>(
      outside_.clock, outside_.log.named("kafka.coordinator.group.GroupCoordinator"), shards_, *replicas_,
      group_options());
  services_.groups = groups_.get();
  replicas_->on_leadership(
      [this](api::Replica& replica, bool leader) { groups_->on_leadership(replica, leader); });
  metadata_.subscribe(
      [this](const api::MetadataCache::Image& before, const api::MetadataCache::Image& after) {
        for (const auto& [name, topic] : before->topics()) {
          if (!after->topic(name)) groups_->on_topic_deleted(name);
        }
        const auto gone = replica::brokers_gone(*before, *after);
        if (!gone.empty()) replicas_->on_brokers_gone(gone);
      });
}

// What acts on settings that change while the broker runs.
void Broker::follow_settings() {
  api::ConfigRegistry::Subscriber subscriber;
  subscriber.on_topic = [this](const std::string& topic) {
    replicas_->config_changed(topic);
    if (configs_.now()->topic(topic).unclean_leader_election_enable) control_->unclean_enabled(topic);
  };
  subscriber.on_broker = [this] {
    replicas_->config_changed("");
    limit_replication();
    if (sockets_) sockets_->set_limits(limits());
    renew_registration();
    fetchers_->set_fetchers(static_cast<std::size_t>(configs_.now()->broker().num_replica_fetchers));
    control_->set_unclean_default(configs_.now()->broker().unclean_leader_election_enable);
  };
  configs_.subscribe(std::move(subscriber));
  limit_replication();
}

void Broker::limit_replication() {
  const auto settings = configs_.now();
  auto& quotas = replicas_->quotas();
  quotas.limit(api::Throttle::leader, settings->rate(config::kLeaderRate));
  quotas.limit(api::Throttle::follower, settings->rate(config::kFollowerRate));
  quotas.limit(api::Throttle::moves, settings->rate(config::kMovesRate));
}

// Resolved once the metadata names this broker and a controller. Clients that ask before are told that there
// is no controller, and some (librdkafka's admin client) wait minutes before they ask again.
std::future<void> Broker::first_metadata() {
  const auto known = std::make_shared<std::promise<void>>();
  const auto told = std::make_shared<std::atomic_flag>();
  metadata_.subscribe(
      [known, told, id = node_.broker_id](const auto&, const api::MetadataCache::Image& image) {
        if (image->controller_id() < 0 || image->broker(id) == nullptr || told->test_and_set()) return;
        known->set_value();
      });
  return known->get_future();
}

Status Broker::serve() {
  const auto known = first_metadata();
  sockets_ = std::make_unique<shell::SocketServer>(services_, socket_options());
  // Those that the tree holds come before the file's.
  if (auto effective = config::resolve_listeners(configs_.now()->broker()))
    listeners_.bound = std::move(effective->bound);
  std::vector<shell::NamedEndpoint> wanted;
  for (const zk::Endpoint& endpoint : listeners_.bound) {
    wanted.push_back({endpoint.listener, {endpoint.host, static_cast<std::uint16_t>(endpoint.port)}});
  }
  const auto bound = sockets_->open(wanted);
  if (!bound) return bound.error();
  // What they have to do comes before the first request.
  replicas_->start();
  groups_->start();
  shards_.start();
  serving_ = true;
  for (const auto& [listener, endpoint] : *bound)
    log_.info("Listening on {}://{}", listener, net::to_string(endpoint));
  if (auto status = enlist(*bound); !status) return status;
  if (known.wait_for(kFirstMetadataWait) != std::future_status::ready) {
    log_.warn("no controller has told this broker of the cluster yet");
  }
  return {};
}

Status Broker::enlist(std::vector<shell::NamedEndpoint> bound) {
  zk::BrokerRegistration registration;
  {
    const std::lock_guard guard(registered_mutex_);
    bound_ = std::move(bound);
    registered_ = registration = registration_now();
  }
  const auto epoch = control_->enlist(std::move(registration));
  if (!epoch) return epoch.error();
  node_.broker_epoch = *epoch;
  return {};
}

// What the cluster is told: the listeners that are open, with the addresses advertised for them now.
zk::BrokerRegistration Broker::registration_now() const {
  zk::BrokerRegistration registration;
  registration.id = node_.broker_id;
  registration.rack = config().broker_rack;
  const auto listeners = config::resolve_listeners(configs_.now()->broker());
  if (!listeners) log_.warn("{}: the listeners of the file are told", listeners.error().context);
  registration.endpoints = listeners ? listeners->advertised : listeners_.advertised;
  std::erase_if(registration.endpoints, [this](const zk::Endpoint& endpoint) {
    return std::none_of(bound_.begin(), bound_.end(),
                        [&](const auto& bound) { return bound.listener == endpoint.listener; });
  });
  for (zk::Endpoint& endpoint : registration.endpoints) {
    if (endpoint.host.empty()) endpoint.host = outside_.host_name;
    if (endpoint.port != 0) continue;
    for (const auto& [listener, address] : bound_) {
      if (listener == endpoint.listener) endpoint.port = address.port;
    }
  }
  return registration;
}

void Broker::renew_registration() {
  const std::lock_guard guard(registered_mutex_);
  if (!registered_) return;  // enlist() takes what is set then
  auto registration = registration_now();
  if (registration == *registered_) return;
  registered_ = registration;
  control_->update(std::move(registration));
}

// Connections first, so that nothing new comes in; the office and the session before the logs, so that others
// take over while these are written out; the marker of a clean stop last.
void Broker::stop(bool controlled) {
  log_.info("shutting down");
  if (serving_) replicas_->begin_shutdown();
  if (control_) control_->stop(controlled && serving_ && config().controlled_shutdown_enable);
  if (serving_) {
    std::promise<void> closed;
    shards_.post(0, [&] {
      sockets_->close_listeners();
      closed.set_value();
    });
    closed.get_future().wait();
  }
  shards_.stop();
  if (serving_) {
    if (const auto status = replicas_->shutdown(); !status) log_.error("{}", status.error().context);
  }
  log_.info("[KafkaServer id={}] shut down completed", node_.broker_id);
}

// ---- options of the parts, from the settings -----------------------------------------------------------

api::ReplicasOptions Broker::replicas_options() {
  api::ReplicasOptions options;
  options.log_dirs = log_dirs(config());
  options.recovery_threads = std::max(
      1, config().num_recovery_threads_per_data_dir * static_cast<std::int32_t>(options.log_dirs.size()));
  options.retention_check_ms = config().log_retention_check_interval_ms;
  options.checkpoint_ms = config().log_flush_offset_checkpoint_interval_ms;
  options.high_watermark_checkpoint_ms = config().replica_high_watermark_checkpoint_interval_ms;
  options.fetch_session_slots = static_cast<std::size_t>(config().max_incremental_fetch_session_cache_slots);
  options.lag_max = milliseconds(config().replica_lag_time_max_ms);
  options.quota_windows = {config().replication_quota_window_num,
                           std::chrono::seconds(config().replication_quota_window_size_seconds)};
  options.move_quota_windows = {
      config().alter_log_dirs_replication_quota_window_num,
      std::chrono::seconds(config().alter_log_dirs_replication_quota_window_size_seconds)};
  options.flush_on_ack = config().tandem_log_flush_on_ack;
  options.seed = outside_.seed + 3;
  options.rack_aware = config().replica_selector_class == kRackAwareSelector;
  options.config_of = [this](const std::string& topic) {
    const auto settings = configs_.now();
    return api::log_config(settings->topic(topic), settings->broker(), topic, node_.broker_id);
  };
  options.on_created = [this](const std::string& topic) { watcher_->refresh_topic(topic); };
  options.on_dir_failure = [this](const std::string& dir, bool all) {
    if (all) return outside_.on_fatal(fmt::format("{} was the last log directory", dir));
    tell_controller_of_lost_directory();
  };
  options.on_replica_failure = [this] { tell_controller_of_lost_directory(); };
  return options;
}

// The controller then asks with a LeaderAndIsr which replicas went with it, and finds other leaders.
void Broker::tell_controller_of_lost_directory() {
  zk::ZkOp note = zk::create_op(fmt::format("{}/{}", zk::kLogDirEventsPath, zk::kLogDirEventPrefix),
                                zk::encode_log_dir_event(node_.broker_id));
  note.sequential = true;
  control_->perform({std::move(note)}, [this](const std::vector<zk::ZkResult>& results) {
    if (results.empty() || !results.front().ok())
      log_.warn("the controller could not be told that a log directory is offline");
  });
}

shell::ControllerServiceOptions Broker::controller_options() const {
  shell::ControllerServiceOptions options;
  const auto servers = zksession::parse_connect_string(config().zookeeper_connect);
  if (servers) options.tree.servers = *servers;
  options.tree.session_timeout = milliseconds(config().zookeeper_session_timeout_ms);
  options.tree.seed = outside_.seed;
  options.connect_timeout =
      milliseconds(config().zookeeper_connection_timeout_ms.value_or(config().zookeeper_session_timeout_ms));
  options.controller.protocol = protocol();
  options.controller.listener = listeners_.inter_broker;
  options.controller.control_listener = listeners_.control_plane;
  options.controller.delete_topics = config().delete_topic_enable;
  options.controller.unclean_election = config().unclean_leader_election_enable;
  options.controller.auto_rebalance = config().auto_leader_rebalance_enable;
  options.controller.rebalance_interval =
      std::chrono::seconds(config().leader_imbalance_check_interval_seconds);
  options.controller.imbalance_percent = config().leader_imbalance_per_broker_percentage;
  options.controller.default_partitions = config().num_partitions;
  options.controller.default_replication_factor = config().default_replication_factor;
  options.controller.suspect_brokers = config().tandem_suspect_brokers;
  options.controller.suspect_controller = config().tandem_suspect_controller;
  options.controller.take_over_own = config().tandem_registration_takeover;
  options.shutdown_retries = config().controlled_shutdown_max_retries;
  options.shutdown_backoff = milliseconds(config().controlled_shutdown_retry_backoff_ms);
  options.socket_timeout = milliseconds(config().controller_socket_timeout_ms);
  options.seed = outside_.seed + 1;
  options.on_fatal = [this](std::string reason) { outside_.on_fatal(std::move(reason)); };
  // The node outlives the control thread.
  options.on_broker_epoch = [node = const_cast<api::Node*>(&node_)](std::int64_t epoch) {
    node->broker_epoch = epoch;
  };
  return options;
}

api::GroupService::Options Broker::group_options() const {
  api::GroupService::Options options;
  options.core.partitions = config().offsets_topic_num_partitions;
  options.core.session_min = milliseconds(config().group_min_session_timeout_ms);
  options.core.session_max = milliseconds(config().group_max_session_timeout_ms);
  options.core.initial_rebalance_delay = milliseconds(config().group_initial_rebalance_delay_ms);
  options.core.size_max = static_cast<std::size_t>(config().group_max_size);
  options.core.metadata_bytes_max = static_cast<std::size_t>(config().offset_metadata_max_bytes);
  options.core.offsets_retention = std::chrono::minutes(config().offsets_retention_minutes);
  options.core.retention_check_interval = milliseconds(config().offsets_retention_check_interval_ms);
  options.commit_timeout = milliseconds(config().offsets_commit_timeout_ms);
  options.seed = outside_.seed + 2;
  return options;
}

controller::ProtocolVersion Broker::protocol() const {
  return protocol_of(config().inter_broker_protocol_version).value_or(controller::ProtocolVersion{});
}

shell::ReplicaFetchersOptions Broker::fetcher_options() const {
  const auto version = protocol();
  shell::ReplicaFetchersOptions options;
  options.core.broker_id = node_.broker_id;
  options.core.fetch_version = version.fetch();
  options.core.epoch_version = version.offset_for_leader_epoch();
  options.core.list_offsets_version = version.list_offsets();
  options.core.wait_ms_max = config().replica_fetch_wait_max_ms;
  options.core.bytes_min = config().replica_fetch_min_bytes;
  options.core.response_bytes_max = config().replica_fetch_response_max_bytes;
  options.core.partition_bytes_max = config().replica_fetch_max_bytes;
  options.core.backoff = milliseconds(config().replica_fetch_backoff_ms);
  options.fetchers = static_cast<std::size_t>(config().num_replica_fetchers);
  options.listener = listeners_.inter_broker;
  options.socket_timeout = milliseconds(config().replica_socket_timeout_ms);
  return options;
}

shell::SocketServerOptions Broker::socket_options() const {
  shell::SocketServerOptions options;
  options.request_bytes_max = static_cast<std::size_t>(config().socket_request_max_bytes);
  options.idle_max = config().connections_max_idle_ms < 0 ? base::Duration::zero()
                                                          : milliseconds(config().connections_max_idle_ms);
  options.listener.backlog = config().socket_listen_backlog_size;
  options.listener.send_buffer_bytes = config().socket_send_buffer_bytes;
  // Most files spell the default out: only another value says that somebody wants a fixed size.
  const std::int32_t receive_buffer = config().socket_receive_buffer_bytes;
  options.listener.receive_buffer_bytes =
      receive_buffer == config::BrokerConfig{}.socket_receive_buffer_bytes ? 0 : receive_buffer;
  options.limits = limits();
  return options;
}

shell::ConnectionLimits Broker::limits() const {
  const auto settings = configs_.now();
  const config::BrokerConfig& broker = settings->broker();
  shell::ConnectionLimits limits;
  limits.total_max = static_cast<std::size_t>(broker.max_connections);
  limits.per_ip_max = static_cast<std::size_t>(broker.max_connections_per_ip);
  limits.per_ip_overrides = config::connection_overrides(broker.max_connections_per_ip_overrides);
  return limits;
}

}  // namespace tandem::broker::server
