#include "broker/config/rows.h"

namespace tandem::broker::config {

using conf::Change;
using conf::setting;

std::vector<conf::Setting> segment_rows() {
  return {
      setting("log.dirs", &BrokerConfig::log_dirs,
              {.doc = "Directories of the partitions' logs, with commas; unset: log.dir."}),
      setting("log.dir", &BrokerConfig::log_dir,
              {.doc = "Directory of the partitions' logs when log.dirs is not set."}),
      setting("log.segment.bytes", &BrokerConfig::log_segment_bytes,
              {.doc = "Size at which a log starts a new segment.", .min = 14, .change = Change::live}),
      setting(
          "log.roll.ms", &BrokerConfig::log_roll_ms,
          {.doc = "Age at which a log starts a new segment; unset: log.roll.hours.", .change = Change::live}),
      setting("log.roll.hours", &BrokerConfig::log_roll_hours,
              {.doc = "Age in hours at which a log starts a new segment.", .min = 1}),
      setting("log.roll.jitter.ms", &BrokerConfig::log_roll_jitter_ms,
              {.doc = "Random part taken off log.roll.ms; unset: log.roll.jitter.hours.",
               .change = Change::live}),
      setting("log.roll.jitter.hours", &BrokerConfig::log_roll_jitter_hours,
              {.doc = "Random part in hours taken off the age of a segment.", .min = 0}),
      setting("log.retention.ms", &BrokerConfig::log_retention_ms,
              {.doc = "How long records are kept, -1 for ever; unset: log.retention.minutes.",
               .change = Change::live}),
      setting("log.retention.minutes", &BrokerConfig::log_retention_minutes,
              {.doc = "How many minutes records are kept; unset: log.retention.hours."}),
      setting("log.retention.hours", &BrokerConfig::log_retention_hours,
              {.doc = "How many hours records are kept, -1 for ever."}),
      setting("log.retention.bytes", &BrokerConfig::log_retention_bytes,
              {.doc = "How large a partition may grow before its oldest segments go; -1: no limit.",
               .change = Change::live}),
      setting("log.retention.check.interval.ms", &BrokerConfig::log_retention_check_interval_ms,
              {.doc = "How often segments past their retention are looked for.", .min = 1}),
      setting("log.cleanup.policy", &BrokerConfig::log_cleanup_policy,
              {.doc = "What happens to old records: delete, compact or both.",
               .one_of = {"compact", "delete"},
               .change = Change::live}),
  };
}

std::vector<conf::Setting> record_rows() {
  return {
      setting("log.index.size.max.bytes", &BrokerConfig::log_index_size_max_bytes,
              {.doc = "The largest offset index of a segment.", .min = 4, .change = Change::live}),
      setting("log.index.interval.bytes", &BrokerConfig::log_index_interval_bytes,
              {.doc = "Bytes of log between two entries of the index.", .min = 0, .change = Change::live}),
      setting("log.flush.interval.messages", &BrokerConfig::log_flush_interval_messages,
              {.doc = "Records after which a log is forced to disk.", .min = 1, .change = Change::live}),
      setting("log.flush.interval.ms", &BrokerConfig::log_flush_interval_ms,
              {.doc = "Time after which a log is forced to disk; unset: never for its age.",
               .change = Change::live}),
      setting("log.flush.scheduler.interval.ms", &BrokerConfig::log_flush_scheduler_interval_ms,
              {.doc = "How often logs are looked at for log.flush.interval.ms."}),
      setting("tandem.log.flush.on.ack", &BrokerConfig::tandem_log_flush_on_ack,
              {.doc = "Whether a replica counts for acks=all, and a leader answers acks=1, only with what is "
                      "synced to its disk, so that a power cut of all brokers loses nothing acknowledged."}),
      setting("log.flush.offset.checkpoint.interval.ms",
              &BrokerConfig::log_flush_offset_checkpoint_interval_ms,
              {.doc = "How often recovery points are written down.", .min = 0}),
      setting("log.flush.start.offset.checkpoint.interval.ms",
              &BrokerConfig::log_flush_start_offset_checkpoint_interval_ms,
              {.doc = "How often log start offsets are written down.", .min = 0}),
      setting("log.segment.delete.delay.ms", &BrokerConfig::log_segment_delete_delay_ms,
              {.doc = "How long files live on after their segment was deleted.",
               .aliases = {"log.delete.delay.ms"},
               .min = 0,
               .change = Change::live}),
      setting(
          "num.recovery.threads.per.data.dir", &BrokerConfig::num_recovery_threads_per_data_dir,
          {.doc = "Threads that load the logs of one directory at start.", .min = 1, .change = Change::live}),
      setting("log.message.format.version", &BrokerConfig::log_message_format_version,
              {.doc = "The format of records for inter.broker.protocol.version below 3.0; else v2."}),
      setting("log.message.timestamp.type", &BrokerConfig::log_message_timestamp_type,
              {.doc = "Whose time a record has: CreateTime of the producer or LogAppendTime of the broker.",
               .one_of = {"CreateTime", "LogAppendTime"},
               .change = Change::live}),
      setting("log.message.timestamp.difference.max.ms",
              &BrokerConfig::log_message_timestamp_difference_max_ms,
              {.doc = "How far a producer's time may be from the broker's either way; older name.",
               .min = 0,
               .change = Change::live}),
      setting(
          "log.message.timestamp.before.max.ms", &BrokerConfig::log_message_timestamp_before_max_ms,
          {.doc = "How far a producer's time may be behind the broker's.", .min = 0, .change = Change::live}),
      setting("log.message.timestamp.after.max.ms", &BrokerConfig::log_message_timestamp_after_max_ms,
              {.doc = "How far a producer's time may be ahead of the broker's.",
               .min = 0,
               .change = Change::live}),
      setting("log.message.downconversion.enable", &BrokerConfig::log_message_downconversion_enable,
              {.doc = "Whether old fetch versions get their formats, at the cost of conversion.",
               .change = Change::live}),
      setting("producer.id.expiration.ms", &BrokerConfig::producer_id_expiration_ms,
              {.doc = "How long the last sequence of an idle producer is remembered.",
               .min = 1,
               .change = Change::live}),
  };
}

std::vector<conf::Setting> quota_rows() {
  return {
      setting("replication.quota.window.num", &BrokerConfig::replication_quota_window_num,
              {.doc = "Over how many windows the throttled rates of replication are measured.", .min = 1}),
      setting("replication.quota.window.size.seconds", &BrokerConfig::replication_quota_window_size_seconds,
              {.doc = "The length of these windows.", .min = 1}),
      setting("alter.log.dirs.replication.quota.window.num",
              &BrokerConfig::alter_log_dirs_replication_quota_window_num,
              {.doc = "Over how many windows the rate of moves between directories is measured.", .min = 1}),
      setting("alter.log.dirs.replication.quota.window.size.seconds",
              &BrokerConfig::alter_log_dirs_replication_quota_window_size_seconds,
              {.doc = "The length of these windows.", .min = 1}),
  };
}

std::vector<conf::Setting> replication_rows() {
  return {
      setting("replica.lag.time.max.ms", &BrokerConfig::replica_lag_time_max_ms,
              {.doc = "A follower that was not caught up for so long leaves the in-sync set."}),
      setting("replica.selector.class", &BrokerConfig::replica_selector_class,
              {.doc = "org.apache.kafka.common.replica.RackAwareReplicaSelector: consumers that name a rack "
                      "read from an in-sync replica in it. Unset or any other: from leaders."}),
      setting(
          "num.replica.fetchers", &BrokerConfig::num_replica_fetchers,
          {.doc = "Connections on which partitions of one leader are fetched; at least one for each shard "
                  "(tandem.broker.shards).",
           .min = 1,
           .change = Change::live}),
      setting("replica.fetch.wait.max.ms", &BrokerConfig::replica_fetch_wait_max_ms,
              {.doc = "How long a follower's fetch waits at the leader for something new."}),
      setting("replica.fetch.min.bytes", &BrokerConfig::replica_fetch_min_bytes,
              {.doc = "How much that has to be."}),
      setting("replica.fetch.max.bytes", &BrokerConfig::replica_fetch_max_bytes,
              {.doc = "How much of one partition a follower's fetch brings; one batch always.", .min = 0}),
      setting("replica.fetch.response.max.bytes", &BrokerConfig::replica_fetch_response_max_bytes,
              {.doc = "How much of all partitions it brings.", .min = 0}),
      setting("replica.fetch.backoff.ms", &BrokerConfig::replica_fetch_backoff_ms,
              {.doc = "How long a partition that could not be fetched is left alone.", .min = 0}),
      setting(
          "replica.socket.timeout.ms", &BrokerConfig::replica_socket_timeout_ms,
          {.doc = "How long a follower waits for its leader's answer; more than replica.fetch.wait.max.ms."}),
      setting("replica.high.watermark.checkpoint.interval.ms",
              &BrokerConfig::replica_high_watermark_checkpoint_interval_ms,
              {.doc = "How often high watermarks are written down."}),
      setting("auto.leader.rebalance.enable", &BrokerConfig::auto_leader_rebalance_enable,
              {.doc = "Whether leadership goes back to preferred replicas by itself."}),
      setting("leader.imbalance.per.broker.percentage", &BrokerConfig::leader_imbalance_per_broker_percentage,
              {.doc = "Share of leaders away from a broker above which it gets them back."}),
      setting("leader.imbalance.check.interval.seconds",
              &BrokerConfig::leader_imbalance_check_interval_seconds,
              {.doc = "How often that share is looked at.", .min = 1}),
      setting("controller.socket.timeout.ms", &BrokerConfig::controller_socket_timeout_ms,
              {.doc = "How long the controller waits for a broker's answer."}),
      setting("controlled.shutdown.enable", &BrokerConfig::controlled_shutdown_enable,
              {.doc = "Whether leadership is handed over before the broker stops."}),
      setting("controlled.shutdown.max.retries", &BrokerConfig::controlled_shutdown_max_retries,
              {.doc = "Attempts at handing over."}),
      setting("controlled.shutdown.retry.backoff.ms", &BrokerConfig::controlled_shutdown_retry_backoff_ms,
              {.doc = "Time between the attempts."}),
      setting(
          "tandem.suspect.brokers", &BrokerConfig::tandem_suspect_brokers,
          {.doc = "As the controller: a broker whose connection ended and whose listener refuses counts as "
                  "dead before its session ends."}),
      setting(
          "tandem.suspect.controller", &BrokerConfig::tandem_suspect_controller,
          {.doc = "Take over the office of a controller whose connection ended and whose listener refuses, "
                  "before its session ends."}),
      setting(
          "tandem.registration.takeover", &BrokerConfig::tandem_registration_takeover,
          {.doc = "After a crash: replace the registration, and the controller's office, that the process "
                  "before this one left with its session; Kafka ends there."}),
      setting(
          "tandem.replica.suspect.ms", &BrokerConfig::tandem_replica_suspect_ms,
          {.doc = "A follower that the leader waits for, and that neither fetches nor answers a probe for so "
                  "long, leaves the in-sync set, unless that falls below min.insync.replicas; 0: only "
                  "replica.lag.time.max.ms counts.",
           .min = 0}),
  };
}

std::vector<conf::Setting> group_rows() {
  return {
      setting("group.min.session.timeout.ms", &BrokerConfig::group_min_session_timeout_ms,
              {.doc = "The shortest session timeout a member may ask for."}),
      setting("group.max.session.timeout.ms", &BrokerConfig::group_max_session_timeout_ms,
              {.doc = "The longest session timeout a member may ask for."}),
      setting("group.initial.rebalance.delay.ms", &BrokerConfig::group_initial_rebalance_delay_ms,
              {.doc = "How long the first rebalance of an empty group waits for more members."}),
      setting("group.max.size", &BrokerConfig::group_max_size, {.doc = "Members of one group.", .min = 1}),
      setting("offset.metadata.max.bytes", &BrokerConfig::offset_metadata_max_bytes,
              {.doc = "The longest metadata of a committed offset."}),
      setting("offsets.topic.replication.factor", &BrokerConfig::offsets_topic_replication_factor,
              {.doc = "Replicas of __consumer_offsets; its creation waits for as many brokers.", .min = 1}),
      setting("offsets.topic.num.partitions", &BrokerConfig::offsets_topic_num_partitions,
              {.doc = "Partitions of __consumer_offsets; not to be changed later.", .min = 1}),
      setting("offsets.topic.segment.bytes", &BrokerConfig::offsets_topic_segment_bytes,
              {.doc = "Segment size of __consumer_offsets.", .min = 1}),
      setting("offsets.topic.compression.codec", &BrokerConfig::offsets_topic_compression_codec,
              {.doc = "Codec of batches in __consumer_offsets: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd."}),
      setting("offsets.retention.minutes", &BrokerConfig::offsets_retention_minutes,
              {.doc = "How long offsets of an empty group are kept.", .min = 1}),
      setting("offsets.retention.check.interval.ms", &BrokerConfig::offsets_retention_check_interval_ms,
              {.doc = "How often expired offsets are looked for.", .min = 1}),
      setting("offsets.commit.timeout.ms", &BrokerConfig::offsets_commit_timeout_ms,
              {.doc = "How long a commit waits for its replicas.", .min = 1}),
      setting("offsets.load.buffer.size", &BrokerConfig::offsets_load_buffer_size,
              {.doc = "Bytes read at a time when offsets are loaded.", .min = 1}),
  };
}

}  // namespace tandem::broker::config
