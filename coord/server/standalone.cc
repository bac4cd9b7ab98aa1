#include "coord/server/standalone.h"

#include <fmt/format.h>

#include <cstdlib>

#include "coord/server/exit_codes.h"
#include "coord/server/limits.h"
#include "coord/server/tree_restore.h"
#include "coord/storage/purge.h"

namespace tandem::coord::server {

using base::Status;
using jute::Zxid;

namespace {

// Apache's standalone server numbers its sessions as server 1.
constexpr std::int64_t kSessionServerId = 1;

storage::Compression compression_of(const std::string& name) {
  if (name == "gz") return storage::Compression::gzip;
  if (name == "snappy") return storage::Compression::snappy;
  return storage::Compression::none;
}

std::string hex(Zxid zxid) { return fmt::format("0x{:x}", static_cast<std::uint64_t>(zxid.value)); }

std::int64_t in_ms(base::Duration duration) {
  return std::chrono::duration_cast<base::milliseconds>(duration).count();
}

}  // namespace

Standalone::Standalone(const Config& config, net::Loop& loop, fs::Disk& disk, logging::Logger logger,
                       base::Random random)
    : config_(config),
      loop_(loop),
      disk_(disk),
      logger_(logger),
      snapshot_rule_(config.snap_count, config.snap_size_limit_kb * 1024, random),
      authorizer_({.skip_acl = config.skip_acl,
                   .digest_enabled = config.digest_auth_enabled,
                   .digest_alg = config.digest_auth_alg,
                   .super_digest = config.super_digest}),
      sessions_(base::milliseconds(config.tick_time_ms),
                session::first_session_id(kSessionServerId, loop.clock().wall())),
      snapshot_options_{.directory = config.snapshot_directory(),
                        .compression = compression_of(config.snapshot_compression)},
      snapshot_parts_{.digest = config.digest_enabled,
                      .last_processed = config.serialize_last_processed_zxid},
      driver_(loop, [this](const pipeline::TxnBatch& batch) { persist(batch); }) {}

Standalone::~Standalone() { stop(); }

Status Standalone::start(const ProcessFacts& process) {
  if (auto status = authorizer_.check_options(); !status) return status;
  if (auto status = recover(); !status) return status;
  build_core();
  words_ = std::make_unique<shell::FourLetterWords>(facts(process), *core_, loop_.clock());
  const int backlog = config_.client_port_listen_backlog;
  auto port = shell::ClientPort::open(
      {.endpoint = {config_.client_port_address, static_cast<std::uint16_t>(*config_.client_port)},
       .backlog = backlog < 0 ? kDefaultBacklog : backlog,
       .connections_per_address_max = static_cast<std::size_t>(config_.max_client_cnxns),
       .connections_max = static_cast<std::size_t>(std::max(config_.max_cnxns, 0)),
       .frame_bytes_max = static_cast<std::size_t>(config_.jute_max_buffer),
       .sessionless_max = base::milliseconds(config_.sessionless_timeout_ms)},
      driver_, *words_, logger_.named("coord.clients"));
  if (!port) return port.error();
  port_ = std::move(*port);
  logger_.info("binding to port {}", net::to_string(port_->local()));
  if (config_.autopurge_purge_interval_h > 0) {
    purge_thread_ = std::make_unique<net::ThreadPool>("purge", 1);
    purge_timer_ = std::make_unique<net::Timer>(loop_, [this] { purge(); });
    purge_timer_->set(loop_.clock().now());
  }
  if (snapshot_rule_.due()) begin_snapshot();
  return {};
}

Status Standalone::recover() {
  const base::Instant start = loop_.clock().now();
  TreeRestore restore({.extended_types = config_.extended_types,
                       .digest = config_.digest_enabled,
                       .hash_seed = base::system_seed()});
  const auto result = storage::recover(disk_,
                                       {.log_directory = config_.log_directory(),
                                        .snapshot_directory = config_.snapshot_directory(),
                                        .trust_empty_snapshot = config_.trust_empty_snapshot},
                                       restore);
  if (!result) return result.error();
  for (const std::string& warning : result->warnings) logger_.warn("{}", warning);
  if (const auto mismatch = restore.first_mismatch())
    logger_.error(
        "the digest of the tree differs from the one logged with transaction {}: the data may be "
        "inconsistent",
        hex(*mismatch));
  tree_ = restore.take_tree();
  const base::Instant now = loop_.clock().now();
  for (const auto& [id, timeout_ms] : restore.sessions())
    sessions_.track(jute::SessionId(id), timeout_ms, now);
  snapshot_rule_.add(static_cast<std::int64_t>(result->txns), static_cast<std::int64_t>(result->log_bytes));
  logger_.info(
      "recovered in {} ms: snapshot {}, {} transactions from the log, last zxid {}, {} nodes, {} sessions",
      in_ms(now - start), result->snapshot ? hex(*result->snapshot) : "none", result->txns,
      hex(result->last_zxid), tree_->node_count(), restore.sessions().size());
  if (result->snapshot) last_snapshot_ = *result->snapshot;
  return result->snapshot ? Status() : first_snapshot();
}

// Logs without a snapshot are not read by any server, so there is one before anything is acknowledged.
Status Standalone::first_snapshot() {
  const auto written =
      shell::SnapshotWriter::write_now(disk_, snapshot_options_, snapshot_parts_, *tree_, session_timeouts());
  if (!written) return written.error();
  logger_.info("wrote first snapshot {}", written->path);
  last_snapshot_ = written->zxid;
  return {};
}

void Standalone::build_core() {
  snapshots_ = std::make_unique<shell::SnapshotWriter>(loop_, disk_, snapshot_options_, snapshot_parts_);
  shell::LogEvents& events = *this;  // make_unique does not see the private base
  log_ = std::make_unique<shell::LogWriter>(
      loop_, disk_,
      shell::LogWriterOptions{
          .log = {.directory = config_.log_directory(),
                  .preallocate_bytes = static_cast<std::uint64_t>(config_.pre_alloc_size_kb) * 1024,
                  .sync = config_.force_sync},
          .file_bytes_max =
              static_cast<std::uint64_t>(std::max<std::int64_t>(config_.txn_log_size_limit_kb, 0)) * 1024,
          .sync_warning = base::milliseconds(config_.fsync_warning_threshold_ms)},
      events, logger_.named("coord.log"));
  pipeline::PipelineOptions options;
  options.min_session_timeout_ms = config_.min_session_timeout();
  options.max_session_timeout_ms = config_.max_session_timeout();
  options.global_outstanding_limit = static_cast<std::size_t>(std::max(config_.global_outstanding_limit, 0));
  options.prepare = {.enforce_quota = config_.enforce_quota,
                     .reconfig_enabled = config_.reconfig_enabled,
                     .close_session_lists = config_.close_session_txn,
                     .txn_bytes_max = static_cast<std::size_t>(config_.txn_bytes_max())};
  options.reaper = {.check_interval_ms = config_.container_check_interval_ms,
                    .max_per_minute = config_.container_max_per_minute,
                    .max_never_used_interval_ms = config_.container_max_never_used_interval_ms};
  core_ =
      std::make_unique<pipeline::Pipeline>(options, *tree_, sessions_, authorizer_, driver_, driver_.now());
  driver_.start(*core_);
}

shell::ServerFacts Standalone::facts(const ProcessFacts& process) const {
  shell::ServerFacts facts;
  facts.version = process.version;
  facts.environment = process.environment;
  facts.client_port = static_cast<std::uint16_t>(*config_.client_port);
  facts.data_dir = config_.snapshot_directory();
  facts.data_log_dir = config_.log_directory();
  facts.tick_time_ms = config_.tick_time_ms;
  facts.max_client_cnxns = config_.max_client_cnxns;
  facts.min_session_timeout_ms = config_.min_session_timeout();
  facts.max_session_timeout_ms = config_.max_session_timeout();
  facts.listen_backlog = config_.client_port_listen_backlog;
  facts.started = loop_.clock().now();
  facts.whitelist = config_.four_letter_whitelist;
  facts.data_dir_size = [this] { return storage::directory_size(disk_, config_.snapshot_directory()); };
  facts.data_log_dir_size = [this] { return storage::directory_size(disk_, config_.log_directory()); };
  facts.monitor_values = [this] { return monitor_values(); };
  return facts;
}

std::vector<std::pair<std::string, std::string>> Standalone::monitor_values() const {
  const shell::LogStats& log = log_->stats();
  const std::uint64_t batches = log.batches;
  const double mean_ms =
      batches == 0 ? 0 : static_cast<double>(log.sync_time_us) / 1000.0 / static_cast<double>(batches);
  return {
      {"fsync_threshold_exceed_count", fmt::to_string(log.syncs_over_threshold.load())},
      {"avg_fsynctime", fmt::format("{:.4f}", mean_ms)},
      {"max_fsynctime", fmt::to_string(log.sync_time_us_max / 1000)},
      {"cnt_fsynctime", fmt::to_string(batches)},
      {"sum_fsynctime", fmt::to_string(log.sync_time_us / 1000)},
      {"cnt_snapshottime", fmt::to_string(snapshots_written_)},
      {"max_snapshottime", fmt::to_string(last_snapshot_ms_)},
      {"last_snapshot_zxid", hex(last_snapshot_)},
      {"log_is_full", core_->log_is_full() ? "1" : "0"},
  };
}

void Standalone::persist(const pipeline::TxnBatch& batch) {
  Zxid zxid = batch.first;
  batch.for_each([&](std::string_view payload) {
    log_->append(zxid, payload);
    zxid = zxid.next();
  });
  log_->submit();
  snapshot_rule_.add(static_cast<std::int64_t>(batch.sizes.size()),
                     static_cast<std::int64_t>(batch.bytes.size()));
  if (snapshot_rule_.due()) begin_snapshot();
}

void Standalone::begin_snapshot() {
  const bool started =
      snapshots_->start(*tree_, session_timeouts(), [this](const auto& result) { on_snapshot_done(result); });
  if (!started) return;
  log_->roll();
  snapshot_rule_.reset();
}

void Standalone::on_snapshot_done(const base::Result<shell::SnapshotResult>& result) {
  if (!result) {
    logger_.warn("snapshot failed, the log keeps everything: {}", result.error().context);
    return;
  }
  ++snapshots_written_;
  last_snapshot_ms_ = in_ms(result->took);
  last_snapshot_ = result->zxid;
  logger_.info("wrote snapshot {}: {} nodes, {} bytes in {} ms", result->path, result->nodes,
               result->file_bytes, last_snapshot_ms_);
}

shell::SessionTimeouts Standalone::session_timeouts() const {
  shell::SessionTimeouts sessions;
  sessions.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_.all())
    sessions.emplace_back(jute::SessionId(id), session->timeout_ms);
  return sessions;
}

void Standalone::purge() {
  purge_timer_->set(loop_.clock().now() + std::chrono::hours(config_.autopurge_purge_interval_h));
  purge_thread_->run([this] {
    const auto removed = storage::purge(disk_, config_.log_directory(), config_.snapshot_directory(),
                                        config_.autopurge_snap_retain_count);
    if (!removed) logger_.warn("purge failed: {}", removed.error().context);
    if (removed) logger_.info("purge task completed: {} files removed", removed->size());
  });
}

void Standalone::on_no_space(const base::Error& error) {
  logger_.error("the disk is full, writes are refused until there is space: {}", error.context);
  driver_.on_log_full();
}

void Standalone::on_space_back() {
  logger_.info("there is space on the disk again, writes are accepted");
  driver_.on_log_space();
}

void Standalone::on_failed(const base::Error& error) {
  logger_.fatal("severe unrecoverable error, exiting: the transaction log cannot be trusted any more: {}",
                error.context);
  // Not exit(): nothing may be answered, and other threads run on until the process is gone.
  std::_Exit(static_cast<int>(ExitCode::unexpected));
}

void Standalone::stop() {
  purge_timer_.reset();
  port_.reset();
  if (log_ != nullptr) log_->stop();
  snapshots_.reset();
  purge_thread_.reset();
}

}  // namespace tandem::coord::server
