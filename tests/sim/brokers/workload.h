// What the clients of a run do: producers (idempotent or not) with numbered records, consumers that read from
// the beginning, from the leader or from the follower in their rack that it names. What they hear goes to the
// checker.
#pragma once

#include <deque>

#include "broker/protocol/messages/fetch.h"
#include "broker/protocol/messages/produce.h"
#include "tests/sim/brokers/checker.h"
#include "tests/sim/brokers/client.h"

namespace tandem::sim::brokers {

using protocol::ErrorCode;

class Producer final : public SimClient {
 public:
  Producer(Surroundings& around, int host, const BrokerOptions& options, base::Random random,
           Checker& checker, bool idempotent);
  void begin() override;
  bool idle() const { return waits_for().empty(); }  // all that was begun is answered
  std::string waits_for() const;
  std::uint64_t attempted() const { return attempted_; }

 private:
  struct Lane {  // one partition: at most one batch under way
    std::int32_t next_sequence = 0;
    std::int64_t next_number = 0;
    std::optional<std::string> batch;
    std::vector<std::int64_t> numbers;  // in the batch
    bool sent = false;
    ErrorCode last_error = ErrorCode::none;
    std::int16_t epoch = 0;

    // ---- of idempotent ones ----
    struct Said {
      std::string batch;
      Checker::Repetition first;
    };
    std::deque<Said> acknowledged;    // in this epoch, the last ones
    std::optional<std::string> left;  // a batch of the epoch before, without an answer
  };
  void get_id();
  void think();
  void fill(const TopicPartition& partition, Lane& lane);
  void send_all();
  void send(int broker, const std::vector<TopicPartition>& partitions);
  struct Sent {
    int broker = 0;
    Instant at{};
  };
  void on_answer(const Sent& sent, const std::vector<TopicPartition>& partitions,
                 const base::Result<protocol::ProduceResponse>& answer);
  void on_partition(const Sent& sent, const TopicPartition& partition, Lane& lane,
                    const protocol::ProduceResponse::PartitionProduceResponse& row);
  void leave_epoch(Lane& lane);
  void on_acknowledged(const Sent& sent, const TopicPartition& partition, Lane& lane, std::int64_t offset);
  bool say_again(int broker, const TopicPartition& partition, const std::string& batch,
                 std::function<void(ErrorCode error, std::int64_t offset)> done);

  Checker& checker_;
  bool idempotent_;
  std::int16_t acks_;
  std::int64_t id_ = -1;
  std::int16_t epoch_ = 0;
  std::map<TopicPartition, Lane> lanes_;
  std::uint64_t attempted_ = 0;
};

class Consumer final : public SimClient {
 public:
  Consumer(Surroundings& around, int host, const BrokerOptions& options, base::Random random,
           Checker& checker);
  void begin() override;

 private:
  void poll();
  void on_fetched(int broker, const TopicPartition& partition, const protocol::FetchResponse& response);
  void on_row(int broker, const TopicPartition& partition, const protocol::FetchResponse::PartitionData& row);
  void on_out_of_range(int broker, const TopicPartition& partition);

  Checker& checker_;
  std::string rack_;
  std::map<TopicPartition, std::int64_t> next_;
  std::map<TopicPartition, int> preferred_;  // who a leader sent it to
};

}  // namespace tandem::sim::brokers
