#include "coord/server/parts.h"

#include <algorithm>

#include "coord/server/limits.h"
#include "coord/storage/files.h"

namespace tandem::coord::server {

namespace {

// Each server's share, as Apache counts it. A share of less than one request is still a limit.
std::size_t outstanding_limit(const Config& config) {
  const auto limit = static_cast<std::size_t>(std::max(config.global_outstanding_limit, 0));
  const std::size_t voters = config.ensemble ? config.ensemble->members.voters().size() : 1;
  if (limit == 0 || voters <= 2) return limit;
  return std::max<std::size_t>(limit / (voters - 1), 1);
}

}  // namespace

auth::AuthOptions authorizer_options(const Config& config) {
  return {.skip_acl = config.skip_acl,
          .digest_enabled = config.digest_auth_enabled,
          .digest_alg = config.digest_auth_alg,
          .super_digest = config.super_digest};
}

pipeline::PipelineOptions pipeline_options(const Config& config) {
  pipeline::PipelineOptions options;
  options.min_session_timeout_ms = config.min_session_timeout();
  options.max_session_timeout_ms = config.max_session_timeout();
  options.global_outstanding_limit = outstanding_limit(config);
  options.prepare = {.enforce_quota = config.enforce_quota,
                     .reconfig_enabled = config.reconfig_enabled,
                     .close_session_lists = config.close_session_txn,
                     .txn_bytes_max = static_cast<std::size_t>(config.txn_bytes_max())};
  options.reaper = {.check_interval_ms = config.container_check_interval_ms,
                    .max_per_minute = config.container_max_per_minute,
                    .max_never_used_interval_ms = config.container_max_never_used_interval_ms};
  return options;
}

shell::ClientPortOptions client_port_options(const Config& config) {
  const int backlog = config.client_port_listen_backlog;
  return {.endpoint = {config.client_port_address, static_cast<std::uint16_t>(*config.client_port)},
          .backlog = backlog < 0 ? kDefaultBacklog : backlog,
          .connections_per_address_max = static_cast<std::size_t>(config.max_client_cnxns),
          .connections_max = static_cast<std::size_t>(std::max(config.max_cnxns, 0)),
          .frame_bytes_max = static_cast<std::size_t>(config.jute_max_buffer),
          .sessionless_max = base::milliseconds(config.sessionless_timeout_ms)};
}

shell::ServerFacts server_facts(const Config& config, const ProcessFacts& process, fs::Disk& disk,
                                base::Instant started) {
  shell::ServerFacts facts;
  facts.version = process.version;
  facts.environment = process.environment;
  facts.client_port = static_cast<std::uint16_t>(*config.client_port);
  facts.data_dir = config.snapshot_directory();
  facts.data_log_dir = config.log_directory();
  facts.tick_time_ms = config.tick_time_ms;
  facts.max_client_cnxns = config.max_client_cnxns;
  facts.min_session_timeout_ms = config.min_session_timeout();
  facts.max_session_timeout_ms = config.max_session_timeout();
  facts.listen_backlog = config.client_port_listen_backlog;
  facts.started = started;
  facts.whitelist = config.four_letter_whitelist;
  facts.data_dir_size = [&disk, path = config.snapshot_directory()] {
    return storage::directory_size(disk, path);
  };
  facts.data_log_dir_size = [&disk, path = config.log_directory()] {
    return storage::directory_size(disk, path);
  };
  return facts;
}

shell::SessionTimeouts session_timeouts(const session::SessionTracker& sessions) {
  return sessions.committed_timeouts();
}

}  // namespace tandem::coord::server
