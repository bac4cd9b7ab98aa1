#include "tests/sim/brokers/workload.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/protocol/messages/init_producer_id.h"
#include "broker/protocol/messages/list_offsets.h"
#include "broker/record/builder.h"

namespace tandem::sim::brokers {

namespace record = broker::record;
namespace {

constexpr std::int16_t kProduceVersion = 8;
constexpr std::int16_t kConsumeVersion = 11;
constexpr std::int32_t kProduceTimeout = 1500;
constexpr std::int16_t kListVersion = 5;
constexpr std::int64_t kEarliest = -2;
constexpr double kBackToLeader = 0.02;
constexpr std::size_t kSaidAgain = 4;  // beside the one under way: a broker remembers five

}  // namespace

// ---- producers -------------------------------------------------------------------------------------------

Producer::Producer(Surroundings& around, int host, const BrokerOptions& options, base::Random random,
                   Checker& checker, bool idempotent)
    : SimClient(around, host, options, random),
      checker_(checker),
      idempotent_(idempotent),
      acks_(idempotent || random_.chance(0.6) ? -1 : std::int16_t{1}) {}

void Producer::begin() {
  refresh();
  if (idempotent_) {
    get_id();
  } else {
    think();
  }
}

std::string Producer::waits_for() const {
  for (const auto& [partition, lane] : lanes_)
    if (lane.batch)
      return fmt::format("producer {} waits for {}: {}", process_.host(), partition.text(),
                         to_string(lane.last_error));
  return "";
}

void Producer::get_id() {
  const int broker = static_cast<int>(random_.between(1, options_.brokers));
  const bool asked = ask<protocol::InitProducerIdRequest>(
      broker, 4, {}, [this](base::Result<protocol::InitProducerIdResponse> answer) {
        if (!answer || answer->error_code != ErrorCode::none)
          return again_in(milliseconds(100), [this] { get_id(); });
        id_ = answer->producer_id;
        epoch_ = answer->producer_epoch;
        checker_.on_producer_id(id_, process_.host());
        think();
      });
  if (!asked) again_in(milliseconds(100), [this] { get_id(); });
}

void Producer::think() {
  again_in(around_mean(options_.think), [this] {
    if (stopped_ && idle()) return;
    think();
    if (leaders_.empty()) return refresh();
    if (!stopped_) {
      auto at = leaders_.begin();
      std::advance(at, random_.below(leaders_.size()));
      // Where an unclean election may take records away, sequences do not go on.
      if (Checker::is_checked(at->first.topic) && !(idempotent_ && Checker::is_unclean(at->first.topic))) {
        Lane& lane = lanes_[at->first];
        if (!lane.batch) fill(at->first, lane);
      }
    }
    send_all();
  });
}

void Producer::fill(const TopicPartition&, Lane& lane) {
  const auto count = static_cast<std::int32_t>(random_.between(1, 4));
  record::BatchOptions batch;
  if (idempotent_) {
    if (lane.epoch != epoch_) {
      lane.epoch = epoch_;
      lane.next_sequence = 0;
      lane.acknowledged.clear();
    }
    batch.producer_id = id_;
    batch.producer_epoch = epoch_;
    batch.base_sequence = lane.next_sequence;
    lane.next_sequence += count;
  }
  record::BatchBuilder builder(batch);
  lane.numbers.clear();
  for (std::int32_t i = 0; i < count; ++i) {
    const std::string value = fmt::format("{}:{}", process_.host(), lane.next_number);
    lane.numbers.push_back(lane.next_number++);
    builder.append(i, process_.wall().ms, "k", value);
  }
  lane.batch = *builder.finish();
  lane.sent = false;
  attempted_ += static_cast<std::uint64_t>(count);
}

void Producer::send_all() {
  std::map<int, std::vector<TopicPartition>> ready;
  bool unknown = false;
  for (const auto& [partition, lane] : lanes_) {
    if (!lane.batch || lane.sent) continue;
    const int leader = leader_of(partition);
    unknown = unknown || leader < 0;
    if (leader >= 0 && !busy(leader)) ready[leader].push_back(partition);
  }
  if (unknown) refresh();
  for (const auto& [broker, partitions] : ready) send(broker, partitions);
}

void Producer::send(int broker, const std::vector<TopicPartition>& partitions) {
  protocol::ProduceRequest request;
  request.acks = acks_;
  request.timeout_ms = kProduceTimeout;
  for (const TopicPartition& partition : partitions) {
    Lane& lane = lanes_[partition];
    lane.sent = true;
    if (request.topic_data.empty() || request.topic_data.back().name != partition.topic)
      request.topic_data.push_back({partition.topic, {}});
    request.topic_data.back().partition_data.push_back(
        {partition.partition, protocol::Records(bytes::Slice::own(std::string(*lane.batch)))});
  }
  ask<protocol::ProduceRequest>(
      broker, kProduceVersion, request,
      [this, partitions, sent = Sent{broker, process_.now()}](
          base::Result<protocol::ProduceResponse> answer) { on_answer(sent, partitions, answer); });
}

void Producer::on_answer(const Sent& sent, const std::vector<TopicPartition>& partitions,
                         const base::Result<protocol::ProduceResponse>& answer) {
  for (const TopicPartition& partition : partitions) lanes_[partition].sent = false;
  if (!answer) {
    // Whether it is there, nobody knows: who has a number for it says it again, or goes on in a new epoch.
    for (const TopicPartition& partition : partitions) {
      Lane& lane = lanes_[partition];
      if (!idempotent_) {
        lane.batch.reset();
      } else if (options_.epoch_bumps > 0 && random_.chance(options_.epoch_bumps)) {
        leave_epoch(lane);
      }
    }
    return refresh();
  }
  for (const auto& topic : answer->responses)
    for (const auto& row : topic.partition_responses)
      on_partition(sent, {topic.name, row.index}, lanes_[{topic.name, row.index}], row);
}

void Producer::on_partition(const Sent& sent, const TopicPartition& partition, Lane& lane,
                            const protocol::ProduceResponse::PartitionProduceResponse& row) {
  if (!lane.batch) return;
  if (row.error_code == ErrorCode::none) {
    if (acks_ == -1) checker_.on_acknowledged(partition, process_.host(), row.base_offset, lane.numbers);
    if (idempotent_) on_acknowledged(sent, partition, lane, row.base_offset);
    lane.batch.reset();
    return;
  }
  lane.last_error = row.error_code;
  // A deposed leader that does not know it yet may miss what a later one has: asked again elsewhere.
  if (!idempotent_) lane.batch.reset();
  refresh();
}

void Producer::leave_epoch(Lane& lane) {
  if (lane.epoch == epoch_) ++epoch_;
  lane.left = std::exchange(lane.batch, std::nullopt);
}

// What was given up is tried again behind the first batch of the new epoch, as by somebody who has slept.
void Producer::on_acknowledged(const Sent& sent, const TopicPartition& partition, Lane& lane,
                               std::int64_t offset) {
  if (lane.left) {
    const auto on_left = [this, partition, offset](ErrorCode error, std::int64_t) {
      checker_.on_left_epoch(partition, offset, error);
    };
    if (say_again(sent.broker, partition, *lane.left, on_left)) lane.left.reset();
  }
  if (options_.repetitions == 0) return;
  lane.acknowledged.push_back({*lane.batch, {partition, sent.broker, sent.at, offset}});
  if (lane.acknowledged.size() > kSaidAgain) lane.acknowledged.pop_front();
  if (!random_.chance(options_.repetitions)) return;
  const Lane::Said& said = lane.acknowledged[random_.below(lane.acknowledged.size())];
  say_again(said.first.broker, partition, said.batch,
            [this, first = said.first](ErrorCode error, std::int64_t at) {
              checker_.on_repeated(first, error, at);
            });
}

bool Producer::say_again(int broker, const TopicPartition& partition, const std::string& batch,
                         std::function<void(ErrorCode error, std::int64_t offset)> done) {
  protocol::ProduceRequest request;
  request.acks = acks_;
  request.timeout_ms = kProduceTimeout;
  request.topic_data.push_back({partition.topic, {}});
  request.topic_data.back().partition_data.push_back(
      {partition.partition, protocol::Records(bytes::Slice::own(std::string(batch)))});
  return ask<protocol::ProduceRequest>(broker, kProduceVersion, request,
                                       [done](base::Result<protocol::ProduceResponse> answer) {
                                         if (!answer || answer->responses.empty()) return;
                                         const auto& rows = answer->responses[0].partition_responses;
                                         if (!rows.empty()) done(rows[0].error_code, rows[0].base_offset);
                                       });
}

// ---- consumers -------------------------------------------------------------------------------------------

Consumer::Consumer(Surroundings& around, int host, const BrokerOptions& options, base::Random random,
                   Checker& checker)
    : SimClient(around, host, options, random), checker_(checker), rack_(options.rack_of(host)) {}

void Consumer::begin() {
  refresh();
  poll();
}

void Consumer::poll() {
  again_in(around_mean(milliseconds(40)), [this] {
    poll();
    if (leaders_.empty()) return refresh();
    auto at = leaders_.begin();
    std::advance(at, random_.below(leaders_.size()));
    if (!Checker::is_checked(at->first.topic)) return;
    const TopicPartition partition = at->first;
    if (options_.racks > 0 && random_.chance(kBackToLeader)) preferred_.erase(partition);
    const auto sent_to = preferred_.find(partition);
    const int broker = sent_to == preferred_.end() ? at->second : sent_to->second;
    protocol::FetchRequest request;
    request.max_wait_ms = 100;
    request.min_bytes = 1;
    request.rack_id = rack_;
    request.topics.push_back({partition.topic, {}, {}});
    auto& wanted = request.topics.back().partitions.emplace_back();
    wanted.partition = partition.partition;
    wanted.fetch_offset = next_[partition];
    wanted.partition_max_bytes = 16384;
    ask<protocol::FetchRequest>(
        broker, kConsumeVersion, request,
        [this, broker, partition, from = wanted.fetch_offset](base::Result<protocol::FetchResponse> answer) {
          // It may have been told meanwhile to begin elsewhere.
          if (answer && options_.wide && next_[partition] != from) return;
          if (answer) return on_fetched(broker, partition, *answer);
          preferred_.erase(partition);
          refresh();
        });
  });
}

void Consumer::on_fetched(int broker, const TopicPartition& partition,
                          const protocol::FetchResponse& response) {
  for (const auto& topic : response.responses)
    for (const auto& row : topic.partitions) on_row(broker, partition, row);
}

void Consumer::on_row(int broker, const TopicPartition& partition,
                      const protocol::FetchResponse::PartitionData& row) {
  const auto sent_to = preferred_.find(partition);
  const bool at_follower = sent_to != preferred_.end() && sent_to->second == broker;
  if (options_.wide && row.error_code == ErrorCode::offset_out_of_range)
    return on_out_of_range(broker, partition);
  // A reader of committed records is never ahead of a leader for long: it asks again.
  if (row.error_code != ErrorCode::none) {
    preferred_.erase(partition);
    return refresh();
  }
  if (row.preferred_read_replica >= 0) {
    checker_.on_sent_to(partition, rack_, row.preferred_read_replica);
    preferred_[partition] = row.preferred_read_replica;
  }
  if (row.records.is_null() || row.records.size() == 0) return;
  next_[partition] =
      checker_.on_consumed(partition, next_[partition], row.records.slice().view(), at_follower);
}

// Somebody deleted what it would read next, or it asks one that has less than it has read.
void Consumer::on_out_of_range(int broker, const TopicPartition& partition) {
  preferred_.erase(partition);
  protocol::ListOffsetsRequest request;
  request.replica_id = -1;
  request.topics.push_back({partition.topic, {}});
  auto& wanted = request.topics.back().partitions.emplace_back();
  wanted.partition_index = partition.partition;
  wanted.timestamp = kEarliest;
  ask<protocol::ListOffsetsRequest>(
      broker, kListVersion, request, [this, partition](base::Result<protocol::ListOffsetsResponse> answer) {
        refresh();
        if (!answer || answer->topics.empty() || answer->topics[0].partitions.empty()) return;
        const auto& row = answer->topics[0].partitions[0];
        if (row.error_code != ErrorCode::none) return;
        next_[partition] = checker_.on_reset(partition, next_[partition], row.offset);
      });
}

}  // namespace tandem::sim::brokers
