// ControllerService: the thread on which this broker deals with the cluster. It owns the session with the
// ensemble, the registration and the controller core with its connections to the brokers, and performs their
// effects. The server calls prepare(), enlist() and stop() from its own thread and waits; handlers use it as
// ClusterControl. After an expired session it registers and stands for election again by itself.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "broker/api/cluster_control.h"
#include "broker/controller/controller.h"
#include "broker/controller/registration.h"
#include "broker/shell/broker_links.h"
#include "broker/shell/controller_channel.h"
#include "broker/shell/peer_watch.h"
#include "broker/shell/tree_link.h"
#include "net/timer.h"

namespace tandem::broker::shell {

struct ControllerServiceOptions {
  TreeLinkOptions tree;
  base::milliseconds connect_timeout{18000};  // zookeeper.connection.timeout.ms
  controller::ControllerOptions controller;   // the broker id is filled in by prepare()
  int shutdown_retries = 3;                   // controlled.shutdown.max.retries
  base::milliseconds shutdown_backoff{5000};  // controlled.shutdown.retry.backoff.ms
  base::milliseconds socket_timeout{30000};   // controller.socket.timeout.ms
  // The locks of log directories that were this broker's before are held here (Registration::enlist).
  bool predecessor_gone = false;
  std::uint64_t seed = 1;
  // A new session could not be registered (another broker took the id): the process must end. Control thread.
  std::function<void(std::string reason)> on_fatal;
  // The epoch of each registration. Control thread.
  std::function<void(std::int64_t epoch)> on_broker_epoch;
};

class ControllerService final : public api::ClusterControl {
 public:
  ControllerService(const base::Clock& clock, ControllerServiceOptions options, logging::Logger log);
  ~ControllerService() override;

  // The three of them either block, or return at once and call `done` on the control thread.
  using PreparedDone = std::function<void(base::Result<controller::Prepared>)>;
  using EnlistedDone = std::function<void(base::Result<std::int64_t>)>;
  // Connects; makes the tree's persistent paths; gives broker id and cluster id. Blocks within the timeout.
  base::Result<controller::Prepared> prepare(controller::PrepareOptions options);
  void prepare(controller::PrepareOptions options, PreparedDone done);
  // Registers and stands for election, until registered; gives the broker epoch.
  base::Result<std::int64_t> enlist(zk::BrokerRegistration broker);
  void enlist(zk::BrokerRegistration broker, EnlistedDone done);
  // A changed registration (dynamic listeners); returns at once.
  void update(zk::BrokerRegistration broker);
  // Has the controller hand on what this broker leads, lays down the office, ends the session.
  void stop(bool controlled);
  void stop(bool controlled, std::function<void()> done);
  // How the controller would choose now (unclean.leader.election.enable changed).
  void set_unclean_default(bool enabled);
  void unclean_enabled(const std::string& topic);  // by the topic's own setting

  // ---- api::ClusterControl ----
  void ask(controller::ControllerRequest request, Answered done) override;
  std::int32_t controller_id() const override { return controller_id_; }
  bool is_gone(std::int32_t controller) const override { return controller >= 0 && gone_ == controller; }
  void tell_controller(api::ToController request, base::milliseconds timeout, Told done) override;
  void perform(std::vector<zk::ZkOp> ops, Performed done) override;
  void subscribe(OnEvent on_event) override { subscribers_.push_back(std::move(on_event)); }

 private:
  void on_session(std::int64_t session);
  void on_lost();
  void on_watch(const std::string& path, zk::ZkEvent event);
  void pump();
  void pump_registration();
  void pump_controller();
  void perform_effect(controller::Effect& effect);
  void on_outcome(base::Result<controller::Prepared> prepared);
  void on_enlisted(base::Result<std::int64_t> epoch);
  void shut_down(int attempts_left, std::function<void()> done);
  void on_shut_down(int attempts_left, std::function<void()> done,
                    const base::Result<api::FromController>& answer);
  bool nobody_else() const;
  void tell(api::ToController request, base::milliseconds timeout, Told done);
  ControllerChannel& channel_of(const api::ToController& request);
  void find_broker(std::int32_t broker, const std::string& listener, const ControllerChannel::Found& found);
  std::unique_ptr<ControllerChannel> make_channel(const std::string& client_id, std::string listener);

  base::Instant now() const { return clock_.now(); }

  const base::Clock& clock_;
  ControllerServiceOptions options_;
  logging::Logger log_;
  std::vector<OnEvent> subscribers_;
  net::Loop loop_;

  // ---- control thread ----
  std::unique_ptr<TreeLink> tree_;
  std::unique_ptr<BrokerLinks> links_;
  std::unique_ptr<PeerWatch> watch_;
  std::unique_ptr<ControllerChannel> channel_;
  std::unique_ptr<ControllerChannel> leaving_;  // of controlled shutdowns: by the listener between brokers
  std::unique_ptr<net::Timer> timer_;
  std::unique_ptr<net::Timer> shutdown_timer_;
  controller::Registration registration_;
  std::optional<controller::Controller> controller_;
  std::optional<controller::PrepareOptions> to_prepare_;
  std::optional<zk::BrokerRegistration> enlisted_;  // registered, or to be
  PreparedDone prepared_;
  EnlistedDone enlist_done_;
  std::map<controller::RequestToken, Answered> asked_;
  controller::RequestToken last_token_ = 0;
  std::map<std::uint64_t, Performed> performing_;
  std::uint64_t last_performed_ = 0;
  std::int64_t broker_epoch_ = -1;
  bool stopping_ = false;

  std::atomic<std::int32_t> controller_id_{-1};
  std::atomic<std::int32_t> gone_{-1};  // the broker whose connection ended last, until there is one again
  std::thread thread_;
};

}  // namespace tandem::broker::shell
