#include "broker/shell/controller_service.h"

#include <future>

#include "broker/zk/paths.h"
#include "net/executors.h"
#include "net/timer.h"

namespace tandem::broker::shell {
namespace {

constexpr base::milliseconds kStopWait{30'000};

// nullopt: only the handler of the API knows how to put it to the core.
std::optional<controller::ControllerRequest> as_own_request(const api::ToController& request) {
  if (const auto* alter = std::get_if<protocol::AlterPartitionRequest>(&request)) return *alter;
  if (const auto* ids = std::get_if<protocol::AllocateProducerIdsRequest>(&request)) return *ids;
  if (const auto* leave = std::get_if<protocol::ControlledShutdownRequest>(&request)) return *leave;
  return std::nullopt;
}

api::FromController as_answer(controller::ControllerReply reply) {
  if (auto* alter = std::get_if<protocol::AlterPartitionResponse>(&reply)) return std::move(*alter);
  if (auto* ids = std::get_if<protocol::AllocateProducerIdsResponse>(&reply)) return std::move(*ids);
  return std::get<protocol::ControlledShutdownResponse>(std::move(reply));
}

}  // namespace

ControllerService::ControllerService(const base::Clock& clock, ControllerServiceOptions options,
                                     logging::Logger log)
    : clock_(clock),
      options_(std::move(options)),
      log_(log),
      loop_(clock),
      registration_(base::Random(options_.seed)) {
  TreeLinkCallbacks callbacks;
  callbacks.on_session = [this](std::int64_t session) { on_session(session); };
  callbacks.on_lost = [this] { on_lost(); };
  callbacks.on_watch = [this](const std::string& path, zk::ZkEvent event) { on_watch(path, event); };
  tree_ = std::make_unique<TreeLink>(loop_, options_.tree, std::move(callbacks), log_.named("tree"));
  timer_ = std::make_unique<net::Timer>(loop_, [this] {
    if (controller_) controller_->on_deadline(now());
    pump();
  });
  thread_ = std::thread([this] {
    net::name_this_thread("control");
    loop_.run();
  });
}

ControllerService::~ControllerService() {
  loop_.stop();
  if (thread_.joinable()) thread_.join();
}

// ---- from the server's thread ----

void ControllerService::prepare(controller::PrepareOptions options, PreparedDone done) {
  loop_.post([this, options = std::move(options), done = std::move(done)]() mutable {
    prepared_ = std::move(done);
    to_prepare_ = std::move(options);
    tree_->start();
  });
}

base::Result<controller::Prepared> ControllerService::prepare(controller::PrepareOptions options) {
  auto promise = std::make_shared<std::promise<base::Result<controller::Prepared>>>();
  auto future = promise->get_future();
  prepare(std::move(options),
          [promise](base::Result<controller::Prepared> outcome) { promise->set_value(std::move(outcome)); });
  if (future.wait_for(options_.connect_timeout) == std::future_status::ready) return future.get();
  return base::make_error(base::Errc::timed_out,
                          "no coordination server of zookeeper.connect answered within {} ms",
                          options_.connect_timeout.count());
}

void ControllerService::enlist(zk::BrokerRegistration broker, EnlistedDone done) {
  loop_.post([this, broker = std::move(broker), done = std::move(done)]() mutable {
    enlist_done_ = std::move(done);
    enlisted_ = std::move(broker);
    if (tree_->up()) {
      registration_.enlist(*enlisted_, tree_->session(), clock_.wall(), options_.predecessor_gone);
      pump();
    }
  });
}

base::Result<std::int64_t> ControllerService::enlist(zk::BrokerRegistration broker) {
  auto promise = std::make_shared<std::promise<base::Result<std::int64_t>>>();
  auto future = promise->get_future();
  enlist(std::move(broker),
         [promise](base::Result<std::int64_t> outcome) { promise->set_value(std::move(outcome)); });
  return future.get();
}

void ControllerService::update(zk::BrokerRegistration broker) {
  loop_.post([this, broker = std::move(broker)]() mutable {
    enlisted_ = std::move(broker);
    if (broker_epoch_ < 0) return;
    registration_.update(*enlisted_, clock_.wall());
    pump();
  });
}

void ControllerService::set_unclean_default(bool enabled) {
  loop_.post([this, enabled] {
    options_.controller.unclean_election = enabled;
    if (!controller_) return;
    controller_->set_unclean_default(enabled);
    pump();
  });
}

void ControllerService::unclean_enabled(const std::string& topic) {
  loop_.post([this, topic] {
    if (!controller_) return;
    controller_->on_unclean_enabled(topic);
    pump();
  });
}

void ControllerService::stop(bool controlled, std::function<void()> done) {
  loop_.post([this, controlled, done = std::move(done)] {
    stopping_ = true;
    shut_down(controlled ? options_.shutdown_retries : 0, [this, done] {
      shutdown_timer_.reset();
      if (channel_) {
        channel_->stop();
        leaving_->stop();
      }
      if (controller_) controller_->stop(now());
      pump();
      tree_->stop(done);
    });
  });
}

void ControllerService::stop(bool controlled) {
  auto promise = std::make_shared<std::promise<void>>();
  auto future = promise->get_future();
  stop(controlled, [promise] { promise->set_value(); });
  const auto patience = kStopWait + options_.shutdown_backoff * (2 * std::max(options_.shutdown_retries, 0));
  if (future.wait_for(patience) != std::future_status::ready) log_.warn("the session did not close in time");
}

// The controller is asked until it has moved everything that this broker leads, or often enough.
void ControllerService::shut_down(int attempts_left, std::function<void()> done) {
  if (attempts_left <= 0 || !controller_ || broker_epoch_ < 0) {
    done();
    return;
  }
  protocol::ControlledShutdownRequest request;
  request.broker_id = options_.controller.broker_id;
  request.broker_epoch = broker_epoch_;
  tell(std::move(request), options_.shutdown_backoff,
       [this, attempts_left, done = std::move(done)](const base::Result<api::FromController>& answer) {
         on_shut_down(attempts_left, done, answer);
       });
}

// As the controller of a cluster of one: asking again moves nothing.
bool ControllerService::nobody_else() const {
  return controller_->active() && controller_->state().live_brokers().empty();
}

void ControllerService::on_shut_down(int attempts_left, std::function<void()> done,
                                     const base::Result<api::FromController>& answer) {
  const auto* response = answer ? std::get_if<protocol::ControlledShutdownResponse>(&*answer) : nullptr;
  if (response != nullptr && response->error_code == protocol::ErrorCode::none &&
      response->remaining_partitions.empty()) {
    log_.info("controlled shutdown succeeded");
    done();
    return;
  }
  if (response != nullptr) {
    log_.warn("controlled shutdown: error {}, {} partitions are still led here",
              static_cast<int>(response->error_code), response->remaining_partitions.size());
  } else {
    log_.warn("controlled shutdown: {}", answer.error().context);
  }
  if (nobody_else()) {
    log_.info("no other broker is left to lead them");
    done();
    return;
  }
  if (attempts_left <= 1) {
    log_.warn("going on with an uncontrolled shutdown");
    done();
    return;
  }
  shutdown_timer_ = std::make_unique<net::Timer>(
      loop_, [this, attempts_left, done = std::move(done)] { shut_down(attempts_left - 1, done); });
  shutdown_timer_->set(now() + options_.shutdown_backoff);
}

// ---- ClusterControl ----

void ControllerService::ask(controller::ControllerRequest request, Answered done) {
  loop_.post([this, request = std::move(request), done = std::move(done)]() mutable {
    if (!controller_) {
      done(controller::not_controller(request));
      return;
    }
    const auto token = ++last_token_;
    asked_[token] = std::move(done);
    controller_->request(token, std::move(request), now());
    pump();
  });
}

void ControllerService::tell_controller(api::ToController request, base::milliseconds timeout, Told done) {
  loop_.post([this, request = std::move(request), timeout, done = std::move(done)]() mutable {
    tell(std::move(request), timeout, std::move(done));
  });
}

ControllerChannel& ControllerService::channel_of(const api::ToController& request) {
  return std::holds_alternative<protocol::ControlledShutdownRequest>(request) ? *leaving_ : *channel_;
}

// Our own controller, when it is the active one, needs no connection.
void ControllerService::tell(api::ToController request, base::milliseconds timeout, Told done) {
  if (!channel_) return done(base::make_error(base::Errc::unavailable, "this broker has not joined yet"));
  auto own = controller_->active() ? as_own_request(request) : std::nullopt;
  if (!own) {
    channel_of(request).send(std::move(request), timeout, std::move(done));
    return;
  }
  const auto token = ++last_token_;
  asked_[token] = [this, request = std::move(request), timeout,
                   done = std::move(done)](controller::ControllerReply reply) mutable {
    auto answer = as_answer(std::move(reply));
    if (is_not_controller(answer)) {  // the office was lost meanwhile: its next holder is asked
      channel_of(request).send(std::move(request), timeout, std::move(done));
    } else {
      done(std::move(answer));
    }
  };
  controller_->request(token, std::move(*own), now());
  pump();
}

void ControllerService::find_broker(std::int32_t broker, const std::string& listener,
                                    const ControllerChannel::Found& found) {
  if (!tree_->up()) return found(std::nullopt);
  tree_->perform(
      {zk::get_op(zk::broker_path(broker))}, [broker, listener, found](std::vector<zk::ZkResult> results) {
        const auto known = results.front().ok() ? zk::decode_broker(broker, results.front().data)
                                                : base::make_error(base::Errc::not_found, "not registered");
        const auto* endpoint = known ? known->endpoint(listener) : nullptr;
        found(endpoint != nullptr ? std::optional(*endpoint) : std::nullopt);
      });
}

std::unique_ptr<ControllerChannel> ControllerService::make_channel(const std::string& client_id,
                                                                   std::string listener) {
  return std::make_unique<ControllerChannel>(
      loop_, ControllerChannel::Options{client_id, options_.socket_timeout},
      [this, listener = std::move(listener)](std::int32_t broker, const ControllerChannel::Found& found) {
        find_broker(broker, listener, found);
      },
      log_.named("channel"));
}

// Who asked hears of the session's end, too: it would else wait for ever.
void ControllerService::perform(std::vector<zk::ZkOp> ops, Performed done) {
  loop_.post([this, ops = std::move(ops), done = std::move(done)]() mutable {
    if (!tree_->up()) {
      done({});
      return;
    }
    const std::uint64_t id = ++last_performed_;
    performing_.emplace(id, std::move(done));
    tree_->perform(std::move(ops), [this, id](std::vector<zk::ZkResult> results) {
      auto asked = performing_.extract(id);
      if (!asked.empty()) asked.mapped()(std::move(results));
    });
  });
}

// ---- the session ----

void ControllerService::on_session(std::int64_t session) {
  log_.info("session 0x{:x} with the coordination service", static_cast<std::uint64_t>(session));
  if (to_prepare_) {
    registration_.prepare(*to_prepare_);
  } else if (enlisted_) {
    registration_.enlist(*enlisted_, session, clock_.wall(), options_.predecessor_gone);
  }
  pump();
  for (const auto& subscriber : subscribers_) subscriber("", zk::ZkEvent::created);
}

void ControllerService::on_lost() {
  log_.warn("the session with the coordination service is lost");
  registration_.on_session_lost();
  if (controller_) controller_->on_session_lost();
  controller_id_ = -1;
  for (const auto& [id, done] : std::exchange(performing_, {})) done({});
  pump();
}

void ControllerService::on_watch(const std::string& path, zk::ZkEvent event) {
  if (controller_) controller_->on_watch(path, event, now());
  for (const auto& subscriber : subscribers_) subscriber(path, event);
  pump();
}

void ControllerService::on_outcome(base::Result<controller::Prepared> prepared) {
  to_prepare_.reset();
  if (prepared && !controller_) {
    options_.controller.broker_id = prepared->broker_id;
    const std::string client_id = std::to_string(prepared->broker_id);
    controller_.emplace(options_.controller, base::Random(options_.seed + 1));
    channel_ = make_channel(client_id, options_.controller.control_listener);
    leaving_ = make_channel(client_id, options_.controller.listener);
    watch_ = std::make_unique<PeerWatch>(
        loop_,
        [this](std::int32_t broker, std::int64_t epoch, bool refuses) {
          controller_->on_reachability(broker, epoch, refuses, now());
          pump();
        },
        [this](std::int32_t broker, bool connected) {
          if (!connected) gone_ = broker;
          if (connected && gone_ == broker) gone_ = -1;
        });
    links_ = std::make_unique<BrokerLinks>(
        loop_, client_id, options_.socket_timeout,
        [this](std::int32_t broker, std::uint64_t id, controller::Controller::Answer answer) {
          controller_->on_answer(broker, id, std::move(answer), now());
          pump();
        },
        // From within pump_controller(), which goes on with what this brings.
        [this](std::int32_t broker) { controller_->on_link_full(broker, now()); }, log_.named("links"));
  }
  if (prepared_) std::exchange(prepared_, nullptr)(std::move(prepared));
}

void ControllerService::on_enlisted(base::Result<std::int64_t> epoch) {
  const bool first = enlist_done_ != nullptr;
  if (epoch) {
    broker_epoch_ = *epoch;
    log_.info("registered broker {} with epoch {}", options_.controller.broker_id, *epoch);
    if (options_.on_broker_epoch) options_.on_broker_epoch(*epoch);
    controller_->on_session(tree_->session(), now(), clock_.wall());
  } else if (!first && options_.on_fatal) {
    options_.on_fatal(epoch.error().context);
  }
  if (first) std::exchange(enlist_done_, nullptr)(std::move(epoch));
}

// ---- effects ----

void ControllerService::pump() {
  pump_registration();
  pump_controller();
}

void ControllerService::pump_registration() {
  for (auto& effect : registration_.take()) {
    if (auto* batch = std::get_if<controller::ZkBatch>(&effect)) {
      tree_->perform(std::move(batch->ops), [this, id = batch->id](std::vector<zk::ZkResult> results) {
        registration_.on_results(id, std::move(results));
        pump();
      });
    } else if (auto* prepared = std::get_if<controller::Prepared>(&effect)) {
      on_outcome(std::move(*prepared));
    } else if (auto* enlisted = std::get_if<controller::Enlisted>(&effect)) {
      on_enlisted(enlisted->broker_epoch);
    } else if (auto* refused = std::get_if<controller::Refused>(&effect)) {
      const base::Error error{base::Errc::unavailable, std::move(refused->reason)};
      if (to_prepare_) {
        on_outcome(error);
      } else {
        on_enlisted(error);
      }
    }
  }
}

void ControllerService::pump_controller() {
  if (!controller_) return;
  for (auto effects = controller_->take(); !effects.empty(); effects = controller_->take()) {
    for (auto& effect : effects) perform_effect(effect);
  }
  timer_->set(controller_->next_deadline());
  controller_id_ = controller_->active_id();
  channel_->set_controller(controller_id_);
  leaving_->set_controller(controller_id_);
}

void ControllerService::perform_effect(controller::Effect& effect) {
  if (auto* batch = std::get_if<controller::ZkBatch>(&effect)) {
    tree_->perform(std::move(batch->ops), [this, id = batch->id](std::vector<zk::ZkResult> results) {
      controller_->on_results(id, std::move(results), now());
      pump();
    });
  } else if (auto* connect = std::get_if<controller::Connect>(&effect)) {
    links_->add(connect->broker, connect->endpoint);
  } else if (auto* disconnect = std::get_if<controller::Disconnect>(&effect)) {
    links_->remove(disconnect->broker);
  } else if (auto* send = std::get_if<controller::Send>(&effect)) {
    links_->send(std::move(*send));
  } else if (auto* watch = std::get_if<controller::WatchBroker>(&effect)) {
    watch_->add(watch->broker, watch->epoch, watch->endpoint);
  } else if (auto* unwatch = std::get_if<controller::UnwatchBroker>(&effect)) {
    watch_->remove(unwatch->broker);
  } else if (auto* became = std::get_if<controller::Became>(&effect)) {
    log_.info("{} the controller of the cluster, epoch {}", became->active ? "became" : "is no longer",
              became->epoch);
  } else if (auto* note = std::get_if<controller::Note>(&effect)) {
    log_.warn("{}", note->text);
  } else if (auto* reply = std::get_if<controller::Reply>(&effect)) {
    const auto at = asked_.find(reply->token);
    if (at == asked_.end()) return;
    const auto done = std::move(at->second);
    asked_.erase(at);
    done(std::move(reply->reply));
  }
}

}  // namespace tandem::broker::shell
