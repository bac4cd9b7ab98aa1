// ProducerIdService: producer ids for this broker, in blocks of 1000 that it claims in the tree by a
// conditional write of /latest_producer_id_block, as every Kafka broker of any version understands. Any
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "broker/api/cluster_control.h"
#include "broker/api/producer_ids.h"

namespace tandem::broker::shell {

class ProducerIdService final : public api::ProducerIds {
 public:
  using Done = std::function<void(base::Result<std::int64_t>)>;

  ProducerIdService(api::ClusterControl& control, std::int32_t broker_id)
      : control_(control), broker_id_(broker_id) {}

  void next(Done done) override;

 private:
  static constexpr std::size_t kWaitingMax = 10'000;
  static constexpr int kAttemptsMax = 10;

  void claim(int attempt);
  void on_read(int attempt, std::vector<zk::ZkResult> results);
  void fail(const std::string& reason);
  void serve(std::int64_t first, std::int64_t last);

  api::ClusterControl& control_;
  std::int32_t broker_id_;
  std::mutex mutex_;
  std::int64_t next_ = 0;  // ids [next_, end_) are ours
  std::int64_t end_ = 0;
  std::deque<Done> waiting_;
};

}  // namespace tandem::broker::shell
