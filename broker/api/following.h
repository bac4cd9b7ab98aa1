// What Replicas asks of the shells around it: that a follower's records are fetched (Following), that the
// controller is asked for changes of the in-sync set (IsrKeeper), and which followers are there
// (FollowerProbes). Implemented by shell/replica_fetchers, isr_sender, follower_probes; in tests by fakes.
// Called on the thread of the partition's owner.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "broker/protocol/errors.h"
#include "broker/protocol/uuid.h"
#include "broker/replica/partition.h"

namespace tandem::broker::api {

struct Replica;

class Following {
 public:
  virtual ~Following() = default;
  // Fetches from the leader that the replica's core names, until told otherwise; again in each leader epoch.
  virtual void follow(Replica& replica) = 0;
  // No more of it is fetched or stored once this has returned.
  virtual void unfollow(Replica& replica) = 0;
};

class IsrKeeper {
 public:
  struct Ask {
    std::string topic;
    protocol::Uuid topic_id;  // zero where the topic has none
    std::int32_t partition = 0;
    std::size_t shard = 0;  // of the owner, where the answer comes
    replica::IsrChange change;
  };
  // `now` is what holds when there is no error: the members as the controller knows them. Other errors than
  // those that Partition gives a meaning are retried by the keeper.
  using Answered = std::function<void(protocol::ErrorCode error, replica::IsrChange now)>;

  virtual ~IsrKeeper() = default;
  virtual void ask(Ask ask, Answered answered) = 0;
};

class FollowerProbes {
 public:
  using Brokers = std::set<std::int32_t>;

  virtual ~FollowerProbes() = default;
  virtual void heard(std::int32_t follower) = 0;  // it fetched; any thread
  // Leaders of the shard wait for these, which have been silent for patience(). On the shard's thread.
  virtual void held_up(std::size_t shard, Brokers followers) = 0;
  virtual base::Duration patience() const = 0;
  virtual std::shared_ptr<const Brokers> suspects() const = 0;  // any thread
};

}  // namespace tandem::broker::api
