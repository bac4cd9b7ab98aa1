#include "coord/server/standalone.h"

namespace tandem::coord::server {

using base::Status;
using jute::Zxid;

namespace {

// Apache's standalone server numbers its sessions as server 1.
constexpr std::int64_t kSessionServerId = 1;

}  // namespace

Standalone::Standalone(const Config& config, net::Loop& loop, fs::Disk& disk, logging::Logger logger,
                       base::Random random)
    : config_(config),
      loop_(loop),
      disk_(disk),
      logger_(logger),
      authorizer_(authorizer_options(config)),
      sessions_(base::milliseconds(config.tick_time_ms),
                session::first_session_id(kSessionServerId, loop.clock().wall())),
      store_(config, loop, disk, logger, random),
      driver_(loop, [this](const pipeline::TxnBatch& batch) { persist(batch); }) {}

Standalone::~Standalone() { stop(); }

std::optional<StartFailure> Standalone::start(const ProcessFacts& process) {
  const Status status = open(process);
  if (!status) return StartFailure{ExitCode::unexpected, status.error()};
  return std::nullopt;
}

Status Standalone::open(const ProcessFacts& process) {
  if (auto status = authorizer_.check_options(); !status) return status;
  if (auto status = recover(); !status) return status;
  build_core();
  shell::ServerFacts facts = server_facts(config_, process, disk_, loop_.clock().now());
  facts.monitor_values = [this] { return monitor_values(); };
  words_ = std::make_unique<shell::FourLetterWords>(
      std::move(facts), [this] { return core_.get(); }, loop_.clock());
  auto port =
      shell::ClientPort::open(client_port_options(config_), driver_, *words_, logger_.named("coord.clients"));
  if (!port) return port.error();
  port_ = std::move(*port);
  logger_.info("binding to port {}", net::to_string(port_->local()));
  store_.start_purging();
  if (store_.snapshot_due()) store_.begin_snapshot(*tree_, session_timeouts(sessions_));
  return {};
}

Status Standalone::recover() {
  auto contents = store_.recover(0, false);
  if (!contents) return contents.error();
  tree_ = std::move(contents->tree);
  for (const auto& [id, timeout_ms] : contents->sessions) sessions_.commit(jute::SessionId(id), timeout_ms);
  // Logs without a snapshot are not read by any server, so there is one before anything is acknowledged.
  return contents->has_snapshot ? Status() : store_.write_snapshot(*tree_, session_timeouts(sessions_));
}

void Standalone::build_core() {
  StoreEvents& events = *this;
  store_.open_log(events);
  core_ = std::make_unique<pipeline::Pipeline>(pipeline_options(config_), *tree_, sessions_, authorizer_,
                                               driver_, driver_.now());
  driver_.start(*core_);
}

std::vector<std::pair<std::string, std::string>> Standalone::monitor_values() const {
  auto values = store_.monitor_values();
  values.emplace_back("log_is_full", core_->log_is_full() ? "1" : "0");
  return values;
}

void Standalone::persist(const pipeline::TxnBatch& batch) {
  store_.append(batch);
  store_.submit();
  if (store_.snapshot_due()) store_.begin_snapshot(*tree_, session_timeouts(sessions_));
}

void Standalone::on_log_full(const base::Error& error) {
  logger_.error("the disk is full, writes are refused until there is space: {}", error.context);
  driver_.on_log_full();
}

void Standalone::on_log_space() {
  logger_.info("there is space on the disk again, writes are accepted");
  driver_.on_log_space();
}

void Standalone::stop() {
  port_.reset();
  store_.close();
}

}  // namespace tandem::coord::server
