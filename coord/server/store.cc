#include "coord/server/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "bytes/reader.h"
#include "coord/server/exit_codes.h"
#include "coord/storage/purge.h"

namespace tandem::coord::server {

using base::Status;
using jute::Zxid;

namespace {

storage::Compression compression_of(const std::string& name) {
  if (name == "gz") return storage::Compression::gzip;
  if (name == "snappy") return storage::Compression::snappy;
  return storage::Compression::none;
}

std::string hex(Zxid zxid) { return fmt::format("0x{:x}", bits(zxid)); }

// Behind the session and cxid of the header.
Zxid zxid_of(std::string_view payload) {
  bytes::Reader reader(payload);
  reader.skip(12);
  return Zxid(reader.i64());
}

std::int64_t in_ms(base::Duration duration) {
  return std::chrono::duration_cast<base::milliseconds>(duration).count();
}

}  // namespace

Store::Store(const Config& config, net::Loop& loop, fs::Disk& disk, logging::Logger logger,
             base::Random random)
    : config_(config),
      loop_(loop),
      disk_(disk),
      logger_(logger),
      snapshot_rule_(config.snap_count, config.snap_size_limit_kb * 1024, random),
      snapshot_options_{.directory = config.snapshot_directory(),
                        .compression = compression_of(config.snapshot_compression)},
      snapshot_parts_{.digest = config.digest_enabled,
                      .last_processed = config.serialize_last_processed_zxid},
      snapshots_(std::make_unique<shell::SnapshotWriter>(loop, disk, snapshot_options_, snapshot_parts_)) {}

Store::~Store() { close(); }

void Store::close() {
  purge_timer_.reset();
  close_log();
  snapshots_.reset();
  purge_thread_.reset();
}

tree::TreeOptions Store::tree_options() const {
  return {.extended_types = config_.extended_types,
          .digest = config_.digest_enabled,
          .hash_seed = base::system_seed()};
}

base::Result<StoreContents> Store::recover(std::size_t recent_max, bool doubt_is_damage) {
  const base::Instant start = loop_.clock().now();
  TreeRestore restore(tree_options(), recent_max);
  const auto result = storage::recover(disk_,
                                       {.log_directory = config_.log_directory(),
                                        .snapshot_directory = config_.snapshot_directory(),
                                        .trust_empty_snapshot = config_.trust_empty_snapshot,
                                        .doubt_is_damage = doubt_is_damage},
                                       restore);
  if (!result) return result.error();
  for (const std::string& warning : result->warnings) logger_.warn("{}", warning);
  if (const auto mismatch = restore.first_mismatch())
    logger_.error(
        "the digest of the tree differs from the one logged with transaction {}: the data may be "
        "inconsistent",
        hex(*mismatch));
  StoreContents contents;
  contents.tree = restore.take_tree();
  contents.sessions = restore.sessions();
  contents.recent = restore.take_recent();
  contents.mixed_until = restore.comparable_from();
  contents.has_snapshot = result->snapshot.has_value();
  snapshot_rule_.add(static_cast<std::int64_t>(result->txns), static_cast<std::int64_t>(result->log_bytes));
  logger_.info(
      "recovered in {} ms: snapshot {}, {} transactions from the log, last zxid {}, {} nodes, {} sessions",
      in_ms(loop_.clock().now() - start), result->snapshot ? hex(*result->snapshot) : "none", result->txns,
      hex(result->last_zxid), contents.tree->node_count(), contents.sessions.size());
  loaded_snapshot_ = result->snapshot.value_or(Zxid(0));
  if (result->snapshot) last_snapshot_ = *result->snapshot;
  return contents;
}

Status Store::write_snapshot(tree::DataTree& tree, const shell::SessionTimeouts& sessions) {
  const auto written =
      shell::SnapshotWriter::write_now(disk_, snapshot_options_, snapshot_parts_, tree, sessions);
  if (!written) return written.error();
  logger_.info("wrote first snapshot {}", written->path);
  last_snapshot_ = written->zxid;
  return {};
}

// ---- the log ----------------------------------------------------------------------------------------------

void Store::open_log(StoreEvents& events) {
  events_ = &events;
  last_appended_ = Zxid();
  shell::LogEvents& self = *this;  // make_unique does not see the private base
  log_ = std::make_unique<shell::LogWriter>(
      loop_, disk_,
      shell::LogWriterOptions{
          .log = {.directory = config_.log_directory(),
                  .preallocate_bytes = static_cast<std::uint64_t>(config_.pre_alloc_size_kb) * 1024,
                  .sync = config_.force_sync},
          .file_bytes_max =
              static_cast<std::uint64_t>(std::max<std::int64_t>(config_.txn_log_size_limit_kb, 0)) * 1024,
          .sync_warning = base::milliseconds(config_.fsync_warning_threshold_ms)},
      self, logger_.named("coord.log"));
}

bool Store::close_log() {
  if (log_ == nullptr) return true;
  log_->stop();
  const bool whole = log_->durable() >= last_appended_;
  add_log_stats();
  log_.reset();
  return whole;
}

void Store::add_log_stats() {
  const shell::LogStats& log = log_->stats();
  closed_logs_.batches += log.batches;
  closed_logs_.syncs_over_threshold += log.syncs_over_threshold;
  closed_logs_.sync_time_us += log.sync_time_us;
  closed_logs_.sync_time_us_max = std::max(closed_logs_.sync_time_us_max, log.sync_time_us_max.load());
}

void Store::append(const records::TxnBatch& batch) {
  last_appended_ = batch.last;
  batch.for_each([&](std::string_view payload) { log_->append(zxid_of(payload), payload); });
  snapshot_rule_.add(static_cast<std::int64_t>(batch.sizes.size()),
                     static_cast<std::int64_t>(batch.bytes.size()));
}

void Store::submit() {
  if (log_ != nullptr) log_->submit();
}

void Store::on_failed(const base::Error& error) {
  logger_.fatal("severe unrecoverable error, exiting: the transaction log cannot be trusted any more: {}",
                error.context);
  // Not exit(): nothing may be answered, and other threads run on until the process is gone.
  std::_Exit(static_cast<int>(ExitCode::unexpected));
}

// ---- snapshots --------------------------------------------------------------------------------------------

bool Store::begin_snapshot(tree::DataTree& tree, const shell::SessionTimeouts& sessions,
                           std::function<void(Status)> done) {
  const bool started = snapshots_->start(tree, sessions, [this, done = std::move(done)](const auto& result) {
    on_snapshot_done(result);
    if (done != nullptr) done(result ? Status() : Status(result.error()));
  });
  if (!started) return false;
  if (log_ != nullptr) log_->roll();
  snapshot_rule_.reset();
  return true;
}

void Store::give_up_snapshot() {
  if (!snapshots_->running()) return;
  snapshots_.reset();
  snapshots_ = std::make_unique<shell::SnapshotWriter>(loop_, disk_, snapshot_options_, snapshot_parts_);
}

void Store::on_snapshot_done(const base::Result<shell::SnapshotResult>& result) {
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

void Store::start_purging() {
  if (config_.autopurge_purge_interval_h <= 0) return;
  purge_thread_ = std::make_unique<net::ThreadPool>("purge", 1);
  purge_timer_ = std::make_unique<net::Timer>(loop_, [this] { purge(); });
  purge_timer_->set(loop_.clock().now());
}

void Store::purge() {
  purge_timer_->set(loop_.clock().now() + std::chrono::hours(config_.autopurge_purge_interval_h));
  purge_thread_->run([this] {
    const auto removed = storage::purge(disk_, config_.log_directory(), config_.snapshot_directory(),
                                        config_.autopurge_snap_retain_count);
    if (!removed) logger_.warn("purge failed: {}", removed.error().context);
    if (removed) logger_.info("purge task completed: {} files removed", removed->size());
  });
}

std::vector<std::pair<std::string, std::string>> Store::monitor_values() const {
  auto sums = closed_logs_;
  if (log_ != nullptr) {
    const shell::LogStats& log = log_->stats();
    sums.batches += log.batches;
    sums.syncs_over_threshold += log.syncs_over_threshold;
    sums.sync_time_us += log.sync_time_us;
    sums.sync_time_us_max = std::max(sums.sync_time_us_max, log.sync_time_us_max.load());
  }
  const double mean_ms =
      sums.batches == 0 ? 0
                        : static_cast<double>(sums.sync_time_us) / 1000.0 / static_cast<double>(sums.batches);
  return {
      {"fsync_threshold_exceed_count", fmt::to_string(sums.syncs_over_threshold)},
      {"avg_fsynctime", fmt::format("{:.4f}", mean_ms)},
      {"max_fsynctime", fmt::to_string(sums.sync_time_us_max / 1000)},
      {"cnt_fsynctime", fmt::to_string(sums.batches)},
      {"sum_fsynctime", fmt::to_string(sums.sync_time_us / 1000)},
      {"cnt_snapshottime", fmt::to_string(snapshots_written_)},
      {"max_snapshottime", fmt::to_string(last_snapshot_ms_)},
      {"last_snapshot_zxid", hex(last_snapshot_)},
  };
}

}  // namespace tandem::coord::server
