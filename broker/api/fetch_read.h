// Reading one partition for a Fetch, on its owner's thread: the checks in Kafka's order, then a range of a
// segment file (sent without a copy), or converted messages for versions that know no batches.
#pragma once

#include "broker/api/fetch_rest.h"
#include "broker/api/replicas.h"
#include "broker/replica/cluster_image.h"
#include "broker/replica/fetch_session.h"

namespace tandem::broker::api {

constexpr std::int16_t kSinceTopicIds = 13;  // Fetch names topics by their ids
constexpr std::int16_t kHardLimitUntil = 2;  // the last whose answer keeps to the limit even for one batch

struct FetchRules {
  std::int16_t version = 0;
  std::int32_t replica_id = -1;    // of a following broker, or -1 for consumers, -2 for debugging consumers
  bool committed = false;          // isolation level read_committed
  std::uint64_t bytes_max = 0;     // of the response
  bool again = false;              // after a wait: a follower's progress has been counted already
  bool rack_aware = false;         // consumers may read from followers
  std::string_view rack = {};      // of a consumer that may be sent to a replica near it (KIP-392), or empty
  std::string_view listener = {};  // that it came by
};

struct FetchItem {
  replica::WantedPartition wanted;
  replica::FetchSession::Entries::iterator at = {};  // in the session; only on the connection's shard
  std::shared_ptr<Resting> resting = {};             // where it may rest when nothing is to be told
  bool rests = false;
  std::size_t shard = 0;
  std::int64_t seen_end = 0;     // the end of what was visible when it was read
  std::int32_t seen_epoch = -1;  // and in which leader epoch
  std::int64_t seen_high_watermark = -1;
  // By the session's last answer; nothing is behind without one.
  replica::ToldPartition told{INT64_MAX, -1, false};
  bool gave_data = false;
  bool throttled = false;  // the leader's quota: nothing for now
  protocol::FetchResponse::PartitionData data;
};

// `pulse` is that of the follower's session, if there is one.
void read_partition(Replicas& replicas, const replica::ClusterImage& image, const FetchRules& rules,
                    FetchItem& item, std::uint64_t bytes_left, bool min_one,
                    const std::shared_ptr<const replica::FetchPulse>& pulse);

// Where this reader may read up to.
std::int64_t visible_end(const Replica& replica, const FetchRules& rules);

}  // namespace tandem::broker::api
