#include <algorithm>
#include <mutex>

#include "broker/api/handlers.h"
#include "broker/api/metadata_cache.h"
#include "broker/api/on_owners.h"
#include "broker/api/partition_errors.h"
#include "broker/api/replicas.h"

namespace tandem::broker::api {

namespace {

using protocol::DeleteRecordsRequest;
using protocol::DeleteRecordsResponse;
using protocol::ErrorCode;
using RecordsAnswer = DeleteRecordsResponse::DeleteRecordsPartitionResult;

constexpr std::int64_t kUpToHighWatermark = -1;

// One DeleteRecords: the leaders' logs begin later at once; the answer waits until those of the replicas that
// are alive do as well, or until the time is over, as in Kafka.
class Deletion final : public Delayed, public std::enable_shared_from_this<Deletion> {
 public:
  Deletion(Call call, DeleteRecordsRequest request)
      : call_(std::move(call)), request_(std::move(request)), image_(call_.services.metadata.image()) {}

  void begin() {
    Shards& shards = call_.services.shards;
    response_.topics.resize(request_.topics.size());
    std::vector<OwnedJob> jobs;
    for (std::size_t t = 0; t < request_.topics.size(); ++t) {
      const auto& topic = request_.topics[t];
      auto& answers = response_.topics[t];
      answers.name = topic.name;
      answers.partitions.resize(topic.partitions.size());
      for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
        const auto& wanted = topic.partitions[p];
        auto& answer = answers.partitions[p];
        jobs.push_back({shards.owner(topic.name, wanted.partition_index),
                        [this, &topic, &wanted, &answer] { delete_one(topic.name, wanted, answer); }});
      }
    }
    on_owners(shards, std::move(jobs), [self = shared_from_this()] { self->all_begun(); });
  }

  void on_deadline() override {
    const std::lock_guard lock(mutex_);
    if (answered_) return;
    for (RecordsAnswer* answer : waiting_) answer->error_code = ErrorCode::request_timed_out;
    answer_now();
  }

 private:
  class Wait final : public Waiter {
   public:
    Wait(std::shared_ptr<Deletion> deletion, RecordsAnswer& answer, std::int64_t required)
        : deletion_(std::move(deletion)), answer_(answer), required_(required) {}

    bool on_change(Replica& replica) override {
      ErrorCode error = replica.core.check_leader();
      if (error == ErrorCode::none && replica.log->failed()) error = ErrorCode::kafka_storage_error;
      const std::int64_t low = deletion_->low_watermark(replica);
      if (error == ErrorCode::none && low < required_) return is_done();
      deletion_->deleted(answer_, error, low);
      return true;
    }
    bool is_done() override {
      const std::lock_guard lock(deletion_->mutex_);
      return deletion_->answered_;
    }

   private:
    std::shared_ptr<Deletion> deletion_;
    RecordsAnswer& answer_;
    std::int64_t required_;
  };

  void delete_one(const std::string& topic, const DeleteRecordsRequest::DeleteRecordsPartition& wanted,
                  RecordsAnswer& answer) {
    answer.partition_index = wanted.partition_index;
    answer.low_watermark = -1;
    if (is_internal_topic(topic)) {
      answer.error_code = ErrorCode::invalid_topic_exception;
      return;
    }
    Replica* replica = call_.services.replicas->find(topic, wanted.partition_index);
    if (replica == nullptr || replica->core.role() == replica::Role::none) {
      answer.error_code = not_here(*image_, topic, wanted.partition_index);
      return;
    }
    std::int64_t offset = wanted.offset;
    answer.error_code = delete_before(*replica, offset);
    if (answer.error_code != ErrorCode::none) return;
    answer.low_watermark = low_watermark(*replica);
    if (answer.low_watermark >= offset) return;
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(&answer);
    }
    replica->wait(std::make_shared<Wait>(shared_from_this(), answer, offset));
  }

  static ErrorCode delete_before(Replica& replica, std::int64_t& offset) {
    if (const auto error = replica.core.check_leader(); error != ErrorCode::none) return error;
    if (replica.log->failed()) return ErrorCode::kafka_storage_error;
    // Records of a topic that is only compacted are superseded, never cut off.
    if (!replica.log->config().cleanup_delete) return ErrorCode::policy_violation;
    if (offset == kUpToHighWatermark) offset = replica.core.high_watermark();
    if (offset < 0 || offset > replica.core.high_watermark()) return ErrorCode::offset_out_of_range;
    if (const auto status = replica.log->advance_start(offset); !status) {
      replica.owner.on_log_failure(replica, status.error());
      return ErrorCode::kafka_storage_error;
    }
    replica.changed();
    return ErrorCode::none;
  }

  std::int64_t low_watermark(const Replica& replica) const {
    const auto image = call_.services.metadata.image();
    return replica.core.low_watermark(replica.ends(),
                                      [&](std::int32_t id) { return image->broker(id) != nullptr; });
  }

  void deleted(RecordsAnswer& answer, ErrorCode error, std::int64_t low_watermark) {
    const std::lock_guard lock(mutex_);
    const auto it = std::find(waiting_.begin(), waiting_.end(), &answer);
    if (answered_ || it == waiting_.end()) return;
    waiting_.erase(it);
    answer.error_code = error;
    answer.low_watermark = low_watermark;
    if (begun_ && waiting_.empty()) answer_now();
  }

  // Every shard has done its part; on the thread of the last.
  void all_begun() {
    const std::lock_guard lock(mutex_);
    begun_ = true;
    if (waiting_.empty()) return answer_now();
    Shards& shards = call_.services.shards;
    const std::size_t here = shards.current();
    if (here >= shards.size()) return;
    const auto at = call_.received + std::chrono::milliseconds(std::max(request_.timeout_ms, 0));
    call_.services.replicas->delays(here).add(at, shared_from_this());
  }

  // Under the lock. The deadline comes to nothing then; it is minutes away at most.
  void answer_now() {
    answered_ = true;
    waiting_.clear();
    call_.respond.send(response_);
  }

  Call call_;
  DeleteRecordsRequest request_;
  DeleteRecordsResponse response_;
  MetadataCache::Image image_;
  std::mutex mutex_;  // of what follows: shards may finish at the same time
  std::vector<RecordsAnswer*> waiting_;
  bool begun_ = false;
  bool answered_ = false;
};

}  // namespace

void delete_records(Call call, DeleteRecordsRequest request) {
  std::make_shared<Deletion>(std::move(call), std::move(request))->begin();
}

}  // namespace tandem::broker::api
