// Replica: one partition replica of this broker as its owner shard holds it: the core, the log, and who waits
// for it. Everything runs on the owner's thread but what the log itself allows to any. Replicas (replicas.h)
// makes them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/api/waiting.h"
#include "broker/log/log.h"
#include "broker/replica/partition.h"

namespace tandem::broker::api {

class Replicas;

// The outcome of an append for the answer to a producer.
struct Appended {
  protocol::ErrorCode error = protocol::ErrorCode::none;
  std::string message;
  std::vector<record::RecordError> record_errors;
  std::int64_t base_offset = -1;
  std::int64_t last_offset = -1;
  std::int64_t log_append_time = -1;
  std::int64_t log_start = -1;
  bool staged = false;  // not written yet: see StagedAppends
  bool ok() const { return error == protocol::ErrorCode::none; }
};

struct AppendRequest {
  std::string_view records;
  std::int16_t acks = -1;
  record::Origin origin = record::Origin::client;
  bool stage = false;  // for StagedAppends to write and settle; the records stay in place until then
};

// The log that is being made in another directory: always a beginning of the one that it will replace.
struct LogMove {
  std::shared_ptr<log::Log> log;
  std::size_t dir = 0;
  bool busy = false;    // a disk thread reads or syncs for it
  bool synced = false;  // all but what came lately is durable
};

struct Replica : std::enable_shared_from_this<Replica> {
  Replica(Replicas& replicas, std::string topic, std::int32_t partition, std::size_t shard, std::size_t dir,
          std::int32_t broker_id, std::int64_t high_watermark, base::Duration lag_max)
      : owner(replicas),
        topic(std::move(topic)),
        partition(partition),
        shard(shard),
        dir(dir),
        core(broker_id, high_watermark, lag_max) {}

  Replicas& owner;
  const std::string topic;
  const std::int32_t partition;
  const std::size_t shard;
  // The end of a move changes these three; other threads than the owner read them under Replicas' lock only.
  std::size_t dir;  // index of its log directory
  std::shared_ptr<log::Log> log;
  std::unique_ptr<LogMove> move;
  std::uint64_t cuts = 0;  // truncations so far
  replica::Partition core;

  replica::LogEnds ends() const;
  // What acknowledgements may count on: all that is there, or what is synced (tandem.log.flush.on.ack).
  std::int64_t durable_end() const;
  std::int64_t last_stable_offset() const { return core.last_stable_offset(log->first_unstable_offset()); }
  // Where consumers (false) or read_committed consumers (true) may read up to.
  std::int64_t visible_end(bool committed) const {
    return committed ? last_stable_offset() : core.high_watermark();
  }

  // Whether its topic names it in leader. or follower.replication.throttled.replicas.
  bool throttled_leader() const { return log->config().leader_throttled.contains(partition); }
  bool throttled_follower() const { return log->config().follower_throttled.contains(partition); }

  // As leader: checks, appends, moves the watermark, tells the waiters.
  Appended append(const AppendRequest& request);
  // Writes what was staged; the log has failed where that could not be.
  void write_staged();
  // What was appended is in the file: syncs that are due, the watermark, the waiters. False: the log failed.
  bool settle(std::int64_t now_ms);
  // ---- as follower ----
  // Batches as the leader, whose log begins at `leader_start` (-1: it did not say), stored them; from
  // `offset` on, which is the end of this log. OFFSET_OUT_OF_RANGE: they do not continue it.
  protocol::ErrorCode append_fetched(std::int64_t offset, std::int64_t leader_start,
                                     std::string_view records);
  protocol::ErrorCode truncate(std::int64_t offset);  // to at most this end, behind before_cut()
  protocol::ErrorCode restart(std::int64_t offset);   // empty, from this offset on
  protocol::ErrorCode follow(std::int64_t high_watermark, std::int64_t log_start);

  // More of the log is durable, or its sync has failed.
  void synced();
  // The log's ends or the core changed: publishes the watermark, tells the waiters.
  void changed();
  // Puts a waiter on the list. Those that were answered elsewhere leave it whenever it has doubled.
  void wait(std::shared_ptr<Waiter> waiter);

  // As leader it found bytes that are not what was written, which others have: its log has failed until
  // another leads. The controller is asked for that again and again.
  struct Damage {
    std::int64_t offset = 0;
    base::Instant tell_at{};
    base::Duration tell_after = std::chrono::seconds(2);
  };
  std::optional<Damage> damage;

  bool sync_wanted = false;  // DiskSync's: it is on the list of the next batch

 private:
  protocol::ErrorCode not_following() const;
  std::optional<std::int64_t> begins_anew_at(std::string_view records, std::int64_t leader_start) const;
  protocol::ErrorCode failed(const base::Error& error);

  static constexpr std::size_t kWaitersMin = 8;
  std::vector<std::shared_ptr<Waiter>> waiters_;
  std::size_t prune_at_ = kWaitersMin;
};

}  // namespace tandem::broker::api
