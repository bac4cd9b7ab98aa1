// CORE: Fetcher follows one leader broker for the partitions that it was given: truncates where the logs
// part, fetches, appends, and passes on the leader's high watermark and log start. One request is under way
// at a time, and none goes out before what the last one brought is stored. The shell owns it, performs its
// effects in order and reports them; everything on one thread, which is that of the logs. Source: Kafka 3.9
// AbstractFetcherThread and ReplicaFetcherThread; numbers in FetcherOptions are Kafka's defaults.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "broker/protocol/messages/list_offsets.h"
#include "broker/protocol/messages/offset_for_leader_epoch.h"
#include "broker/replica/follow_session.h"
#include "broker/replica/truncation.h"

namespace tandem::broker::replica {

struct FetcherOptions {
  std::int32_t broker_id = -1;      // of the follower
  std::int16_t fetch_version = 17;  // what the inter-broker protocol says; 12 while a topic has no id
  std::int16_t epoch_version = 4;
  std::int16_t list_offsets_version = 9;
  std::int32_t wait_ms_max = 500;              // replica.fetch.wait.max.ms
  std::int32_t bytes_min = 1;                  // replica.fetch.min.bytes
  std::int32_t response_bytes_max = 10 << 20;  // replica.fetch.response.max.bytes
  std::int32_t partition_bytes_max = 1 << 20;  // replica.fetch.max.bytes
  base::milliseconds backoff{1000};            // replica.fetch.backoff.ms
  // Fetch tells where logs part (version 12 and later); else the leader is asked before the first fetch.
  bool truncates_on_fetch() const { return fetch_version >= 12; }
};

// ---- effects ----
struct AskLeader {  // answered by on_answer, or by on_lost
  std::uint64_t id = 0;
  std::int16_t version = 0;
  std::variant<protocol::FetchRequest, protocol::OffsetForLeaderEpochRequest, protocol::ListOffsetsRequest>
      request;
};
struct AppendFetched {  // batches as the leader stored them; reported by on_stored
  zk::TopicPartition partition;
  std::int64_t offset = 0;         // of the first of them, which is the log's end
  std::int64_t leader_start = -1;  // where the leader's log begins; -1 where it did not say
  protocol::Records records;
};
struct Truncate {  // to at most this end; reported by on_stored
  zk::TopicPartition partition;
  std::int64_t offset = 0;
};
struct Restart {  // empty, from this offset on; reported by on_stored
  zk::TopicPartition partition;
  std::int64_t offset = 0;
};
struct Advance {  // what the leader says of its log, within what is here
  zk::TopicPartition partition;
  std::int64_t high_watermark = 0;
  std::int64_t log_start = 0;
};
struct GiveUp {  // no more of it is fetched until the controller has something new to say
  zk::TopicPartition partition;
  protocol::ErrorCode error = protocol::ErrorCode::none;
};
using FetcherEffect = std::variant<AskLeader, AppendFetched, Truncate, Restart, Advance, GiveUp>;

class Fetcher {
 public:
  explicit Fetcher(FetcherOptions options) : options_(options) {}

  // Follows from now on, or in a new leader epoch. The log has to live until it is removed. `more` come at
  // once: nothing is asked before on_deadline().
  void add(const zk::TopicPartition& partition, const protocol::Uuid& topic_id, std::int32_t leader_epoch,
           FollowedLog& log, base::Instant now, bool more = false);
  void remove(const zk::TopicPartition& partition, base::Instant now);

  using Answer = std::variant<protocol::FetchResponse, protocol::OffsetForLeaderEpochResponse,
                              protocol::ListOffsetsResponse>;
  void on_answer(std::uint64_t id, Answer answer, base::Instant now);
  void on_lost(std::uint64_t id, base::Instant now);  // the connection, or the answer in time
  // Asks anew when a partition waits for the end of the fetch under way, whose answer will not come. False
  // where none does.
  bool interrupt(base::Instant now);
  void on_stored(const zk::TopicPartition& partition, protocol::ErrorCode error, base::Instant now);
  void on_deadline(base::Instant now) { step(now); }
  std::optional<base::Instant> next_deadline() const;

  std::vector<FetcherEffect> take() { return std::exchange(effects_, {}); }
  std::size_t size() const { return partitions_.size(); }

 private:
  enum class Phase : std::uint8_t {
    truncating,  // where the logs part has to be asked first
    fetching,
    out_of_range,  // the leader's end has to be asked
    behind,        // and then its start
  };
  enum class Storing : std::uint8_t { nothing, records, unsettled_cut, cut };
  // What the request under way asked of a partition: an answer counts only while that still holds.
  struct Asked {
    std::int32_t leader_epoch = -1;
    std::int64_t offset = 0;
    Phase phase = Phase::fetching;
    bool operator==(const Asked&) const = default;
  };
  struct Followed {
    protocol::Uuid topic_id;
    std::int32_t leader_epoch = -1;
    FollowedLog* log = nullptr;
    Phase phase = Phase::fetching;
    std::int64_t offset = 0;  // to fetch from; while truncating, where to cut if the leader knows nothing
    std::optional<std::int32_t> last_epoch;      // of what is below; nothing where batches carry none
    std::optional<base::Instant> delayed_until;  // after an error
    std::uint32_t soon = 0;           // errors in a row of a leader that does not know yet that it leads
    std::optional<std::int64_t> lag;  // behind the leader's high watermark, once that is known
    Storing storing = Storing::nothing;
    Advance then;  // once the records are stored
    // What the leader's session was asked for it last; nothing while it is not fetched.
    std::optional<Asked> fetched;
  };
  static Asked asked_of(const Followed& followed) {
    return {followed.leader_epoch, followed.offset, followed.phase};
  }
  using Partitions = std::map<zk::TopicPartition, Followed>;

  void step(base::Instant now);
  bool ask_epochs();
  bool ask_bounds();
  void ask_records(base::Instant now);
  void want(const zk::TopicPartition& partition, base::Instant now);
  std::optional<Asked> asked_of(const zk::TopicPartition& partition, const Followed& followed) const;
  void set_phase(const zk::TopicPartition& partition, Followed& followed, Phase phase);
  void set_lag(const zk::TopicPartition& partition, Followed& followed, std::int64_t high_watermark);
  void end_delays(base::Instant now);
  void forget(const zk::TopicPartition& partition);
  void sweep();
  template <class Request>
  void ask(std::int16_t version, Request request);
  template <class Topics, class OnRow>
  void each_row(const Topics& topics, base::Instant now, OnRow on_row);
  Followed* still_asked(const zk::TopicPartition& partition);

  void on_records(protocol::FetchResponse response, base::Instant now);
  void on_partition(const zk::TopicPartition& partition, Followed& followed,
                    protocol::FetchResponse::PartitionData data, base::Instant now);
  void on_epochs(const protocol::OffsetForLeaderEpochResponse& response, base::Instant now);
  void on_bounds(const protocol::ListOffsetsResponse& response, base::Instant now);
  void on_leader_end(const zk::TopicPartition& partition, Followed& followed, std::int64_t leader_end);
  void on_leader_start(const zk::TopicPartition& partition, Followed& followed, std::int64_t leader_start);
  void on_error(const zk::TopicPartition& partition, Followed& followed, protocol::ErrorCode error,
                base::Instant now);
  void cut(const zk::TopicPartition& partition, Followed& followed, const Truncation& truncation);
  void go_on(const zk::TopicPartition& partition, Followed& followed);
  void delay(const zk::TopicPartition& partition, Followed& followed, base::Duration time, base::Instant now);
  void delay(const zk::TopicPartition& partition, Followed& followed, base::Instant now) {
    delay(partition, followed, options_.backoff, now);
  }
  void ask_soon(const zk::TopicPartition& partition, Followed& followed, base::Instant now);
  void delay_all_asked(base::Instant now);
  void advance(Followed& followed);
  void give_up(const zk::TopicPartition& partition, protocol::ErrorCode error);

  FetcherOptions options_;
  Partitions partitions_;
  FollowSession session_;
  // Of many partitions few have news between two requests; only those are looked at.
  using Some = std::set<zk::TopicPartition>;
  Some news_;     // what is asked of them may have changed
  Some later_;    // will have, once the effects are performed
  Some unready_;  // their phase is not that of fetching
  Some behind_;   // may lack something: what a quota is for
  Some delayed_;
  zk::TopicPartition swept_;  // up to here all were looked at for what changes by itself
  // By the request under way, unless that is a fetch, whose session has them (Followed::fetched).
  std::map<zk::TopicPartition, Asked> asked_;
  bool fetching_ = false;      // what is under way is a fetch
  std::uint64_t pending_ = 0;  // its id; 0: none
  std::uint64_t last_id_ = 0;
  std::set<zk::TopicPartition> storing_;  // effects not reported yet, of partitions removed meanwhile as well
  std::vector<FetcherEffect> effects_;
};

}  // namespace tandem::broker::replica
