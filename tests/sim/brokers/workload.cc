#include "tests/sim/brokers/workload.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/protocol/messages/alter_partition_reassignments.h"
#include "broker/protocol/messages/create_partitions.h"
#include "broker/protocol/messages/create_topics.h"
#include "broker/protocol/messages/delete_topics.h"
#include "broker/protocol/messages/elect_leaders.h"
#include "broker/protocol/messages/init_producer_id.h"
#include "broker/record/builder.h"

namespace tandem::sim::brokers {

namespace record = broker::record;
using protocol::ErrorCode;

namespace {

constexpr std::int16_t kProduceVersion = 8;
constexpr std::int16_t kConsumeVersion = 11;
constexpr std::int32_t kProduceTimeout = 1500;
constexpr int kChurned = 3;

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

bool Producer::idle() const {
  return std::none_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane.second.batch; });
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
      if (Checker::is_checked(at->first.topic)) {
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
      [this, partitions](base::Result<protocol::ProduceResponse> answer) { on_answer(partitions, answer); });
}

void Producer::on_answer(const std::vector<TopicPartition>& partitions,
                         const base::Result<protocol::ProduceResponse>& answer) {
  for (const TopicPartition& partition : partitions) lanes_[partition].sent = false;
  if (!answer) {
    // Whether it is there, nobody knows: who has a number for it says it again.
    for (const TopicPartition& partition : partitions)
      if (!idempotent_) lanes_[partition].batch.reset();
    return refresh();
  }
  for (const auto& topic : answer->responses)
    for (const auto& row : topic.partition_responses)
      on_partition({topic.name, row.index}, lanes_[{topic.name, row.index}], row);
}

void Producer::on_partition(const TopicPartition& partition, Lane& lane,
                            const protocol::ProduceResponse::PartitionProduceResponse& row) {
  if (!lane.batch) return;
  if (row.error_code == ErrorCode::none) {
    if (acks_ == -1) checker_.on_acknowledged(partition, process_.host(), row.base_offset, lane.numbers);
    lane.batch.reset();
    return;
  }
  // A deposed leader that does not know it yet may miss what a later one has: asked again elsewhere.
  if (!idempotent_) lane.batch.reset();
  refresh();
}

// ---- consumers -------------------------------------------------------------------------------------------

Consumer::Consumer(Surroundings& around, int host, const BrokerOptions& options, base::Random random,
                   Checker& checker)
    : SimClient(around, host, options, random), checker_(checker) {}

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
    protocol::FetchRequest request;
    request.max_wait_ms = 100;
    request.min_bytes = 1;
    request.topics.push_back({partition.topic, {}, {}});
    auto& wanted = request.topics.back().partitions.emplace_back();
    wanted.partition = partition.partition;
    wanted.fetch_offset = next_[partition];
    wanted.partition_max_bytes = 16384;
    ask<protocol::FetchRequest>(at->second, kConsumeVersion, request,
                                [this, partition](base::Result<protocol::FetchResponse> answer) {
                                  if (!answer) return refresh();
                                  on_fetched(partition, *answer);
                                });
  });
}

void Consumer::on_fetched(const TopicPartition& partition, const protocol::FetchResponse& response) {
  for (const auto& topic : response.responses) {
    for (const auto& row : topic.partitions) {
      // A reader of committed records is never ahead of a leader for long: it asks again.
      if (row.error_code != ErrorCode::none) return refresh();
      if (row.records.is_null() || row.records.size() == 0) continue;
      next_[partition] = checker_.on_consumed(partition, next_[partition], row.records.slice().view());
    }
  }
}

// ---- the administrator -----------------------------------------------------------------------------------

Admin::Admin(Surroundings& around, int host, const BrokerOptions& options, base::Random random,
             Checker& checker)
    : SimClient(around, host, options, random), checker_(checker) {}

void Admin::begin() {
  refresh();
  make_topics();
}

void Admin::make_topics() {
  again_in(milliseconds(100), [this] {
    int known = 0;
    for (const auto& [name, count] : partitions_) known += Checker::is_checked(name) ? 1 : 0;
    made_ = known == options_.topics;
    if (made_) return;
    make_topics();
    if (controller_ < 0) return refresh();
    protocol::CreateTopicsRequest request;
    request.timeout_ms = 2000;
    for (int i = 0; i < options_.topics; ++i) {
      auto& topic = request.topics.emplace_back();
      topic.name = fmt::format("t{}", i);
      topic.num_partitions = options_.partitions;
      topic.replication_factor = static_cast<std::int16_t>(options_.replication);
    }
    ask<protocol::CreateTopicsRequest>(
        controller_, 5, request, [this](const base::Result<protocol::CreateTopicsResponse>&) { refresh(); });
  });
}

template <class Request>
void Admin::tell(std::int16_t version, Request request) {
  if (controller_ < 0) return refresh();
  ask<Request>(controller_, version, request, [this](base::Result<typename Request::Response> answer) {
    if (answer) ++done_;
    refresh();
  });
}

// Made, grown or deleted, whatever it is now.
void Admin::churn() {
  const std::string name = options_.old_protocol ? fmt::format("c{}", churned_++ / 4)
                                                 : fmt::format("c{}", random_.below(kChurned));
  switch (random_.below(3)) {
    case 0: {
      protocol::CreateTopicsRequest request;
      request.timeout_ms = 1000;
      auto& topic = request.topics.emplace_back();
      topic.name = name;
      topic.num_partitions = static_cast<std::int32_t>(random_.between(1, 3));
      topic.replication_factor = static_cast<std::int16_t>(options_.replication);
      return tell(5, std::move(request));
    }
    case 1: {
      protocol::CreatePartitionsRequest request;
      request.timeout_ms = 1000;
      auto& topic = request.topics.emplace_back();
      topic.name = name;
      topic.count = partitions_.contains(name) ? partitions_[name] + 1 : 4;
      return tell(1, std::move(request));
    }
    default: {
      protocol::DeleteTopicsRequest request;
      request.timeout_ms = 1000;
      request.topic_names = {name};
      return tell(3, std::move(request));
    }
  }
}

void Admin::reassign() {
  if (leaders_.empty()) return refresh();
  auto led = leaders_;
  led.insert(internal_.begin(), internal_.end());
  auto at = led.begin();
  std::advance(at, random_.below(led.size()));
  std::vector<std::int32_t> brokers;
  for (int broker = 1; broker <= options_.brokers; ++broker) brokers.push_back(broker);
  for (std::size_t i = brokers.size(); i > 1; --i) std::swap(brokers[i - 1], brokers[random_.below(i)]);
  brokers.resize(static_cast<std::size_t>(options_.replication));
  protocol::AlterPartitionReassignmentsRequest request;
  request.timeout_ms = 1000;
  auto& topic = request.topics.emplace_back();
  topic.name = at->first.topic;
  auto& partition = topic.partitions.emplace_back();
  partition.partition_index = at->first.partition;
  if (random_.chance(0.85)) partition.replicas = brokers;  // else what is under way is called off
  tell(0, std::move(request));
}

void Admin::elect() {
  protocol::ElectLeadersRequest request;
  request.timeout_ms = 1000;
  auto led = leaders_;
  led.insert(internal_.begin(), internal_.end());
  if (!led.empty()) {
    auto at = led.begin();
    std::advance(at, random_.below(led.size()));
    auto& topic = request.topic_partitions.emplace().emplace_back();
    topic.topic = at->first.topic;
    topic.partitions = {at->first.partition};
  }
  tell(1, std::move(request));
}

}  // namespace tandem::sim::brokers
