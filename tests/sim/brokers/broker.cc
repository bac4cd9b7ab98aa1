#include "tests/sim/brokers/broker.h"

#include <fmt/format.h>

#include "broker/api/log_config.h"
#include "broker/zk/admin.h"
#include "broker/zk/paths.h"
#include "tests/sim/brokers/groups.h"
#include "tests/sim/brokers/mutants.h"

namespace tandem::sim::brokers {

namespace zk = broker::zk;
namespace config = broker::config;

namespace {

constexpr const char* kListener = "PLAINTEXT";
constexpr std::uint16_t kPort = 9092;
constexpr const char* kRackAwareSelector = "org.apache.kafka.common.replica.RackAwareReplicaSelector";

// How it comes that what is acknowledged is on a disk.
const char* flushing_of(int host, const BrokerOptions& options) {
  if (!options.durable || options.mutant == BrokerMutant::lazy_flush) return "";
  if (!options.flush_on_ack) return "log.flush.interval.messages=1\n";
  return options.mutant == BrokerMutant::lone_flush && host != 1 ? "" : "tandem.log.flush.on.ack=true\n";
}

std::string rack_settings(int host, const BrokerOptions& options) {
  if (options.racks == 0) return "";
  return fmt::format("broker.rack={}\nreplica.selector.class={}\n", options.rack_of(host),
                     kRackAwareSelector);
}

config::Settings settings_of(int host, const BrokerOptions& options,
                             const std::shared_ptr<const config::Tables>& tables) {
  const std::string text = fmt::format(
      "broker.id={0}\nlisteners=PLAINTEXT://{1}:{2}\nzookeeper.connect=tree:2181\nlog.dirs={18}\n"
      "log.segment.bytes={3}\nlog.index.size.max.bytes=1024\nlog.index.interval.bytes=256\n"
      "min.insync.replicas={4}\ndefault.replication.factor={5}\ninter.broker.protocol.version={6}\n"
      "replica.lag.time.max.ms={7}\nreplica.fetch.wait.max.ms={8}\nreplica.fetch.backoff.ms=200\n"
      "zookeeper.session.timeout.ms={9}\ncontroller.socket.timeout.ms={10}\nreplica.socket.timeout.ms={10}\n"
      "log.segment.delete.delay.ms=1000\nleader.imbalance.check.interval.seconds=5\n"
      "replica.high.watermark.checkpoint.interval.ms=500\nlog.flush.offset.checkpoint.interval.ms=2000\n"
      "offsets.topic.num.partitions={12}\noffsets.topic.segment.bytes={3}\n"
      "group.min.session.timeout.ms=100\n"
      "group.initial.rebalance.delay.ms=200\noffsets.topic.replication.factor={5}\n"
      "controlled.shutdown.retry.backoff.ms=500\n{11}tandem.registration.takeover={13}\n"
      "tandem.suspect.brokers={14}\ntandem.suspect.controller={14}\ntandem.replica.suspect.ms={15}\n"
      "unclean.leader.election.enable={16}\n{17}",
      host, host_name(host), kPort, options.segment_bytes, options.min_insync, options.replication,
      options.old_protocol ? "2.7-IV0" : "3.9", options.lag_max.count(), options.fetch_wait.count(),
      options.session_timeout.count(), options.socket_timeout.count(), flushing_of(host, options),
      kOffsetsPartitions, options.takeover, options.suspicion, options.suspect.count(),
      options.mutant == BrokerMutant::hasty_election, rack_settings(host, options),
      fmt::join(options.dirs(), ","));
  auto loaded = config::load(tables->broker, text, "server.properties", {});
  ENSURE(loaded.has_value(), "{}", loaded.error().context);
  return config::Settings(tables, std::move(*loaded));
}

}  // namespace

SimBroker::SimBroker(Surroundings& around, int host, SimDisk& disk, const BrokerOptions& options,
                     const std::shared_ptr<const config::Tables>& tables, logging::Logger log,
                     base::Random random)
    : process_(around, host, random.split()),
      disk_(disk),
      wide_(options.wide),
      disks_(options.disks),
      log_dirs_(options.dirs()),
      seed_(random.next()),
      log_(log),
      initial_(settings_of(host, options, tables)),
      protocol_(*broker::controller::ProtocolVersion::parse(config().inter_broker_protocol_version)),
      configs_(initial_),
      shards_(process_, static_cast<std::size_t>(options.shards)),
      services_{process_, log.named("apis"), shards_, node_, metadata_} {
  node_.broker_id = host;
  services_.configs = &configs_;
}

// Nothing that is still to be said gets out of a dead process; what waits for an answer goes with it.
SimBroker::~SimBroker() {
  process_.die();
  shards_.stop();
}

void SimBroker::end(End::Cause cause, std::string text) {
  if (!fatal_) fatal_ = End{cause, std::move(text)};
}

void SimBroker::end_for(const base::Error& error) {
  const bool failed = error.code == base::Errc::io || error.code == base::Errc::no_space;
  end(failed ? End::Cause::disk : End::Cause::files, error.context);
}

void SimBroker::start() {
  replicas_ = std::make_unique<api::Replicas>(process_, log_.named("replicas"), shards_, node_, disk_,
                                              replicas_options());
  services_.replicas = replicas_.get();
  if (auto status = replicas_->open_dirs(); !status) return end_for(status.error());
  const auto stored = replicas_->stored_broker_id();
  if (!stored) return end_for(stored.error());
  auto control = controller_options();
  control.predecessor_gone = wide_ && config().tandem_registration_takeover && *stored >= 0;
  control_ = std::make_unique<shell::ControllerService>(process_, std::move(control), log_.named("control"));
  services_.control = control_.get();
  watcher_ = std::make_unique<shell::ConfigWatcher>(*control_, configs_, process_, log_.named("config"));
  control_->subscribe([this](const std::string& path, zk::ZkEvent) { watcher_->on_event(path); });
  broker::controller::PrepareOptions prepare;
  prepare.broker_id = node_.broker_id;
  prepare.protocol_configured = true;
  // As the server that waits for each of these steps and gives up.
  process_.after(2 * milliseconds(config().zookeeper_session_timeout_ms), nullptr, [this] {
    if (!serving_) end(End::Cause::other, "the tree was not there for the start");
  });
  // What follows is done by the server's own thread.
  control_->prepare(std::move(prepare), [this](base::Result<broker::controller::Prepared> prepared) {
    process_.after(process_.hop(), nullptr,
                   [this, prepared = std::move(prepared)] { on_prepared(prepared); });
  });
}

void SimBroker::on_prepared(const base::Result<broker::controller::Prepared>& prepared) {
  if (!prepared) return end(End::Cause::other, prepared.error().context);
  node_.cluster_id = prepared->cluster_id;
  node_.rack = config().broker_rack.value_or("");
  if (auto status = replicas_->claim("#date"); !status) return end_for(status.error());
  watcher_->start(node_.broker_id,
                  [this] { process_.after(process_.hop(), nullptr, [this] { on_settings(); }); });
}

void SimBroker::on_settings() {
  if (replicas_ == nullptr || serving_ || fatal_) return;
  if (auto status = replicas_->load(); !status) return end_for(status.error());
  make_followers();
  make_coordinators();
  follow_settings();
  serve();
}

void SimBroker::follow_settings() {
  api::ConfigRegistry::Subscriber subscriber;
  subscriber.on_topic = [this](const std::string& topic) {
    replicas_->config_changed(topic);
    if (configs_.now()->topic(topic).unclean_leader_election_enable) control_->unclean_enabled(topic);
  };
  if (wide_)
    subscriber.on_broker = [this] {
      replicas_->config_changed("");
      limit_replication();
    };
  configs_.subscribe(std::move(subscriber));
  limit_replication();
}

void SimBroker::limit_replication() {
  const auto settings = configs_.now();
  replicas_->quotas().limit(api::Throttle::leader, settings->rate(config::kLeaderRate));
  replicas_->quotas().limit(api::Throttle::follower, settings->rate(config::kFollowerRate));
}

void SimBroker::make_followers() {
  shell::ReplicaFetchersOptions fetchers;
  fetchers.core.broker_id = node_.broker_id;
  fetchers.core.fetch_version = protocol_.fetch();
  fetchers.core.epoch_version = protocol_.offset_for_leader_epoch();
  fetchers.core.list_offsets_version = protocol_.list_offsets();
  fetchers.core.wait_ms_max = config().replica_fetch_wait_max_ms;
  fetchers.core.backoff = milliseconds(config().replica_fetch_backoff_ms);
  fetchers.listener = kListener;
  fetchers.socket_timeout = milliseconds(config().replica_socket_timeout_ms);
  fetchers_ = std::make_unique<shell::ReplicaFetchers>(shards_, metadata_, node_, std::move(fetchers),
                                                       log_.named("fetchers"));
  shell::IsrSenderOptions isr;
  isr.through_controller = protocol_.alter_partition();
  isr_sender_ = std::make_unique<shell::IsrSender>(shards_, *control_, node_, isr, log_.named("isr"));
  make_probes();
  replicas_->attach(fetchers_.get(), isr_sender_.get(), probes_.get());
}

void SimBroker::make_probes() {
  if (config().tandem_replica_suspect_ms <= 0) return;
  shell::FollowerProbesOptions options;
  options.suspect_after = milliseconds(config().tandem_replica_suspect_ms);
  options.listener = kListener;
  options.broker_id = node_.broker_id;
  const auto shrink_all = [this] {
    for (std::size_t shard = 0; shard < shards_.size(); ++shard)
      shards_.post(shard, [this, shard] { replicas_->shrink_isrs(shard, false); });
  };
  probes_ =
      std::make_unique<shell::FollowerProbes>(shards_, metadata_, options, shrink_all, log_.named("probes"));
}

void SimBroker::make_coordinators() {
  producer_ids_ = std::make_unique<shell::ProducerIdService>(*control_, node_.broker_id);
  services_.producer_ids = producer_ids_.get();
  topics_ = std::make_unique<shell::TopicCreator>(*control_, metadata_, configs_, log_.named("topics"));
  services_.internal_topics = topics_.get();
  api::GroupService::Options groups;
  groups.core.partitions = config().offsets_topic_num_partitions;
  groups.core.session_min = milliseconds(config().group_min_session_timeout_ms);
  groups.core.initial_rebalance_delay = milliseconds(config().group_initial_rebalance_delay_ms);
  groups.seed = seed_ + 2;
  groups_ = std::make_unique<api::GroupService>(process_, log_.named("groups"), shards_, *replicas_, groups);
  services_.groups = groups_.get();
  replicas_->on_leadership([this](api::Replica& replica, bool leader) { on_leadership(replica, leader); });
  metadata_.subscribe(
      [this](const api::MetadataCache::Image& before, const api::MetadataCache::Image& after) {
        for (const auto& [name, topic] : before->topics())
          if (!after->topic(name)) groups_->on_topic_deleted(name);
        const auto gone = broker::replica::brokers_gone(*before, *after);
        if (!gone.empty()) replicas_->on_brokers_gone(gone);
      });
}

void SimBroker::on_leadership(api::Replica& replica, bool leader) {
  if (!leader && is(BrokerMutant::kept_groups)) return;
  if (!leader || replica.topic != kOffsetsName || !is(BrokerMutant::forgotten_commits))
    return groups_->on_leadership(replica, leader);
  groups_->run(
      [partition = replica.partition](broker::group::GroupCoordinator& core, broker::group::Now now) {
        core.unload(partition, now);
        core.begin_load(partition);
        core.end_load(partition, now);
      });
}

void SimBroker::serve() {
  sockets_ = std::make_unique<shell::SocketServer>(services_, shell::SocketServerOptions{});
  const auto bound = sockets_->open({{kListener, {host_name(process_.host()), kPort}}});
  if (!bound) return end(End::Cause::other, bound.error().context);
  shards_.start();
  replicas_->start();
  groups_->start();
  serving_ = true;
  zk::BrokerRegistration registration;
  registration.id = node_.broker_id;
  registration.rack = config().broker_rack;
  registration.endpoints = {{kListener, host_name(process_.host()), kPort, zk::SecurityProtocol::plaintext}};
  control_->enlist(std::move(registration), [this](base::Result<std::int64_t> epoch) {
    if (!epoch) return end(End::Cause::other, epoch.error().context);
    node_.broker_epoch = *epoch;
  });
}

void SimBroker::stop(std::function<void()> done) {
  if (!control_ || !serving_) return done();
  replicas_->begin_shutdown();
  control_->stop(true, [this, done = std::move(done)] {
    process_.after(process_.hop(), nullptr, [this, done] {
      sockets_->close_listeners();
      shards_.stop();
      if (const auto status = replicas_->shutdown(); !status) log_.error("{}", status.error().context);
      done();
    });
  });
}

api::ReplicasOptions SimBroker::replicas_options() {
  api::ReplicasOptions options;
  options.log_dirs = log_dirs_;
  options.retention_check_ms = config().log_retention_check_interval_ms;
  options.checkpoint_ms = config().log_flush_offset_checkpoint_interval_ms;
  options.high_watermark_checkpoint_ms = config().replica_high_watermark_checkpoint_interval_ms;
  options.lag_max = milliseconds(config().replica_lag_time_max_ms);
  options.rack_aware = config().replica_selector_class == kRackAwareSelector;
  options.flush_on_ack = config().tandem_log_flush_on_ack;
  options.seed = seed_;
  options.config_of = [this](const std::string& topic) {
    const auto settings = configs_.now();
    return api::log_config(settings->topic(topic), settings->broker(), topic, node_.broker_id);
  };
  options.on_created = [this](const std::string& topic) { watcher_->refresh_topic(topic); };
  options.on_dir_failure = [this](const std::string& dir, bool all) {
    if (all || is(BrokerMutant::one_for_all))
      return end(End::Cause::disk, dir + " was the last log directory");
    tell_controller();
  };
  if (disks_) options.on_replica_failure = [this] { tell_controller(); };
  return options;
}

// That a replica or a log directory has failed.
void SimBroker::tell_controller() {
  if (is(BrokerMutant::untold_failures)) return;
  zk::ZkOp note = zk::create_op(fmt::format("{}/{}", zk::kLogDirEventsPath, zk::kLogDirEventPrefix),
                                zk::encode_log_dir_event(node_.broker_id));
  note.sequential = true;
  control_->perform({std::move(note)}, [](const std::vector<zk::ZkResult>&) {});
}

shell::ControllerServiceOptions SimBroker::controller_options() {
  shell::ControllerServiceOptions options;
  options.tree.session_timeout = milliseconds(config().zookeeper_session_timeout_ms);
  options.tree.seed = seed_;
  options.controller.protocol = protocol_;
  options.controller.listener = options.controller.control_listener = kListener;
  options.controller.rebalance_interval =
      std::chrono::seconds(config().leader_imbalance_check_interval_seconds);
  options.controller.default_partitions = config().num_partitions;
  options.controller.default_replication_factor = config().default_replication_factor;
  options.controller.unclean_election = config().unclean_leader_election_enable;
  options.controller.suspect_brokers = config().tandem_suspect_brokers;
  options.controller.suspect_controller = config().tandem_suspect_controller;
  options.controller.take_over_own = config().tandem_registration_takeover;
  options.shutdown_retries = config().controlled_shutdown_max_retries;
  options.shutdown_backoff = milliseconds(config().controlled_shutdown_retry_backoff_ms);
  options.socket_timeout = milliseconds(config().controller_socket_timeout_ms);
  options.seed = seed_ + 1;
  options.on_fatal = [this](std::string reason) { end(End::Cause::other, std::move(reason)); };
  options.on_broker_epoch = [this](std::int64_t epoch) { node_.broker_epoch = epoch; };
  return options;
}

}  // namespace tandem::sim::brokers
