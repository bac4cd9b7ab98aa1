// SimBroker: one life of a simulated broker: the parts of broker/server/broker.cc, built in the same order
// from the same settings, with what blocks there going on in callbacks here. Owned by the World, which keeps
// its disk.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "broker/api/config_registry.h"
#include "broker/api/group_service.h"
#include "broker/api/metadata_cache.h"
#include "broker/api/replicas.h"
#include "broker/shell/config_watcher.h"
#include "broker/shell/controller_service.h"
#include "broker/shell/follower_probes.h"
#include "broker/shell/isr_sender.h"
#include "broker/shell/producer_id_service.h"
#include "broker/shell/replica_fetchers.h"
#include "broker/shell/socket_server.h"
#include "broker/shell/topic_creator.h"
#include "tests/sim/brokers/options.h"
#include "tests/sim/brokers/process.h"
#include "tests/sim/brokers/watched.h"
#include "tests/sim/sim_disk.h"

namespace tandem::sim::brokers {

namespace shell = broker::shell;

// Why a process ends by itself.
struct End {
  enum class Cause {
    disk,   // it fails, or is full
    files,  // what is in the log directories is not right: a person has to look
    other,  // the tree, its session, another broker of the same number
  };
  Cause cause = Cause::other;
  std::string text;
};

class SimBroker final : public Watched {
 public:
  SimBroker(Surroundings& around, int host, SimDisk& disk, const BrokerOptions& options,
            const std::shared_ptr<const broker::config::Tables>& tables, logging::Logger log,
            base::Random random);
  ~SimBroker() override;
  SimBroker(const SimBroker&) = delete;
  SimBroker& operator=(const SimBroker&) = delete;

  void start();
  // In good order: the controller is asked first. `done` when it has ended; destroyed by the owner.
  void stop(std::function<void()> done);

  Process& process() { return process_; }
  int number() const override { return process_.host(); }
  bool serving() const override { return serving_; }
  api::Replica* find(const TopicPartition& at) override { return replicas_->find(at.topic, at.partition); }
  fs::Disk& disk() override { return disk_; }
  bool names(int broker) const override { return metadata_.image()->broker(broker) != nullptr; }
  // A start that is refused, the last log directory gone.
  const std::optional<End>& fatal() const { return fatal_; }
  api::Replicas& replicas() { return *replicas_; }
  api::Shards& shards() { return shards_; }
  api::MetadataCache& metadata() { return metadata_; }
  std::int64_t broker_epoch() const { return node_.broker_epoch; }
  shell::ControllerService* control() { return control_.get(); }

 private:
  void on_prepared(const base::Result<broker::controller::Prepared>& prepared);
  void on_settings();
  void follow_settings();
  void limit_replication();
  void make_followers();
  void make_probes();
  void make_coordinators();
  void on_leadership(api::Replica& replica, bool leader);
  void serve();
  void end(End::Cause cause, std::string text);
  void end_for(const base::Error& error);  // of the log directories
  void tell_controller();
  bool is(BrokerMutant mutant) { return process_.around().mutation.is(mutant); }
  api::ReplicasOptions replicas_options();
  shell::ControllerServiceOptions controller_options();
  const broker::config::BrokerConfig& config() const { return initial_.broker(); }

  Process process_;
  SimDisk& disk_;
  bool wide_;
  bool disks_;
  std::vector<std::string> log_dirs_;
  std::uint64_t seed_;
  logging::Logger log_;
  broker::config::Settings initial_;
  broker::controller::ProtocolVersion protocol_;
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
  std::unique_ptr<shell::FollowerProbes> probes_;
  api::Services services_;
  std::unique_ptr<shell::SocketServer> sockets_;
  bool serving_ = false;
  std::optional<End> fatal_;
};

}  // namespace tandem::sim::brokers
