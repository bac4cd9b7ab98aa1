#include "broker/api/fetch_read.h"

#include <algorithm>

#include "broker/api/partition_errors.h"
#include "broker/record/convert.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::FetchResponse;

constexpr std::int16_t kSinceBatches = 4;  // older versions take messages v0 (0, 1) or v1 (2, 3)
constexpr std::int16_t kSinceZstd = 10;
constexpr std::int16_t kSinceFollowerFetch = 11;
constexpr std::int32_t kConsumer = -1;
constexpr std::uint64_t kConvertBytesMax = std::uint64_t{64} << 20;  // read into memory for one conversion

void fail(FetchItem& item, ErrorCode error) {
  item.data.error_code = error;
  item.data.high_watermark = -1;
  // Kafka says "none" where it does not know the partition, and null where it has the log.
  if (error == ErrorCode::unknown_topic_or_partition || error == ErrorCode::unknown_topic_id)
    item.data.aborted_transactions.emplace();
}

ErrorCode check(const Replica& replica, const FetchRules& rules, const FetchItem& item) {
  const auto& request = item.wanted.request;
  if (replica.log->failed()) return ErrorCode::kafka_storage_error;
  const bool leader_only =
      rules.replica_id >= 0 || (rules.replica_id == kConsumer && rules.version < kSinceFollowerFetch);
  if (leader_only) {
    if (const auto error = replica.core.check_leader(request.current_leader_epoch); error != ErrorCode::none)
      return error;
  } else if (const auto error = replica.core.check_epoch(request.current_leader_epoch);
             error != ErrorCode::none) {
    return error;
  }
  // Its leader knows all of its replicas: with an epoch that was right this one is none.
  if (rules.replica_id >= 0 && !replica.core.is_follower(rules.replica_id))
    return request.current_leader_epoch >= 0 ? ErrorCode::unknown_topic_or_partition
                                             : ErrorCode::not_leader_or_follower;
  if (!item.wanted.topic_id.is_zero() && replica.log->topic_id() &&
      *replica.log->topic_id() != item.wanted.topic_id)
    return ErrorCode::inconsistent_topic_id;
  if (rules.version < kSinceZstd && replica.log->config().compression == record::Codec::zstd)
    return ErrorCode::unsupported_compression_type;
  return ErrorCode::none;
}

// KIP-595: tells the reader where its log parts from this one. True when it does.
bool diverges(Replica& replica, FetchItem& item) {
  const auto& request = item.wanted.request;
  if (request.last_fetched_epoch < 0) return false;
  const auto end = replica.log->epochs().end_of(request.last_fetched_epoch, replica.log->end_offset());
  if (end.epoch < 0) {
    fail(item, ErrorCode::offset_out_of_range);
    return true;
  }
  if (end.epoch == request.last_fetched_epoch && end.end_offset >= request.fetch_offset) return false;
  item.data.diverging_epoch = {end.epoch, end.end_offset};
  return true;
}

// For clients that know no batches: the range's bytes as messages of their format.
void convert(const Replica& replica, const FetchRules& rules, FetchItem& item, const log::ReadRange& range) {
  if (!replica.log->config().downconversion_enable) return fail(item, ErrorCode::unsupported_version);
  std::string stored(std::min(range.size, kConvertBytesMax), '\0');
  const auto got = range.file->pread(range.position, stored);
  if (!got) return fail(item, ErrorCode::kafka_storage_error);
  stored.resize(*got);
  const std::int8_t magic = rules.version < 2 ? 0 : 1;
  auto converted = record::down_convert(stored, magic, item.wanted.request.fetch_offset);
  if (!converted)
    return fail(item, converted.error().code == base::Errc::unsupported
                          ? ErrorCode::unsupported_compression_type
                          : ErrorCode::corrupt_message);
  auto fitted = record::fit_converted(std::move(*converted), stored.size());
  item.data.records = protocol::Records(bytes::Slice::own(std::move(fitted)));
}

void add_aborted(Replica& replica, FetchItem& item, std::int64_t end) {
  auto& out = item.data.aborted_transactions.emplace();
  const auto aborted = replica.log->aborted_in(item.wanted.request.fetch_offset, end);
  if (!aborted) return;
  for (const auto& txn : *aborted) out.push_back({txn.producer_id, txn.first_offset});
}

// KIP-392: a replica in the consumer's rack, where this leader is not in it itself.
std::optional<std::int32_t> nearer(const Replicas& replicas, const replica::ClusterImage& image,
                                   const FetchRules& rules, const Replica& replica, std::int64_t offset) {
  if (rules.rack.empty() || rules.replica_id >= 0 || !replica.core.is_leader()) return std::nullopt;
  std::vector<std::int32_t> near;
  for (const std::int32_t id : replica.core.state().replicas) {
    const auto* broker = image.broker(id);
    if (broker == nullptr || broker->rack != rules.rack) continue;
    if (id == replica.core.leader()) return std::nullopt;
    if (broker->endpoint(std::string(rules.listener)) != nullptr) near.push_back(id);
  }
  return near.empty() ? std::nullopt : replica.core.reader_choice(near, offset, replicas.clock().now());
}

// Followers that are in sync are not held back: acknowledgements wait for them.
bool throttles(const Replicas& replicas, const Replica& replica, std::int32_t follower) {
  if (!replica.throttled_leader() || !replicas.quotas().exceeded(Throttle::leader)) return false;
  const auto& isr = replica.core.state().isr;
  return std::find(isr.begin(), isr.end(), follower) == isr.end();
}

// True when the consumer is sent elsewhere: it gets the offsets, no records.
bool send_to(std::optional<std::int32_t> preferred, const Replica& replica, FetchItem& item) {
  if (!preferred) return false;
  item.data.preferred_read_replica = *preferred;
  item.data.high_watermark = replica.core.high_watermark();
  item.data.last_stable_offset = replica.last_stable_offset();
  item.data.log_start_offset = replica.log->start_offset();
  return true;
}

void read_log(Replica& replica, const FetchRules& rules, FetchItem& item, std::uint64_t bytes_left,
              bool min_one) {
  const auto& request = item.wanted.request;
  const std::int64_t end = visible_end(replica, rules);
  item.seen_end = end;
  item.data.high_watermark = replica.core.high_watermark();
  item.data.last_stable_offset = replica.last_stable_offset();
  item.data.log_start_offset = replica.log->start_offset();
  // A reader that is ahead is told where the logs part before it is told that it is out of range.
  if (request.fetch_offset >= replica.log->start_offset() && diverges(replica, item)) return;
  if (request.fetch_offset < replica.log->start_offset() ||
      request.fetch_offset > replica.log->end_offset()) {
    item.data.last_stable_offset = item.data.log_start_offset = -1;
    return fail(item, ErrorCode::offset_out_of_range);
  }
  if (item.throttled) return;
  const auto wanted = static_cast<std::uint64_t>(std::max(0, request.partition_max_bytes));
  const std::uint64_t limit = std::min(wanted, bytes_left);
  if (limit == 0 && !min_one) return;
  auto range = replica.log->read(request.fetch_offset, limit, end, min_one);
  if (!range && range.error().code == base::Errc::corrupt) {
    replica.owner.on_damage(replica, request.fetch_offset, range.error());
    return fail(item, replica.log->failed() || !replica.core.is_leader() ? ErrorCode::kafka_storage_error
                                                                         : ErrorCode::corrupt_message);
  }
  if (!range) {
    replica.owner.on_log_failure(replica, range.error());
    return fail(item, ErrorCode::kafka_storage_error);
  }
  if (rules.committed && rules.replica_id < 0) add_aborted(replica, item, end);
  if (range->size == 0) return;
  item.gave_data = true;
  if (rules.version < kSinceBatches) return convert(replica, rules, item, *range);
  const int fd = range->file->fd();
  item.data.records =
      protocol::Records(bytes::FileRange{std::move(range->file), fd, range->position, range->size});
}

// A follower that has all that is there, and to which nothing is to be told.
void rest_or_not(Replica& replica, const FetchRules& rules, FetchItem& item) {
  if (item.resting == nullptr || item.gave_data || item.throttled) return;
  const bool told = !item.told.error && item.told.high_watermark == item.data.high_watermark &&
                    item.told.log_start_offset == item.data.log_start_offset;
  const std::int64_t end = replica.log->end_offset();
  if (!told || item.wanted.request.fetch_offset != end || !replica.core.rests(rules.replica_id)) return;
  item.rests = true;
  item.resting->rest(replica, end);
}

}  // namespace

std::int64_t visible_end(const Replica& replica, const FetchRules& rules) {
  if (rules.replica_id != -1) return replica.log->end_offset();  // followers and debuggers see everything
  return replica.visible_end(rules.committed);
}

void read_partition(Replicas& replicas, const replica::ClusterImage& image, const FetchRules& rules,
                    FetchItem& item, std::uint64_t bytes_left, bool min_one,
                    const std::shared_ptr<const replica::FetchPulse>& pulse) {
  item.data = {};
  item.rests = false;
  item.data.partition_index = item.wanted.request.partition;
  item.gave_data = false;
  if (item.wanted.topic.empty())
    return fail(item, rules.version >= kSinceTopicIds ? ErrorCode::unknown_topic_id
                                                      : ErrorCode::unknown_topic_or_partition);
  Replica* replica = replicas.find(item.wanted.topic, item.wanted.request.partition);
  if (replica == nullptr || replica->core.role() == replica::Role::none)
    return fail(item, not_here(image, item.wanted.topic, item.wanted.request.partition));
  if (const auto error = check(*replica, rules, item); error != ErrorCode::none) return fail(item, error);
  item.seen_epoch = replica->core.leader_epoch();
  item.throttled = rules.replica_id >= 0 && throttles(replicas, *replica, rules.replica_id);
  if (send_to(nearer(replicas, image, rules, *replica, item.wanted.request.fetch_offset), *replica, item))
    return;
  read_log(*replica, rules, item, bytes_left, min_one);
  if (rules.replica_id < 0) return;
  if (replica->throttled_leader()) replicas.quotas().record(Throttle::leader, item.data.records.size());
  // Only what agrees with this log is progress.
  if (item.data.error_code != ErrorCode::none || item.data.diverging_epoch.epoch >= 0) return;
  const auto& request = item.wanted.request;
  if (!rules.again) {
    replicas.on_follower_fetch(
        *replica, rules.replica_id,
        {request.fetch_offset, request.log_start_offset, image.broker(rules.replica_id) != nullptr,
         request.durable_offset < 0 ? replica::kAllDurable : request.durable_offset, pulse});
    item.data.high_watermark = item.seen_high_watermark = replica->core.high_watermark();
  }
  rest_or_not(*replica, rules, item);
}

}  // namespace tandem::broker::api
