// Incremental fetch sessions (KIP-227): the broker remembers which partitions a client fetches and what it
// last heard of each, so that a request names changes only and a response only what is new. One cache per
// shard, used on its thread.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "broker/protocol/messages/fetch.h"

namespace tandem::broker::replica {

// The epoch of a session's request after the one of `epoch`.
inline std::int32_t next_session_epoch(std::int32_t epoch) { return epoch == INT32_MAX ? 1 : epoch + 1; }

// One partition that a fetch asks for, by name or (version 13 and later) by topic id.
struct WantedPartition {
  std::string topic;  // empty where the id is not known here
  protocol::Uuid topic_id;
  protocol::FetchRequest::FetchPartition request;
};

// What the last response said.
struct ToldPartition {
  std::int64_t high_watermark = -1;
  std::int64_t log_start_offset = -1;
  bool error = false;
};

class FetchSession {
 public:
  struct Entry {
    WantedPartition wanted;
    ToldPartition told;
    bool told_once = false;
    bool rests = false;
    std::shared_ptr<void> server = {};  // of who serves it: what it knows of the partition
  };
  using Entries = std::list<Entry>;

  std::int32_t id = 0;
  std::int32_t epoch = 1;  // of the next request
  bool by_topic_id = false;
  base::Instant last_used{};
  Entries entries;  // in the order in which they are served
  // Those of which nothing is to be told, and that the request did not name: nobody looks at them until
  // something happens to them.
  Entries resting;
  std::shared_ptr<void> server;  // of who serves it

  bool empty() const { return entries.empty() && resting.empty(); }
  void rest(Entries::iterator entry);
  void wake(Entries::iterator entry);  // behind the others; nothing where it does not rest

  // Whether the partition belongs into an incremental response; remembers what it says.
  bool include(Entry& entry, const protocol::FetchResponse::PartitionData& data);

 private:
  friend class FetchSessions;
  // By topic id, or by name where there is none.
  using Key = std::tuple<protocol::Uuid, std::string, std::int32_t>;
  static Key key_of(const std::string& topic, const protocol::Uuid& id, std::int32_t partition) {
    return {id, id.is_zero() ? topic : std::string(), partition};
  }
  void put(WantedPartition partition);
  void forget(const Key& key);
  std::map<Key, Entries::iterator> index_;
};

// What a request means for its session.
struct FetchContext {
  protocol::ErrorCode error = protocol::ErrorCode::none;
  std::int32_t session_id = 0;
  FetchSession* session = nullptr;  // null: sessionless
  bool incremental = false;         // answer with changes only
};

class FetchSessions {
 public:
  FetchSessions(base::Random random, std::size_t slots_max) : random_(random), slots_max_(slots_max) {}

  // `wanted` is what the request names, in its order. Partitions of a session are then in its entries.
  FetchContext begin(const protocol::FetchRequest& request, std::int16_t version,
                     std::vector<WantedPartition> wanted, base::Instant now);
  FetchSession* find(std::int32_t id);
  std::size_t size() const { return sessions_.size(); }

 private:
  FetchContext create(std::vector<WantedPartition> wanted, bool by_topic_id, base::Instant now);
  bool make_room(base::Instant now);
  static void update(FetchSession& session, std::vector<WantedPartition> wanted,
                     const std::vector<protocol::FetchRequest::ForgottenTopic>& forgotten);

  base::Random random_;
  std::size_t slots_max_;
  std::unordered_map<std::int32_t, FetchSession> sessions_;
};

}  // namespace tandem::broker::replica
