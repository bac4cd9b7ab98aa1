// BrokerConfig: the settings of server.properties that act here, with Kafka 3.9's defaults; members are named
// as their keys. A plain value; broker_table.h fills it. Keys that are only recognised have no member.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tandem::broker::config {

struct BrokerConfig {
  // Identity and listeners.
  std::int32_t broker_id = -1;
  bool broker_id_generation_enable = true;
  std::int32_t reserved_broker_max_id = 1000;
  std::optional<std::string> broker_rack;
  std::string listeners = "PLAINTEXT://:9092";
  std::optional<std::string> advertised_listeners;
  std::string listener_security_protocol_map =
      "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT";
  std::optional<std::string> inter_broker_listener_name;
  std::optional<std::string> control_plane_listener_name;
  std::string security_inter_broker_protocol = "PLAINTEXT";
  std::string inter_broker_protocol_version = "3.9-IV0";
  std::optional<std::int32_t> port;  // these four: before Kafka 3.0, in place of the listeners
  std::optional<std::string> host_name;
  std::optional<std::int32_t> advertised_port;
  std::optional<std::string> advertised_host_name;
  std::int32_t tandem_broker_shards = 0;
  std::int32_t tandem_network_spin_us = 50;
  bool tandem_accept_transactions = false;

  // The coordination servers.
  std::string zookeeper_connect;
  std::int32_t zookeeper_session_timeout_ms = 18000;
  std::optional<std::int32_t> zookeeper_connection_timeout_ms;

  // Connections and requests.
  std::int32_t socket_send_buffer_bytes = 102400;
  std::int32_t socket_receive_buffer_bytes = 102400;
  std::int32_t socket_request_max_bytes = 104857600;
  std::int32_t socket_listen_backlog_size = 50;
  std::int32_t max_connections = INT32_MAX;
  std::int32_t max_connections_per_ip = INT32_MAX;
  std::string max_connections_per_ip_overrides;
  std::int64_t connections_max_idle_ms = 600000;
  std::int32_t request_timeout_ms = 30000;
  std::int32_t message_max_bytes = 1048588;
  std::int32_t fetch_max_bytes = 57671680;
  std::int32_t max_incremental_fetch_session_cache_slots = 1000;

  // Topics.
  bool auto_create_topics_enable = true;
  std::int32_t num_partitions = 1;
  std::int32_t default_replication_factor = 1;
  bool delete_topic_enable = true;
  std::int32_t min_insync_replicas = 1;
  bool unclean_leader_election_enable = false;
  std::string compression_type = "producer";
  std::int32_t compression_gzip_level = -1;
  std::int32_t compression_lz4_level = 9;
  std::int32_t compression_zstd_level = 3;

  // Logs.
  std::optional<std::string> log_dirs;
  std::string log_dir = "/tmp/kafka-logs";
  std::int32_t log_segment_bytes = 1073741824;
  std::optional<std::int64_t> log_roll_ms;
  std::int32_t log_roll_hours = 168;
  std::optional<std::int64_t> log_roll_jitter_ms;
  std::int32_t log_roll_jitter_hours = 0;
  std::optional<std::int64_t> log_retention_ms;
  std::optional<std::int32_t> log_retention_minutes;
  std::int32_t log_retention_hours = 168;
  std::int64_t log_retention_bytes = -1;
  std::int64_t log_retention_check_interval_ms = 300000;
  std::vector<std::string> log_cleanup_policy{"delete"};
  std::int32_t log_index_size_max_bytes = 10485760;
  std::int32_t log_index_interval_bytes = 4096;
  std::int64_t log_flush_interval_messages = INT64_MAX;
  std::optional<std::int64_t> log_flush_interval_ms;
  std::int64_t log_flush_scheduler_interval_ms = INT64_MAX;
  bool tandem_log_flush_on_ack = false;
  std::int32_t log_flush_offset_checkpoint_interval_ms = 60000;
  std::int32_t log_flush_start_offset_checkpoint_interval_ms = 60000;
  std::int64_t log_segment_delete_delay_ms = 60000;
  std::int32_t num_recovery_threads_per_data_dir = 1;
  std::string log_message_format_version = "3.0-IV1";
  std::string log_message_timestamp_type = "CreateTime";
  std::int64_t log_message_timestamp_difference_max_ms = INT64_MAX;
  std::int64_t log_message_timestamp_before_max_ms = INT64_MAX;
  std::int64_t log_message_timestamp_after_max_ms = INT64_MAX;
  bool log_message_downconversion_enable = true;
  std::int32_t producer_id_expiration_ms = 86400000;

  // Replication and control.
  std::int64_t replica_lag_time_max_ms = 30000;
  std::optional<std::string> replica_selector_class;
  std::int32_t replication_quota_window_num = 11;
  std::int32_t replication_quota_window_size_seconds = 1;
  std::int32_t alter_log_dirs_replication_quota_window_num = 11;
  std::int32_t alter_log_dirs_replication_quota_window_size_seconds = 1;
  std::int32_t num_replica_fetchers = 1;
  std::int32_t replica_fetch_wait_max_ms = 500;
  std::int32_t replica_fetch_min_bytes = 1;
  std::int32_t replica_fetch_max_bytes = 1048576;
  std::int32_t replica_fetch_response_max_bytes = 10485760;
  std::int32_t replica_fetch_backoff_ms = 1000;
  std::int32_t replica_socket_timeout_ms = 30000;
  std::int64_t replica_high_watermark_checkpoint_interval_ms = 5000;
  bool auto_leader_rebalance_enable = true;
  std::int32_t leader_imbalance_per_broker_percentage = 10;
  std::int64_t leader_imbalance_check_interval_seconds = 300;
  std::int32_t controller_socket_timeout_ms = 30000;
  bool controlled_shutdown_enable = true;
  std::int32_t controlled_shutdown_max_retries = 3;
  std::int64_t controlled_shutdown_retry_backoff_ms = 5000;
  bool tandem_suspect_brokers = true;
  bool tandem_suspect_controller = true;
  bool tandem_registration_takeover = true;
  std::int32_t tandem_replica_suspect_ms = 3000;

  // Groups.
  std::int32_t group_min_session_timeout_ms = 6000;
  std::int32_t group_max_session_timeout_ms = 1800000;
  std::int32_t group_initial_rebalance_delay_ms = 3000;
  std::int32_t group_max_size = INT32_MAX;
  std::int32_t offset_metadata_max_bytes = 4096;
  std::int16_t offsets_topic_replication_factor = 3;
  std::int32_t offsets_topic_num_partitions = 50;
  std::int32_t offsets_topic_segment_bytes = 104857600;
  std::int32_t offsets_topic_compression_codec = 0;
  std::int32_t offsets_retention_minutes = 10080;
  std::int64_t offsets_retention_check_interval_ms = 600000;
  std::int32_t offsets_commit_timeout_ms = 5000;
  std::int32_t offsets_load_buffer_size = 5242880;
};

}  // namespace tandem::broker::config
