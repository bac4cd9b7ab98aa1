#include "coord/server/member.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/connection.h"

namespace tandem::coord::server {

using base::Status;
using jute::Zxid;

namespace {

constexpr base::Duration kBindRetryAfter = std::chrono::seconds(1);
constexpr base::Duration kDigestLinePeriod = std::chrono::minutes(15);  // as Apache's DataTree

// When the disk is full: how often to look, and what has to be free before this server comes back. More than
// the log wants for a write, as a snapshot or a new log file may be next.
constexpr base::Duration kSpaceCheckPeriod = std::chrono::milliseconds(500);
constexpr std::uint64_t kSpaceWanted = 4U << 20;

void add_tally(const peer::Tally& tally, std::vector<std::pair<std::string, std::string>>& values) {
  const std::pair<const char*, std::uint64_t> counts[] = {
      {"proposal_count", tally.proposals},
      {"commit_count", tally.commits},
      {"learner_proposal_received_count", tally.proposals_received},
      {"learner_commit_received_count", tally.commits_received},
      {"snap_count", tally.snapshots_sent},
      {"diff_count", tally.diffs_sent},
      {"revalidate_count", tally.revalidations},
  };
  for (const auto& [name, count] : counts) values.emplace_back(name, fmt::to_string(count));
  const std::pair<const char*, peer::Times> times[] = {
      {"election_time", tally.election},
      {"unavailable_time", tally.unavailable},
      {"leader_unavailable_time", tally.leader_unavailable},
      {"follower_sync_time", tally.follower_sync},
      {"observer_sync_time", tally.observer_sync},
  };
  for (const auto& [name, each] : times) {
    const double mean = each.count == 0 ? 0 : static_cast<double>(each.sum) / static_cast<double>(each.count);
    values.emplace_back(fmt::format("avg_{}", name), fmt::format("{:.1f}", mean));
    values.emplace_back(fmt::format("min_{}", name), fmt::to_string(each.min));
    values.emplace_back(fmt::format("max_{}", name), fmt::to_string(each.max));
    values.emplace_back(fmt::format("cnt_{}", name), fmt::to_string(each.count));
    values.emplace_back(fmt::format("sum_{}", name), fmt::to_string(each.sum));
  }
}

}  // namespace

Member::Member(const Config& config, net::Loop& loop, fs::Disk& disk, logging::Logger logger,
               base::Random random)
    : config_(config),
      loop_(loop),
      disk_(disk),
      logger_(logger),
      authorizer_(authorizer_options(config)),
      store_(config, loop, disk, logger, random),
      seed_(random.split().next()),
      clients_(
          loop,
          [this](pipeline::LinkId link) {
            now_known_ = false;
            peer_->on_output_drained(link, now());
          },
          [this] { end_turn(); }),
      timer_(loop, [this] { on_timer(); }),
      log_timer_(loop, [this] { feed_logs(); }),
      election_port_timer_(loop, [this] { try_election_port(); }),
      space_timer_(loop, [this] { look_for_space(); }) {}

Member::~Member() { stop(); }

// ---- start ------------------------------------------------------------------------------------------------

std::optional<StartFailure> Member::start(const ProcessFacts& process) {
  const auto failed = [](const Status& status) { return StartFailure{ExitCode::unexpected, status.error()}; };
  if (auto status = authorizer_.check_options(); !status) return failed(status);
  if (auto status = build_peer(); !status) return failed(status);
  if (auto status = open_client_port(process); !status) return failed(status);
  store_.start_purging();
  try_election_port();
  return std::nullopt;
}

// A port that another process still has is tried again, electionPortBindRetry times in all; 0: for ever.
void Member::try_election_port() {
  now_known_ = false;
  const Status status = open_election_port();
  if (status) {
    peer_->start(now());
    return turn_later();
  }
  ++election_port_tries_;
  if (config_.election_port_bind_retry > 0 && election_port_tries_ >= config_.election_port_bind_retry)
    fail(ExitCode::election_port, status.error());
  logger_.warn("{}; trying again", status.error().context);
  election_port_timer_.set(loop_.clock().now() + kBindRetryAfter);
}

Status Member::build_peer() {
  auto start = load();
  if (!start) return start.error();
  pipeline::Outputs& outputs = *this;
  peer_ = std::make_unique<peer::Peer>(peer_options(), std::move(*start), authorizer_, outputs, now());
  return {};
}

peer::PeerOptions Member::peer_options() const {
  const Ensemble& ensemble = *config_.ensemble;
  peer::PeerOptions options;
  options.self = ensemble.self;
  options.config = ensemble.members;
  options.tick = base::milliseconds(config_.tick_time_ms);
  options.init_limit = config_.init_limit;
  options.sync_limit = config_.sync_limit;
  options.log_readable = config_.snapshot_size_factor >= 0;
  options.leader_serves = config_.leader_serves;
  options.sync_quorum_verified = config_.sync_quorum_verified;
  options.read_only = config_.read_only_mode;
  options.silence_max = base::milliseconds(config_.heartbeat_timeout_ms);
  options.observer_master_port = static_cast<std::uint16_t>(std::max(config_.observer_master_port, 0));
  options.observer_reconnect_delay = base::milliseconds(config_.observer_reconnect_delay_ms);
  options.observer_election_delay = base::milliseconds(config_.observer_election_delay_ms);
  options.seed = seed_;
  options.epoch_wait = base::milliseconds(config_.leader_max_time_to_wait_for_epoch_ms);
  options.snapshots_max = static_cast<std::size_t>(config_.leader_max_concurrent_snap_syncs);
  options.diffs_max = static_cast<std::size_t>(config_.leader_max_concurrent_diff_syncs);
  options.commit_log_count = static_cast<std::size_t>(std::max(config_.commit_log_count, 0));
  options.election.notification_interval_min = base::milliseconds(config_.notification_interval_min_ms);
  options.election.notification_interval_max = base::milliseconds(config_.notification_interval_max_ms);
  options.pipeline = pipeline_options(config_);
  options.pipeline.local_sessions = config_.local_sessions_enabled;
  options.pipeline.local_sessions_upgrading = config_.local_sessions_upgrading_enabled;
  return options;
}

Status Member::open_client_port(const ProcessFacts& process) {
  shell::ServerFacts facts = server_facts(config_, process, disk_, loop_.clock().now());
  facts.server_id = config_.ensemble->self.value;
  facts.monitor_values = [this] { return monitor_values(); };
  facts.ensemble_conf = [this] { return ensemble_conf(); };
  words_ = std::make_unique<shell::FourLetterWords>(
      std::move(facts), [this] { return peer_->serving(); }, loop_.clock());
  shell::ClientEvents& clients = *this;
  auto port =
      shell::ClientPort::open(client_port_options(config_), clients, *words_, logger_.named("coord.clients"));
  if (!port) return port.error();
  client_port_ = std::move(*port);
  logger_.info("binding to port {}", net::to_string(client_port_->local()));
  return {};
}

Status Member::open_election_port() {
  const Ensemble& ensemble = *config_.ensemble;
  shell::ElectionPortOptions options;
  options.self = ensemble.self;
  options.several_addresses = config_.multi_address_enabled;
  options.connect_timeout = base::milliseconds(config_.cnx_timeout_ms);
  options.keep_alive = config_.election_keep_alive;
  for (const auto& [id, spec] : ensemble.members.members()) {
    for (const quorum::PeerAddress& address : spec.addresses) {
      const net::Endpoint endpoint{address.host, address.election_port};
      if (id != ensemble.self) {
        options.peers[id].push_back(endpoint);
        continue;
      }
      options.listen.push_back(config_.quorum_listen_on_all_ips ? net::Endpoint{"", endpoint.port}
                                                                : endpoint);
      options.own_addresses.push_back({address.host, address.election_port});
    }
  }
  shell::ElectionEvents& events = *this;
  auto port = shell::ElectionPort::open(loop_, options, events, logger_.named("coord.election"));
  if (!port) return port.error();
  election_port_ = std::move(*port);
  return {};
}

bool Member::serves_read_only() const {
  const pipeline::Pipeline* serving = peer_->serving();
  return serving != nullptr && serving->role() == pipeline::Role::read_only;
}

// Behind the lines that every server has; Apache's, in its order, and no newline at the end.
std::string Member::ensemble_conf() const {
  const Ensemble& ensemble = *config_.ensemble;
  std::string election_ports;
  std::string learner_ports;
  for (const quorum::PeerAddress& address : ensemble.members.find(ensemble.self)->addresses) {
    const char* between = election_ports.empty() ? "" : "|";
    election_ports += fmt::format("{}{}", between, address.election_port);
    learner_ports += fmt::format("{}{}", between, address.learner_port);
  }
  std::string text =
      fmt::format("initLimit={}\nsyncLimit={}\nelectionAlg=3\nelectionPort={}\nquorumPort={}\npeerType={}\n",
                  config_.init_limit, config_.sync_limit, election_ports, learner_ports,
                  ensemble.role == quorum::Role::observer ? 1 : 0);
  if (!serves_read_only()) text += "membership: \n" + peer_->config().text();
  return text;
}

std::vector<std::pair<std::string, std::string>> Member::monitor_values() const {
  auto values = store_.monitor_values();
  if (serves_read_only()) return values;
  const peer::Status status = peer_->status();
  std::string state(election::to_string(status.state));
  std::transform(state.begin(), state.end(), state.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  values.emplace_back("peer_state", state + " - broadcast");  // asked only while it serves
  values.emplace_back("quorum_size", fmt::to_string(peer_->config().voters().size()));
  values.emplace_back("current_epoch", fmt::to_string(status.current_epoch));
  values.emplace_back("election_round", fmt::to_string(status.election.round));
  values.emplace_back("looking_count", fmt::to_string(status.election.elections));
  if (config_.ensemble->role == quorum::Role::observer && status.master)
    values.emplace_back("observer_master_id", fmt::to_string(status.master->value));
  if (status.observed)
    values.emplace_back("synced_observers", fmt::to_string(status.observed->synced_observers));
  add_tally(status.tally, values);
  if (status.leading) {
    values.emplace_back("learners", fmt::to_string(status.leading->learners.size()));
    values.emplace_back("synced_followers", fmt::to_string(status.leading->synced_voters));
    values.emplace_back("synced_non_voting_followers", "0");
    values.emplace_back("synced_observers", fmt::to_string(status.leading->synced_observers));
    values.emplace_back("outstanding_proposals", fmt::to_string(status.leading->outstanding));
  }
  return values;
}

void Member::stop() {
  client_port_.reset();
  election_port_.reset();
  learner_port_.reset();
  leader_link_.reset();
  intake_.reset();
  store_.close();
}

// ---- the core's turn --------------------------------------------------------------------------------------

// One reading of the clocks serves all frames of a connection's wake-up.
peer::Now Member::now() {
  if (!now_known_) {
    now_ = {loop_.clock().now(), loop_.clock().wall()};
    now_known_ = true;
  }
  return now_;
}

void Member::turn_later() {
  if (turn_scheduled_) return;
  turn_scheduled_ = true;
  loop_.defer([this] {
    turn_scheduled_ = false;
    end_turn();
  });
}

// Performing an effect may cause others: a connection that closes takes its link with it.
void Member::end_turn() {
  now_known_ = false;
  if (in_turn_) return turn_later();
  in_turn_ = true;
  while (peer_->has_effects()) {
    for (const peer::Effect& effect : peer_->take_effects()) perform(effect);
  }
  in_turn_ = false;
  // The others' logs wait for a leader's proposals, and the leader for theirs: those leave first. At a
  // learner nobody waits for an answer as long as its leader does for its log.
  const bool leads = learner_port_ != nullptr && leader_link_ == nullptr;
  if (leads) loop_.send_written();
  store_.submit();
  if (!leads) loop_.send_written();
  timer_.set(peer_->next_deadline());
  look_at_digests();
  if (leader_link_ != nullptr && peer_->reads_leader()) leader_link_->resume();
}

// The first one is said at once, others once in a while, as Apache's server does.
void Member::look_at_digests() {
  const pipeline::Pipeline* core = peer_->serving();
  const std::uint64_t wrong = core == nullptr ? 0 : core->digest_mismatches();
  if (wrong < digests_told_) digests_told_ = 0;  // it serves anew
  if (wrong == digests_told_ || loop_.clock().now() < next_digest_line_) return;
  logger_.error("the digest of the tree differs from the leader's behind {} more transactions",
                wrong - digests_told_);
  digests_told_ = wrong;
  next_digest_line_ = loop_.clock().now() + kDigestLinePeriod;
}

void Member::on_timer() {
  now_known_ = false;
  peer_->on_deadline(now());
  end_turn();
}

// ---- what the shells tell ---------------------------------------------------------------------------------

void Member::on_durable(Zxid last) {
  now_known_ = false;
  peer_->on_durable(last, now());
  end_turn();
}

void Member::on_log_full(const base::Error& error) { leave_for_space(error); }

// What was proposed cannot be taken back, and a member that does not log must not pretend to: it leaves. What
// it acknowledged is durable; what it has in memory beyond that is forgotten, so coming back is a restart.
void Member::leave_for_space(const base::Error& error) {
  logger_.error("the disk is full, leaving the ensemble until there is space: {}", error.context);
  disk_full_ = true;
  now_known_ = false;
  peer_->on_disk_full(now());
  turn_later();
}

void Member::look_for_space() {
  for (const std::string& directory : {config_.log_directory(), config_.snapshot_directory()}) {
    const auto space = disk_.space(directory);
    if (!space || space->usable_bytes < kSpaceWanted)
      return space_timer_.set(loop_.clock().now() + kSpaceCheckPeriod);
  }
  auto start = load();
  if (!start && start.error().code == base::Errc::no_space)
    return space_timer_.set(loop_.clock().now() + kSpaceCheckPeriod);
  if (!start) fail(ExitCode::unexpected, start.error());
  logger_.info("there is space on the disk again, coming back to the ensemble");
  disk_full_ = false;
  now_known_ = false;
  peer_->on_reloaded(std::move(*start), now());
  end_turn();
}

pipeline::LinkId Member::open_link(net::Connection& connection) {
  now_known_ = false;  // frames end a reading of the clocks, and this link may never send one
  const pipeline::LinkId link = peer_->open_link(connection.peer().host, connection.peer().port, now());
  if (link.value != 0) clients_.add(link, connection);
  now_known_ = false;
  return link;
}

void Member::on_frame(pipeline::LinkId link, std::string_view frame, net::Connection& connection) {
  if (clients_.find(link) == nullptr) return;
  peer_->on_frame(link, frame, now());
  if (peer_->is_choked(link)) connection.pause_reading();
  if (peer_->has_effects()) turn_later();
}

void Member::on_closed(pipeline::LinkId link) {
  if (clients_.find(link) == nullptr) return;
  clients_.remove(link);
  peer_->on_link_closed(link, now());
  now_known_ = false;
  if (peer_->has_effects()) turn_later();
}

void Member::on_notification(quorum::ServerId from, const election::Notification& notification) {
  now_known_ = false;
  peer_->on_notification(from, notification, now());
  turn_later();
}

void Member::on_election_link(quorum::ServerId peer, election::Link link) {
  now_known_ = false;
  peer_->on_election_link(peer, link, now());
  turn_later();
}

std::uint64_t Member::on_learner_open(const std::string& address) {
  now_known_ = false;
  const zab::LearnerId learner = peer_->on_learner_open(now());
  logger_.debug("learner {} connects from {}", learner, address);
  turn_later();
  return learner.value;
}

void Member::on_learner_packet(std::uint64_t learner, const records::QuorumPacket& packet) {
  peer_->on_learner_packet(zab::LearnerId(learner), packet, now());
  turn_later();
}

void Member::on_learner_progress(std::uint64_t learner, bool snapshot_sent) {
  now_known_ = false;
  peer_->on_learner_progress(zab::LearnerId(learner), now());
  if (snapshot_sent) peer_->on_snapshot_sent(zab::LearnerId(learner), now());
  turn_later();
}

void Member::on_learner_gone(std::uint64_t learner) {
  now_known_ = false;
  log_readings_.erase(learner);
  peer_->on_learner_gone(zab::LearnerId(learner), now());
  turn_later();
}

void Member::on_leader_connected() {
  now_known_ = false;
  peer_->on_leader_connected(now());
  turn_later();
}

void Member::on_leader_packet(const records::QuorumPacket& packet) {
  peer_->on_leader_packet(packet, now());
  // What follows a SNAP is for the intake that the core asks for.
  if (packet.type == records::PacketType::snap) return end_turn();
  turn_later();
}

void Member::on_leader_gone(const base::Error& reason) {
  now_known_ = false;
  intake_.reset();
  if (reason.code == base::Errc::timed_out) {
    peer_->on_leader_unreachable(reason.context, now());
  } else {
    peer_->on_leader_gone(reason.context, now());
  }
  turn_later();
}

base::Result<bool> Member::on_leader_snapshot(std::string_view& bytes) {
  if (intake_ == nullptr) return base::make_error(base::Errc::closed, "a snapshot that was not asked for");
  const auto whole = intake_->take(bytes);
  if (!whole && whole.error().code == base::Errc::no_space) leave_for_space(whole.error());
  if (!whole) return whole.error();
  now_known_ = false;
  if (!*whole) {
    peer_->on_leader_progress(now());
    return false;
  }
  if (auto status = finish_intake(); !status) return status.error();
  return true;
}

}  // namespace tandem::coord::server
