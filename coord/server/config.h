// The configuration of tandem-coord: zoo.cfg as Apache reads it, -Dzookeeper.x=y over it, and both from
// SERVER_JVMFLAGS. One table (config_table.cc) names every key; parsing, checks, --describe-config and
// docs/config-coord.md follow from it. Owned by main, immutable once loaded.
// Source of keys and defaults: coordination.md 4.1 (zookeeperAdmin.md, QuorumPeerConfig).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conf/table.h"
#include "coord/quorum/config.h"
#include "fs/disk.h"

namespace tandem::coord::server {

// Who else there is, and who we are among them.
struct Ensemble {
  quorum::ServerId self;
  quorum::Role role = quorum::Role::participant;
  quorum::QuorumConfig members;
};

struct Config {
  // Files.
  std::string data_dir;
  std::string data_log_dir;  // empty: data_dir
  std::int64_t pre_alloc_size_kb = 65536;
  std::int64_t snap_count = 100000;
  std::int64_t snap_size_limit_kb = 4194304;
  std::int64_t txn_log_size_limit_kb = -1;
  bool force_sync = true;
  std::int64_t fsync_warning_threshold_ms = 1000;
  std::string snapshot_compression;  // "", gz, snappy
  bool trust_empty_snapshot = false;
  bool digest_enabled = true;
  bool serialize_last_processed_zxid = true;
  bool datadir_autocreate = true;
  bool db_autocreate = true;
  std::int32_t autopurge_snap_retain_count = 3;
  std::int32_t autopurge_purge_interval_h = 0;

  // Clients.
  std::optional<std::int32_t> client_port;
  std::string client_port_address;  // empty: all
  std::int32_t client_port_listen_backlog = -1;
  std::int32_t max_client_cnxns = 60;
  std::int32_t max_cnxns = 0;
  std::int32_t jute_max_buffer = 0xfffff;
  std::int32_t jute_max_buffer_extra = -1;  // -1: as jute_max_buffer
  std::int32_t sessionless_timeout_ms = 10000;
  std::int32_t global_outstanding_limit = 1000;
  bool tcp_keep_alive = false;
  std::int32_t spin_us = 200;

  // Time.
  std::int32_t tick_time_ms = 3000;
  std::int32_t min_session_timeout_ms = -1;  // -1: 2 ticks
  std::int32_t max_session_timeout_ms = -1;  // -1: 20 ticks

  // Nodes.
  bool extended_types = false;
  std::int64_t container_check_interval_ms = 60000;
  std::int64_t container_max_per_minute = 10000;
  std::int64_t container_max_never_used_interval_ms = 0;
  bool enforce_quota = false;
  bool close_session_txn = true;

  // Who may do what.
  bool skip_acl = false;
  bool digest_auth_enabled = true;
  std::string digest_auth_alg = "SHA1";
  std::string super_digest;
  bool reconfig_enabled = false;

  // Words and monitors.
  std::vector<std::string> four_letter_whitelist = {"srvr"};
  std::string metrics_provider;  // any class name: words print Apache's default form

  // Ensemble: one participant is a server that stands alone.
  std::map<std::string, std::string> servers;
  std::map<std::string, std::string> groups;
  std::map<std::string, std::string> weights;
  std::string dynamic_config_file;
  std::string oracle_path;
  bool standalone_enabled = true;
  std::string peer_type = "participant";
  std::int32_t init_limit = 0;                 // ticks
  std::int32_t sync_limit = 0;                 // ticks
  std::int32_t connect_to_learner_master = 0;  // ticks; 0: init_limit
  bool quorum_listen_on_all_ips = false;
  bool multi_address_enabled = false;
  std::int32_t cnx_timeout_ms = 5000;
  std::int32_t election_port_bind_retry = 3;
  std::int32_t heartbeat_timeout_ms = 600;
  bool election_keep_alive = false;
  bool read_only_mode = false;
  bool sync_quorum_verified = true;
  std::int32_t notification_interval_min_ms = 200;
  std::int32_t notification_interval_max_ms = 60000;
  bool local_sessions_enabled = false;
  bool local_sessions_upgrading_enabled = false;
  bool leader_serves = true;
  std::int32_t leader_max_time_to_wait_for_epoch_ms = -1;  // -1: init_limit
  std::int32_t leader_max_concurrent_snap_syncs = 10;
  std::int32_t leader_max_concurrent_diff_syncs = 100;
  std::int32_t commit_log_count = 500;
  double snapshot_size_factor = 0.33;
  std::int32_t observer_master_port = 0;  // 0: off
  std::int32_t observer_reconnect_delay_ms = 0;
  std::int32_t observer_election_delay_ms = 200;
  std::optional<Ensemble> ensemble;  // what they come to; nullopt: a server alone

  // Recognised only so that a value other than the default is named.
  std::string secure_client_port;
  std::map<std::string, std::string> auth_providers;

  std::string log_directory() const;       // .../version-2
  std::string snapshot_directory() const;  // .../version-2
  std::int32_t min_session_timeout() const {
    return min_session_timeout_ms == -1 ? tick_time_ms * 2 : min_session_timeout_ms;
  }
  std::int32_t max_session_timeout() const {
    return max_session_timeout_ms == -1 ? tick_time_ms * 20 : max_session_timeout_ms;
  }
  std::int64_t txn_bytes_max() const {
    return std::int64_t{jute_max_buffer} +
           (jute_max_buffer_extra < 0 ? jute_max_buffer : jute_max_buffer_extra);
  }
};

const conf::Table<Config>& config_table();

// What --describe-config prints and docs/config-coord.md holds.
std::string describe_config();

struct LoadedConfig {
  Config config;
  std::vector<std::string> warnings;
};

// `file`: the path of a zoo.cfg; `properties`: from SERVER_JVMFLAGS and the command line, later ones hold.
// Errors are one sentence with file, line and key.
base::Result<LoadedConfig> load_config(fs::Disk& disk, const std::string& file,
                                       const std::vector<conf::Entry>& properties);
// The short form of Apache's standalone server: client port, data directory, and perhaps tickTime and
// maxClientCnxns.
base::Result<LoadedConfig> short_config(const std::vector<std::string>& operands,
                                        const std::vector<conf::Entry>& properties);

}  // namespace tandem::coord::server
