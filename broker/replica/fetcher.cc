#include "broker/replica/fetcher.h"

#include <algorithm>

#include "broker/protocol/partition_names.h"

namespace tandem::broker::replica {

using base::Instant;
using protocol::ErrorCode;
using protocol::FetchRequest;
using protocol::FetchResponse;
using protocol::index_of;
using protocol::ListOffsetsRequest;
using protocol::name_of;
using protocol::OffsetForLeaderEpochRequest;
using zk::TopicPartition;

namespace {

constexpr std::int64_t kLatest = -1;  // as a timestamp of ListOffsets
constexpr std::int64_t kEarliest = -2;
constexpr std::int16_t kSinceTopicIds = 13;

template <class Topics>
auto& topic_row(Topics& topics, const std::string& name) {
  if (topics.empty() || name_of(topics.back()) != name) name_of(topics.emplace_back()) = name;
  return topics.back().partitions;
}

}  // namespace

// ---- what is followed ----------------------------------------------------------------------------------

void Fetcher::add(const TopicPartition& partition, const protocol::Uuid& topic_id, std::int32_t leader_epoch,
                  FollowedLog& log, Instant now, bool more) {
  Followed& followed = partitions_[partition];
  news_.insert(partition);
  followed.topic_id = topic_id;
  if (followed.log != nullptr && followed.leader_epoch == leader_epoch) return;
  followed = Followed{};
  followed.topic_id = topic_id;
  followed.leader_epoch = leader_epoch;
  followed.log = &log;
  followed.last_epoch = log.latest_epoch();
  // A log that knows no epochs can only be compared from its high watermark on.
  const bool from_end = options_.truncates_on_fetch() && followed.last_epoch;
  set_phase(partition, followed, from_end ? Phase::fetching : Phase::truncating);
  behind_.insert(partition);
  delayed_.erase(partition);
  followed.offset = from_end ? log.end_offset() : log.high_watermark();
  if (!more) step(now);
}

void Fetcher::forget(const TopicPartition& partition) {
  if (partitions_.erase(partition) == 0) return;
  news_.insert(partition);  // the leader is told
  for (Some* some : {&unready_, &behind_, &delayed_}) some->erase(partition);
}

void Fetcher::remove(const TopicPartition& partition, Instant now) {
  forget(partition);
  step(now);
}

void Fetcher::give_up(const TopicPartition& partition, ErrorCode error) {
  effects_.emplace_back(GiveUp{partition, error});
  forget(TopicPartition(partition));
}

// ---- asking --------------------------------------------------------------------------------------------

void Fetcher::set_phase(const TopicPartition& partition, Followed& followed, Phase phase) {
  followed.phase = phase;
  news_.insert(partition);
  if (phase == Phase::fetching) {
    unready_.erase(partition);
  } else {
    unready_.insert(partition);
  }
}

void Fetcher::end_delays(Instant now) {
  std::erase_if(delayed_, [&](const TopicPartition& partition) {
    Followed& followed = partitions_.at(partition);
    if (followed.delayed_until && *followed.delayed_until > now) return false;
    followed.delayed_until.reset();
    news_.insert(partition);
    return true;
  });
}

void Fetcher::step(Instant now) {
  end_delays(now);
  if (pending_ != 0 || !storing_.empty()) return;
  asked_.clear();
  fetching_ = false;
  if (ask_epochs() || !storing_.empty() || ask_bounds()) return;
  ask_records(now);
}

template <class Request>
void Fetcher::ask(std::int16_t version, Request request) {
  pending_ = ++last_id_;
  effects_.emplace_back(AskLeader{pending_, version, std::move(request)});
}

// Where the logs part, of every partition whose log knows its last epoch; the others are cut at once.
bool Fetcher::ask_epochs() {
  OffsetForLeaderEpochRequest request;
  request.replica_id = options_.broker_id;
  for (const auto& partition : unready_) {
    Followed& followed = partitions_.at(partition);
    if (followed.phase != Phase::truncating || followed.delayed_until) continue;
    followed.last_epoch = followed.log->latest_epoch();
    if (!followed.last_epoch) {
      cut(partition, followed, {followed.offset, true});
      continue;
    }
    topic_row(request.topics, partition.topic)
        .push_back({partition.partition, followed.leader_epoch, *followed.last_epoch});
    asked_[partition] = asked_of(followed);
  }
  if (!storing_.empty()) asked_.clear();  // first what is under way
  if (asked_.empty()) return false;
  ask(options_.epoch_version, std::move(request));
  return true;
}

bool Fetcher::ask_bounds() {
  ListOffsetsRequest request;
  request.replica_id = options_.broker_id;
  for (const auto& partition : unready_) {
    Followed& followed = partitions_.at(partition);
    const bool wanted = followed.phase == Phase::out_of_range || followed.phase == Phase::behind;
    if (!wanted || followed.delayed_until) continue;
    topic_row(request.topics, partition.topic)
        .push_back({.partition_index = partition.partition,
                    .current_leader_epoch = followed.leader_epoch,
                    .timestamp = followed.phase == Phase::behind ? kEarliest : kLatest});
    asked_[partition] = asked_of(followed);
  }
  if (asked_.empty()) return false;
  ask(options_.list_offsets_version, std::move(request));
  return true;
}

// Tells the session what is to be fetched of the partition, or that nothing is.
void Fetcher::want(const TopicPartition& partition, Instant now) {
  const auto at = partitions_.find(partition);
  if (at == partitions_.end()) return session_.drop(partition);
  Followed& followed = at->second;
  followed.fetched.reset();
  // One that lacks nothing is in sync, and stays so.
  const bool ready = followed.phase == Phase::fetching && !followed.delayed_until;
  if (ready && followed.lag != 0 && followed.log->throttled()) delay(at->first, followed, now);
  if (!ready || followed.delayed_until) return session_.drop(partition);
  WantedPartition row;
  row.topic = partition.topic;
  row.topic_id = followed.topic_id;
  row.request.partition = partition.partition;
  row.request.current_leader_epoch = followed.leader_epoch;
  row.request.fetch_offset = followed.offset;
  if (options_.truncates_on_fetch()) row.request.last_fetched_epoch = followed.last_epoch.value_or(-1);
  row.request.log_start_offset = followed.log->start_offset();
  row.request.durable_offset = followed.log->durable_offset();
  row.request.partition_max_bytes = options_.partition_bytes_max;
  session_.want(std::move(row));
  followed.fetched = asked_of(followed);
}

// The start of a log moves by its own retention, too, which nobody tells: some are looked at each time.
void Fetcher::sweep() {
  constexpr std::size_t kEach = 4;
  for (std::size_t i = 0; i < std::min(kEach, partitions_.size()); ++i) {
    auto next = partitions_.upper_bound(swept_);
    if (next == partitions_.end()) next = partitions_.begin();
    swept_ = next->first;
    news_.insert(swept_);
  }
}

void Fetcher::ask_records(Instant now) {
  sweep();
  const Some news = std::exchange(news_, std::exchange(later_, {}));
  for (const auto& partition : news) want(partition, now);
  for (const auto& partition : behind_) {
    if (!news.contains(partition) && partitions_.at(partition).log->throttled()) want(partition, now);
  }
  if (session_.wanted() == 0) return;
  fetching_ = true;
  const bool by_topic_id = options_.fetch_version >= kSinceTopicIds && session_.have_ids();
  const std::int16_t version = by_topic_id
                                   ? options_.fetch_version
                                   : std::min<std::int16_t>(options_.fetch_version, kSinceTopicIds - 1);
  FetchRequest request;
  // Later versions have the one field, earlier ones the other.
  request.replica_id = options_.broker_id;
  request.replica_state.replica_id = options_.broker_id;
  request.max_wait_ms = options_.wait_ms_max;
  request.min_bytes = options_.bytes_min;
  request.max_bytes = options_.response_bytes_max;
  session_.build(by_topic_id, request);
  ask(version, std::move(request));
}

// ---- answers -------------------------------------------------------------------------------------------

std::optional<Fetcher::Asked> Fetcher::asked_of(const TopicPartition& partition,
                                                const Followed& followed) const {
  if (fetching_) return followed.fetched;
  const auto asked = asked_.find(partition);
  return asked == asked_.end() ? std::nullopt : std::optional(asked->second);
}

Fetcher::Followed* Fetcher::still_asked(const TopicPartition& partition) {
  const auto it = partitions_.find(partition);
  if (it == partitions_.end()) return nullptr;
  return asked_of(partition, it->second) == asked_of(it->second) ? &it->second : nullptr;
}

void Fetcher::on_answer(std::uint64_t id, Answer answer, Instant now) {
  if (id != pending_) return;
  pending_ = 0;
  if (auto* records = std::get_if<FetchResponse>(&answer)) {
    on_records(std::move(*records), now);
  } else if (const auto* epochs = std::get_if<protocol::OffsetForLeaderEpochResponse>(&answer)) {
    on_epochs(*epochs, now);
  } else {
    on_bounds(std::get<protocol::ListOffsetsResponse>(answer), now);
  }
  step(now);
}

void Fetcher::on_lost(std::uint64_t id, Instant now) {
  if (id != pending_) return;
  pending_ = 0;
  session_.on_lost();
  delay_all_asked(now);
  step(now);
}

bool Fetcher::interrupt(Instant now) {
  if (pending_ == 0 || !storing_.empty()) return false;
  const bool waits = std::any_of(partitions_.begin(), partitions_.end(), [&](const auto& each) {
    return !each.second.delayed_until && asked_of(each.first, each.second) != asked_of(each.second);
  });
  if (!waits) return false;
  pending_ = 0;
  session_.on_lost();
  step(now);
  return true;
}

void Fetcher::on_records(FetchResponse response, Instant now) {
  switch (session_.accept(response)) {
    case FollowSession::Verdict::good:
      break;
    case FollowSession::Verdict::again:
      return;
    case FollowSession::Verdict::not_known:
      return delay_all_asked(now);
  }
  for (auto& topic : response.responses) {
    for (auto& data : topic.partitions) {
      const TopicPartition partition = session_.named(topic, data.partition_index);
      Followed* followed = still_asked(partition);
      if (followed != nullptr) on_partition(partition, *followed, std::move(data), now);
    }
  }
}

void Fetcher::on_partition(const TopicPartition& partition, Followed& followed,
                           FetchResponse::PartitionData data, Instant now) {
  if (data.error_code == ErrorCode::offset_out_of_range) {
    return set_phase(partition, followed, Phase::out_of_range);
  }
  if (data.error_code != ErrorCode::none) return on_error(partition, followed, data.error_code, now);
  followed.soon = 0;
  if (options_.truncates_on_fetch() && data.diverging_epoch.epoch >= 0)
    return cut(partition, followed, truncation_for(*followed.log, data.diverging_epoch, followed.offset));
  followed.then = {partition, data.high_watermark, data.log_start_offset};
  set_lag(partition, followed, data.high_watermark);
  if (data.records.is_null() || data.records.size() == 0) return advance(followed);
  followed.storing = Storing::records;
  storing_.insert(partition);
  effects_.emplace_back(
      AppendFetched{partition, followed.offset, data.log_start_offset, std::move(data.records)});
}

// Every partition that was asked about and still is as it was: its row, or a delay where it has none.
template <class Topics, class OnRow>
void Fetcher::each_row(const Topics& topics, Instant now, OnRow on_row) {
  std::set<TopicPartition> unanswered;
  for (const auto& [partition, asked] : asked_) unanswered.insert(partition);
  for (const auto& topic : topics) {
    for (const auto& row : topic.partitions) {
      const TopicPartition partition{name_of(topic), index_of(row)};
      unanswered.erase(partition);
      Followed* followed = still_asked(partition);
      if (followed == nullptr) continue;
      if (row.error_code != ErrorCode::none) {
        on_error(partition, *followed, row.error_code, now);
      } else {
        on_row(partition, *followed, row);
      }
    }
  }
  for (const auto& partition : unanswered) {
    if (Followed* followed = still_asked(partition)) delay(partition, *followed, now);
  }
}

void Fetcher::on_epochs(const protocol::OffsetForLeaderEpochResponse& response, Instant now) {
  each_row(response.topics, now,
           [this](const TopicPartition& partition, Followed& followed, const auto& end) {
             cut(partition, followed,
                 truncation_for(*followed.log, {end.leader_epoch, end.end_offset}, followed.offset));
           });
}

void Fetcher::on_bounds(const protocol::ListOffsetsResponse& response, Instant now) {
  each_row(response.topics, now,
           [this](const TopicPartition& partition, Followed& followed, const auto& bound) {
             if (followed.phase == Phase::out_of_range) {
               on_leader_end(partition, followed, bound.offset);
             } else {
               on_leader_start(partition, followed, bound.offset);
             }
           });
}

// A leader whose log ends before this one was elected uncleanly: what it does not have goes.
void Fetcher::on_leader_end(const TopicPartition& partition, Followed& followed, std::int64_t leader_end) {
  if (leader_end < followed.log->end_offset()) return cut(partition, followed, {leader_end, true});
  set_phase(partition, followed, Phase::behind);
}

// The leader has deleted what this log would need next, or this one was made anew.
void Fetcher::on_leader_start(const TopicPartition& partition, Followed& followed,
                              std::int64_t leader_start) {
  if (leader_start <= followed.log->end_offset()) return go_on(partition, followed);
  followed.storing = Storing::cut;
  storing_.insert(partition);
  effects_.emplace_back(Restart{partition, leader_start});
}

void Fetcher::on_error(const TopicPartition& partition, Followed& followed, ErrorCode error, Instant now) {
  // Another leader is there; the controller is about to tell.
  if (error == ErrorCode::fenced_leader_epoch) return give_up(partition, error);
  switch (error) {
    case ErrorCode::not_leader_or_follower:
    case ErrorCode::unknown_leader_epoch:
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::unknown_topic_id:
      return ask_soon(partition, followed, now);
    default:
      return delay(partition, followed, now);
  }
}

// The controller told this broker first: the leader hears it within moments, and acks=all waits for both.
void Fetcher::ask_soon(const TopicPartition& partition, Followed& followed, Instant now) {
  constexpr base::milliseconds kFirst{10};
  constexpr std::uint32_t kDoublings = 7;
  const base::Duration wait = kFirst * (1 << std::min(followed.soon, kDoublings));
  ++followed.soon;
  delay(partition, followed, std::min<base::Duration>(wait, options_.backoff), now);
}

// ---- the log -------------------------------------------------------------------------------------------

void Fetcher::cut(const TopicPartition& partition, Followed& followed, const Truncation& truncation) {
  followed.storing = truncation.settled ? Storing::cut : Storing::unsettled_cut;
  storing_.insert(partition);
  effects_.emplace_back(Truncate{partition, truncation.offset});
}

void Fetcher::on_stored(const TopicPartition& partition, ErrorCode error, Instant now) {
  storing_.erase(partition);
  const auto it = partitions_.find(partition);
  if (it != partitions_.end() && it->second.storing != Storing::nothing) {
    Followed& followed = it->second;
    const Storing stored = std::exchange(followed.storing, Storing::nothing);
    if (error == ErrorCode::corrupt_message || error == ErrorCode::kafka_storage_error) {
      delay(partition, followed, now);  // on the way here, or a directory that comes back
    } else if (error != ErrorCode::none) {
      give_up(partition, error);
    } else {
      const bool ask_again = stored == Storing::unsettled_cut && !options_.truncates_on_fetch();
      if (stored == Storing::records) {
        set_lag(partition, followed, followed.then.high_watermark);
        advance(followed);
      }
      go_on(partition, followed);
      if (ask_again) set_phase(partition, followed, Phase::truncating);
    }
  }
  step(now);
}

// From the log's end, whatever was done to it.
void Fetcher::go_on(const TopicPartition& partition, Followed& followed) {
  set_phase(partition, followed, Phase::fetching);
  followed.offset = followed.log->end_offset();
  followed.last_epoch = followed.log->latest_epoch();
}

void Fetcher::advance(Followed& followed) {
  Advance then = followed.then;
  then.high_watermark = std::min(then.high_watermark, followed.log->end_offset());
  then.log_start = std::min(std::max(then.log_start, followed.log->start_offset()), then.high_watermark);
  if (then.log_start > followed.log->start_offset()) later_.insert(then.partition);
  effects_.emplace_back(std::move(then));
}

void Fetcher::set_lag(const TopicPartition& partition, Followed& followed, std::int64_t high_watermark) {
  followed.lag = std::max<std::int64_t>(0, high_watermark - followed.log->end_offset());
  if (followed.lag == 0) {
    behind_.erase(partition);
  } else {
    behind_.insert(partition);
  }
}

void Fetcher::delay(const TopicPartition& partition, Followed& followed, base::Duration time, Instant now) {
  followed.delayed_until = now + time;
  delayed_.insert(partition);
  news_.insert(partition);
}

void Fetcher::delay_all_asked(Instant now) {
  for (auto& [partition, followed] : partitions_) {
    if (still_asked(partition) != nullptr) delay(partition, followed, now);
  }
}

std::optional<Instant> Fetcher::next_deadline() const {
  std::optional<Instant> next;
  for (const auto& partition : delayed_) {
    const auto& until = partitions_.at(partition).delayed_until;
    if (until && (!next || *until < *next)) next = until;
  }
  return next;
}

}  // namespace tandem::broker::replica
