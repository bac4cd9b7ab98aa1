// Broker: builds every part of the server from its settings, in the order in which they need each other, and
// takes them down in reverse. Owned by main, used from main's thread; start() and stop() block. Whatever ends
// the broker later (a directory lost, a registration refused) is told through Outside::on_fatal.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "broker/api/config_registry.h"
#include "broker/api/group_service.h"
#include "broker/api/metadata_cache.h"
#include "broker/api/replicas.h"
#include "broker/api/services.h"
#include "broker/config/listeners.h"
#include "broker/shell/config_watcher.h"
#include "broker/shell/controller_service.h"
#include "broker/shell/follower_probes.h"
#include "broker/shell/isr_sender.h"
#include "broker/shell/producer_id_service.h"
#include "broker/shell/replica_fetchers.h"
#include "broker/shell/socket_server.h"
#include "broker/shell/topic_creator.h"
#include "fs/disk.h"
#include "logging/logger.h"

namespace tandem::broker::server {

// What the broker needs of the process.
struct Outside {
  const base::Clock& clock;
  fs::Disk& disk;
  logging::Logger log;
  std::uint64_t seed = 1;
  std::string host_name;                      // advertised where a listener names no host
  std::function<void(std::string)> on_fatal;  // the process must end; any thread
};

class Broker {
 public:
  Broker(Outside outside, config::Settings settings);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  base::Status start();
  void stop(bool controlled);
  std::int32_t id() const { return node_.broker_id; }

 private:
  base::Status join_tree(std::int32_t stored_id);
  base::Status load_settings();
  base::Status serve();
  std::future<void> first_metadata();
  base::Status enlist(std::vector<shell::NamedEndpoint> bound);
  zk::BrokerRegistration registration_now() const;
  void limit_replication();
  void renew_registration();
  void make_followers();
  void make_probes();
  void make_coordinators();
  void follow_settings();
  void tell_controller_of_lost_directory();
  api::ReplicasOptions replicas_options();
  shell::ControllerServiceOptions controller_options() const;
  shell::SocketServerOptions socket_options() const;
  controller::ProtocolVersion protocol() const;
  shell::ReplicaFetchersOptions fetcher_options() const;
  api::GroupService::Options group_options() const;
  shell::ConnectionLimits limits() const;
  const config::BrokerConfig& config() const { return initial_.broker(); }

  Outside outside_;
  logging::Logger log_;
  config::Settings initial_;
  config::Listeners listeners_;
  api::Node node_;
  api::MetadataCache metadata_;
  api::ConfigRegistry configs_;
  api::Shards shards_;
  std::unique_ptr<api::Replicas> replicas_;
  std::unique_ptr<shell::ControllerService> control_;
  std::unique_ptr<shell::ConfigWatcher> watcher_;
  std::unique_ptr<shell::ProducerIdService> producer_ids_;
  std::unique_ptr<shell::TopicCreator> topics_;
  std::unique_ptr<api::GroupService> groups_;
  std::unique_ptr<shell::ReplicaFetchers> fetchers_;
  std::unique_ptr<shell::IsrSender> isr_sender_;
  std::unique_ptr<shell::FollowerProbes> probes_;  // none: tandem.replica.suspect.ms=0
  api::Services services_;
  std::unique_ptr<shell::SocketServer> sockets_;
  std::mutex registered_mutex_;  // settings change on the control thread
  std::vector<shell::NamedEndpoint> bound_;
  std::optional<zk::BrokerRegistration> registered_;
  bool serving_ = false;
};

}  // namespace tandem::broker::server
