// A client process: its loop, a connection to each broker on which one request is asked at a time, and what
// the brokers last told it of the cluster. Producers, consumers and administrators (workload.h) are made of
// it. Speaks the real protocol through shell/peer_link.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "broker/protocol/messages/metadata.h"
#include "broker/shell/peer_link.h"
#include "broker/zk/names.h"
#include "tests/sim/brokers/options.h"
#include "tests/sim/brokers/process.h"

namespace tandem::sim::brokers {

namespace protocol = broker::protocol;
using broker::zk::TopicPartition;

class SimClient {
 public:
  SimClient(Surroundings& around, int host, const BrokerOptions& options, base::Random random);
  virtual ~SimClient();
  SimClient(const SimClient&) = delete;
  SimClient& operator=(const SimClient&) = delete;

  virtual void begin() = 0;
  virtual void stop() { stopped_ = true; }  // asks for nothing new

 protected:
  // False where the connection is busy.
  template <class Request>
  bool ask(int broker, std::int16_t version, const Request& request,
           std::function<void(base::Result<typename Request::Response>)> done) {
    broker::shell::PeerLink& link = link_to(broker);
    if (link.busy()) return false;
    link.template ask<Request>(version, request, std::move(done));
    return true;
  }
  bool busy(int broker) { return link_to(broker).busy(); }
  void refresh();  // what is known of the cluster, soon
  void again_in(Duration delay, std::function<void()> task) {
    process_.after(delay, &loop_, std::move(task));
  }
  Duration around_mean(milliseconds mean) {
    return milliseconds(
        1 + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(2 * mean.count()))));
  }
  int leader_of(const TopicPartition& partition) const;

  const BrokerOptions& options_;
  Process process_;
  net::Loop loop_;
  base::Random random_;
  bool stopped_ = false;
  std::map<TopicPartition, int> leaders_;
  std::map<TopicPartition, int> internal_;  // leaders of what belongs to the brokers themselves
  std::map<std::string, int> partitions_;   // of each topic
  int controller_ = -1;

 private:
  broker::shell::PeerLink& link_to(int broker);
  void on_metadata(const protocol::MetadataResponse& response);

  std::map<int, std::unique_ptr<broker::shell::PeerLink>> links_;
  std::unique_ptr<broker::shell::PeerLink> metadata_link_;
  int asked_ = 0;
  bool refreshing_ = false;
};

}  // namespace tandem::sim::brokers
