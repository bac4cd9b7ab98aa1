// Watched: a broker as the Checker sees it: its replicas, and the disk below them. A SimBroker is one; tests
// of the Checker have their own.
#pragma once

#include <map>

#include "broker/api/replica.h"
#include "broker/zk/names.h"
#include "fs/disk.h"

namespace tandem::sim::brokers {

namespace api = broker::api;
using broker::zk::TopicPartition;

class Watched {
 public:
  virtual ~Watched() = default;
  virtual int number() const = 0;
  virtual bool serving() const = 0;
  virtual api::Replica* find(const TopicPartition& partition) = 0;  // null: it has none
  virtual fs::Disk& disk() = 0;
  virtual bool names(int broker) const = 0;  // its metadata does, among those that are alive
};
using WatchedBrokers = std::map<int, Watched*>;  // by number

}  // namespace tandem::sim::brokers
