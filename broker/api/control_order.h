// Where a request stands among all that controllers send to this broker: by the controller's epoch, then by
// the connection. A controller has one connection to a broker at a time; one that it has given up may still
// be read from behind the next (a paused peer, bytes that TCP sends again), and what comes on it is older
// than all that came on the next. Kafka's brokers do not look: there a LeaderAndIsr read behind the
// StopReplica that deleted the partition makes an empty one that leads in an epoch long past. Topic ids tell
// such lives apart (deletions.h); below inter-broker protocol 2.8 a topic has none. Metadata that is older
// than what is known would stay until the controller has something to say of the same partition. Each shard
// has its own and is its owner: of one partition all is in order. The metadata cache has one under its lock.
#pragma once

#include <compare>
#include <cstdint>

namespace tandem::broker::api {

struct ControlMark {
  std::int32_t controller_epoch = 0;
  std::uint64_t connection = 0;  // Client::number
  auto operator<=>(const ControlMark&) const = default;
};

class ControlOrder {
 public:
  // False for what was sent before something that was admitted. Its connection is to be closed: where a
  // controller does want to be heard on it, it comes again on a new one.
  bool admits(const ControlMark& mark) {
    if (mark < newest_) return false;
    newest_ = mark;
    return true;
  }
  std::int32_t controller_epoch() const { return newest_.controller_epoch; }

 private:
  ControlMark newest_;
};

}  // namespace tandem::broker::api
