// IsrSender: asks for the changes of in-sync sets that the leaders here want: of the active controller by
// AlterPartition, all that gathered in one request, one request at a time; or, where the inter-broker
// protocol is older than 2.7-IV2, by writing the partition's state in the tree under its version and telling
// the controller by a notification. Asked again until there is an answer that means something. It works on
// the first shard's thread; the server destroys it after the shards have stopped.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "broker/api/cluster_control.h"
#include "broker/api/following.h"
#include "broker/api/services.h"
#include "broker/zk/names.h"
#include "broker/zk/topics.h"
#include "net/timer.h"

namespace tandem::broker::shell {

struct IsrSenderOptions {
  bool through_controller = true;
  base::milliseconds timeout{30'000};      // of one request to the controller
  base::milliseconds retry{50};            // after an error that may pass
  base::milliseconds notify_after{2'500};  // changes of this time go into one notification
};

class IsrSender final : public api::IsrKeeper {
 public:
  IsrSender(api::Shards& shards, api::ClusterControl& control, const api::Node& node,
            IsrSenderOptions options, logging::Logger log);
  ~IsrSender() override;

  void ask(Ask ask, Answered answered) override;

 private:
  struct Asked {
    Ask ask;
    Answered answered;
  };
  using Batch = std::map<zk::TopicPartition, Asked>;
  struct Home;  // what the first shard's thread works with

  void send();
  void ask_controller();
  void on_told(const std::shared_ptr<Batch>& batch, base::Result<api::FromController> told);
  void write_states();
  void on_written(const std::shared_ptr<Batch>& batch, std::vector<zk::ZkResult> results);
  void on_read(const std::shared_ptr<Batch>& batch, std::vector<zk::ZkResult> results);
  void notify();
  void answer(Asked& asked, protocol::ErrorCode error, replica::IsrChange now);
  void again(Batch& batch);
  void done();

  api::Shards& shards_;
  api::ClusterControl& control_;
  const api::Node& node_;
  IsrSenderOptions options_;
  logging::Logger log_;
  std::unique_ptr<Home> home_;
};

}  // namespace tandem::broker::shell
