// PeerWatch: whether the processes of other brokers are there, seen from outside. To each it keeps one
// connection, on which nothing is sent. When that ends, or cannot be made, it connects anew; a listener that
// refuses twice is told as refusing, and as taking connections again once one of them has been kept for a
// while. A peer that merely does not answer is not told of: that is what sessions are for. On one Loop's
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "broker/zk/brokers.h"
#include "net/loop.h"

namespace tandem::broker::shell {

class PeerWatch {
 public:
  using OnChange = std::function<void(std::int32_t broker, std::int64_t epoch, bool refuses)>;
  // At once, where OnChange waits for certainty: a connection has ended (false), or is there (true).
  using OnLine = std::function<void(std::int32_t broker, bool connected)>;

  // The callbacks run on the loop, never inside add(), and not after remove().
  PeerWatch(net::Loop& loop, OnChange on_change, OnLine on_line = {});
  ~PeerWatch();

  // In place of what was watched of the broker before.
  void add(std::int32_t broker, std::int64_t epoch, const zk::Endpoint& endpoint);
  void remove(std::int32_t broker);
  void clear();

 private:
  class Watched;
  net::Loop& loop_;
  OnChange on_change_;
  OnLine on_line_;
  std::map<std::int32_t, std::shared_ptr<Watched>> watched_;
};

}  // namespace tandem::broker::shell
