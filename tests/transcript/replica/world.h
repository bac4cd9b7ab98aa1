// The replica fetcher with the logs it follows for, a clock, and a leader that answers as Kafka's does from
// logs of its own. Requests wait until `answer`; what is to be stored is stored at once. Verbs are in
// world.cc.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/clock.h"
#include "broker/replica/fetcher.h"
#include "tests/transcript/replica/model_log.h"
#include "tests/transcript/transcript.h"

namespace tandem::transcript {

class ReplicaWorld final : public World {
 public:
  ReplicaWorld();

 private:
  using TopicPartition = broker::zk::TopicPartition;

  void set_options(const Command& command);
  void follow(const Command& command);
  void lead(const Command& command);
  void answer();
  void pass(std::chrono::milliseconds time);
  void drain();

  // Effects.
  void perform(const broker::replica::AskLeader& ask);
  void perform(const broker::replica::AppendFetched& append);
  void perform(const broker::replica::Truncate& truncate);
  void perform(const broker::replica::Restart& restart);
  void perform(const broker::replica::Advance& advance);
  void perform(const broker::replica::GiveUp& given_up);
  broker::protocol::ErrorCode disk(const TopicPartition& partition);

  // The leader.
  broker::replica::Fetcher::Answer reply(const broker::protocol::FetchRequest& request);
  broker::replica::Fetcher::Answer reply(const broker::protocol::OffsetForLeaderEpochRequest& request);
  broker::replica::Fetcher::Answer reply(const broker::protocol::ListOffsetsRequest& request);
  broker::protocol::ErrorCode error_for(const TopicPartition& partition);
  void read(const TopicPartition& partition, const broker::protocol::FetchRequest::FetchPartition& wanted,
            broker::protocol::FetchResponse::PartitionData& data);

  base::ManualClock clock_;
  broker::replica::FetcherOptions options_;
  std::optional<broker::replica::Fetcher> fetcher_;
  std::map<TopicPartition, ModelLog> logs_;
  std::map<TopicPartition, ModelLog> leader_;
  std::map<TopicPartition, broker::replica::WantedPartition> session_;  // what the leader's session holds
  std::optional<broker::replica::AskLeader> asked_;
  std::map<TopicPartition, broker::protocol::ErrorCode> errors_;       // of the next answer
  std::map<TopicPartition, broker::protocol::ErrorCode> disk_errors_;  // of the next store
  broker::protocol::ErrorCode session_error_ = broker::protocol::ErrorCode::none;
  std::int32_t session_id_ = 7;  // 0: the leader keeps none
};

}  // namespace tandem::transcript
