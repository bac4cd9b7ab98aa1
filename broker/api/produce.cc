#include <algorithm>
#include <mutex>

#include "broker/api/handlers.h"
#include "broker/api/partition_errors.h"
#include "broker/api/replicas.h"
#include "broker/api/scatter.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::ProduceRequest;
using protocol::ProduceResponse;
using PartitionResponse = ProduceResponse::PartitionProduceResponse;

constexpr std::int16_t kAcksNone = 0;
constexpr std::int16_t kAcksLeader = 1;
constexpr std::int16_t kAcksAll = -1;
constexpr std::int16_t kSinceBatchV2 = 3;
constexpr std::int16_t kProduceSinceZstd = 7;
constexpr std::int16_t kProduceSinceLeaderHint = 10;
constexpr std::string_view kAdminClientId = "__admin_client";

// What a request's version allows in a record set (KIP-98, KIP-110).
ErrorCode check_version(std::int16_t version, std::string_view records) {
  if (version < kSinceBatchV2) return ErrorCode::none;
  record::BatchCursor cursor(records);
  // What is corrupt is refused by the validation.
  if (!cursor.next())
    return cursor.ended() == record::CursorEnd::corrupt ? ErrorCode::none : ErrorCode::invalid_record;
  if (cursor.batch().magic() != 2) return ErrorCode::invalid_record;
  if (version < kProduceSinceZstd && cursor.batch().codec() == record::Codec::zstd)
    return ErrorCode::unsupported_compression_type;
  return cursor.next() ? ErrorCode::invalid_record : ErrorCode::none;  // one batch for each partition
}

// Errors that Kafka answers without the log's start.
bool tells_nothing_else(ErrorCode error) {
  return error == ErrorCode::corrupt_message || error == ErrorCode::message_too_large ||
         error == ErrorCode::record_list_too_large || error == ErrorCode::kafka_storage_error;
}

bool holds_nothing(std::string_view records) {
  record::BatchCursor cursor(records);
  return !cursor.next() && cursor.ended() != record::CursorEnd::corrupt;
}

class Produce final : public Delayed,
                      public StagedAppends::Request,
                      public std::enable_shared_from_this<Produce> {
 public:
  Produce(Call call, ProduceRequest request)
      : call_(std::move(call)), request_(std::move(request)), image_(call_.services.metadata.image()) {}

  void start() {
    Shards& shards = call_.services.shards;
    ShardSet set(shards.size());
    response_.responses.reserve(request_.topic_data.size());
    for (const auto& topic : request_.topic_data) {
      auto& answer = response_.responses.emplace_back();
      answer.name = topic.name;
      answer.partition_responses.resize(topic.partition_data.size());
      for (std::size_t i = 0; i < topic.partition_data.size(); ++i) {
        answer.partition_responses[i].index = topic.partition_data[i].index;
        set.add(shards.owner(topic.name, topic.partition_data[i].index));
      }
    }
    home_ = shards.current();
    stages_ = call_.gathers && set.count() == 1 && home_ < set.size() && set.has(home_);
    if (!stages_ && home_ < set.size()) call_.services.replicas->staged(home_).finish();
    scatter(shards, set, shared_from_this(), &Produce::append_all, &Produce::appended);
  }

  void written() override {
    for (const Staged& batch : std::exchange(staged_, {})) {
      if (!batch.replica->log->failed()) {
        acknowledge(*batch.replica, batch.required, batch.answer);
        continue;
      }
      batch.answer = {};
      batch.answer.index = batch.replica->partition;
      batch.answer.error_code = ErrorCode::kafka_storage_error;
      batch.answer.base_offset = -1;
    }
    appended();
  }

  // How far what an acknowledgement counts on has come: all in-sync replicas, or this one's disk.
  std::int64_t reached(const Replica& replica) const {
    return request_.acks == kAcksAll ? replica.core.high_watermark() : replica.durable_end();
  }

  ErrorCode verdict(const Replica& replica) const {
    const bool enough = request_.acks != kAcksAll ||
                        replica.core.enough_replicas_after(replica.log->config().min_insync_replicas);
    return enough ? ErrorCode::none : ErrorCode::not_enough_replicas_after_append;
  }

  // A partition that waits for its followers, or for its disk.
  class Wait final : public Waiter {
   public:
    Wait(std::shared_ptr<Produce> produce, PartitionResponse& answer, std::int64_t required)
        : produce_(std::move(produce)), answer_(answer), required_(required) {}

    bool on_change(Replica& replica) override {
      ErrorCode error = replica.core.check_leader();
      if (error == ErrorCode::none && replica.log->failed()) error = ErrorCode::kafka_storage_error;
      if (error == ErrorCode::none) {
        if (produce_->reached(replica) < required_) return produce_->is_answered();
        error = produce_->verdict(replica);
      }
      produce_->replicated(answer_, error);
      return true;
    }

    bool is_done() override { return produce_->is_answered(); }

   private:
    std::shared_ptr<Produce> produce_;
    PartitionResponse& answer_;
    std::int64_t required_;
  };

  void on_deadline() override {
    const std::lock_guard lock(mutex_);
    if (answered_) return;
    for (PartitionResponse* answer : waiting_) answer->error_code = ErrorCode::request_timed_out;
    waiting_.clear();
    answer_now();
  }

 private:
  friend void scatter<Produce>(Shards&, const ShardSet&, std::shared_ptr<Produce>,
                               void (Produce::*)(std::size_t), void (Produce::*)(), bool);

  void append_all(std::size_t shard) {
    Shards& shards = call_.services.shards;
    for (std::size_t t = 0; t < request_.topic_data.size(); ++t) {
      const auto& topic = request_.topic_data[t];
      for (std::size_t p = 0; p < topic.partition_data.size(); ++p) {
        if (shards.owner(topic.name, topic.partition_data[p].index) != shard) continue;
        append_one(topic.name, topic.partition_data[p], response_.responses[t].partition_responses[p]);
      }
    }
  }

  void append_one(const std::string& topic, const ProduceRequest::PartitionProduceData& data,
                  PartitionResponse& answer) {
    answer.base_offset = -1;
    const auto refuse = [&answer](ErrorCode error) { answer.error_code = error; };
    if (request_.acks < kAcksAll || request_.acks > kAcksLeader)
      return refuse(ErrorCode::invalid_required_acks);
    if (is_internal_topic(topic) && call_.frame.client_id != kAdminClientId)
      return refuse(ErrorCode::invalid_topic_exception);
    const bytes::Slice slice = data.records.is_null() ? bytes::Slice() : data.records.slice();
    if (const auto error = check_version(call_.version(), slice.view()); error != ErrorCode::none)
      return refuse(error);
    Replica* replica = call_.services.replicas->find(topic, data.index);
    if (replica == nullptr || replica->core.role() == replica::Role::none)
      return refuse(not_here(*image_, topic, data.index));
    if (call_.version() < kSinceBatchV2 && holds_nothing(slice.view()))
      return;  // an empty set is appended to nothing
    Appended appended = replica->append({slice.view(), request_.acks, record::Origin::client, stages_});
    answer.log_start_offset = appended.log_start;
    if (!appended.ok()) {
      refuse(appended.error);
      if (tells_nothing_else(appended.error)) answer.log_start_offset = -1;
      // Kafka words a refusal only where it names the records.
      if (!appended.record_errors.empty()) answer.error_message = std::move(appended.message);
      for (auto& error : appended.record_errors)
        answer.record_errors.push_back({error.index, std::move(error.message)});
      return;
    }
    answer.base_offset = appended.base_offset;
    answer.log_append_time_ms = appended.log_append_time;
    const std::int64_t required = appended.last_offset + 1;
    if (appended.staged) return staged_.push_back({replica->shared_from_this(), answer, required});
    acknowledge(*replica, required, answer);
  }

  // Now, or once it is safe.
  void acknowledge(Replica& replica, std::int64_t required, PartitionResponse& answer) {
    if (request_.acks == kAcksNone) return;
    if (reached(replica) >= required) {
      answer.error_code = verdict(replica);
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(&answer);
    }
    replica.wait(std::make_shared<Wait>(shared_from_this(), answer, required));
  }

  bool is_answered() {
    const std::lock_guard lock(mutex_);
    return answered_;
  }

  void replicated(PartitionResponse& answer, ErrorCode error) {
    const std::lock_guard lock(mutex_);
    const auto it = std::find(waiting_.begin(), waiting_.end(), &answer);
    if (answered_ || it == waiting_.end()) return;
    waiting_.erase(it);
    answer.error_code = error;
    if (appended_ && waiting_.empty()) answer_now();
  }

  // Every shard has appended its part; on the thread of the last. What is staged is written soon.
  void appended() {
    if (!staged_.empty()) return call_.services.replicas->staged(home_).add(shared_from_this());
    const std::lock_guard lock(mutex_);
    appended_ = true;
    if (waiting_.empty()) return answer_now();
    Shards& shards = call_.services.shards;
    const std::size_t here = shards.current();
    if (here >= shards.size()) return;
    const auto at = call_.services.clock.now() + std::chrono::milliseconds(std::max(request_.timeout_ms, 0));
    delay_shard_ = here;
    delay_id_ = call_.services.replicas->delays(here).add(at, shared_from_this());
    // What is in the log is not kept in memory as well while its followers fetch it.
    request_.topic_data.clear();
    call_.frame.body = {};
    call_.frame.client_id = {};
  }

  // The deadline would keep what is answered alive; it belongs to the thread that set it.
  void forget_deadline() {
    if (delay_id_ == 0) return;
    Services& services = call_.services;
    Delays& delays = services.replicas->delays(delay_shard_);
    if (services.shards.current() == delay_shard_) return delays.remove(delay_id_);
    services.shards.post(delay_shard_, [&delays, id = delay_id_] { delays.remove(id); });
  }

  void answer_now() {  // under the lock, by someone who holds on to this
    answered_ = true;
    forget_deadline();
    bool failed = false;
    for (auto& topic : response_.responses) {
      for (auto& answer : topic.partition_responses) {
        failed = failed || answer.error_code != ErrorCode::none;
        if (call_.version() >= kProduceSinceLeaderHint && moved(answer.error_code))
          hint_leader(*image_, call_.client->listener, topic.name, answer.index, answer, response_);
      }
    }
    if (request_.acks != kAcksNone) return call_.respond.send(response_);
    // Nobody waits for an answer: a closed connection is the only way to say that something was not appended.
    if (failed) {
      call_.respond.close();
    } else {
      call_.respond.send_nothing();
    }
  }

  struct Staged {
    std::shared_ptr<Replica> replica;
    PartitionResponse& answer;  // in response_
    std::int64_t required;
  };

  Call call_;
  ProduceRequest request_;
  ProduceResponse response_;
  MetadataCache::Image image_;
  std::size_t home_ = 0;
  bool stages_ = false;
  std::vector<Staged> staged_;  // on the thread of home_
  std::mutex mutex_;            // of what follows: shards may finish at the same time
  std::vector<PartitionResponse*> waiting_;
  bool appended_ = false;
  bool answered_ = false;
  std::size_t delay_shard_ = 0;
  std::uint64_t delay_id_ = 0;  // 0: none
};

}  // namespace

void produce(Call call, ProduceRequest request) {
  std::make_shared<Produce>(std::move(call), std::move(request))->start();
}

}  // namespace tandem::broker::api
