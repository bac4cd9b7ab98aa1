#include "tests/transcript/replica/world.h"

#include <fmt/core.h>

#include <algorithm>

namespace tandem::transcript {

namespace protocol = broker::protocol;
namespace replica = broker::replica;

using protocol::ErrorCode;
using std::chrono::milliseconds;

namespace {

constexpr std::int64_t kRecordsMax = 5;  // in one answer of the leader

ErrorCode error_named(const std::string& name) {
  for (const auto& info : protocol::all_errors()) {
    if (info.name == name) return info.code;
  }
  throw Fault(fmt::format("no error is called '{}'", name));
}

broker::zk::TopicPartition partition_of(const std::string& text) {
  const auto dash = text.rfind('-');
  if (dash == std::string::npos) throw Fault(fmt::format("'{}' is not a partition such as t-0", text));
  return {text.substr(0, dash), static_cast<std::int32_t>(number_of(text.substr(dash + 1)))};
}

// Topics are known by the first letter of their name.
protocol::Uuid id_of(const std::string& topic) {
  protocol::Uuid id;
  id.bytes.fill(static_cast<std::uint8_t>(topic.front()));
  return id;
}

std::string text_of(const protocol::FetchRequest& request, std::int16_t version) {
  std::string text =
      fmt::format("fetch v{} session {}/{}:", version, request.session_id, request.session_epoch);
  for (const auto& topic : request.topics) {
    for (const auto& wanted : topic.partitions)
      text += fmt::format(" {}-{}@{} epoch={} last={}", topic.topic, wanted.partition, wanted.fetch_offset,
                          wanted.current_leader_epoch, wanted.last_fetched_epoch);
  }
  for (const auto& topic : request.forgotten_topics_data) {
    for (const auto partition : topic.partitions)
      text += fmt::format(" forget {}-{}", topic.topic, partition);
  }
  return text;
}

std::string text_of(const protocol::OffsetForLeaderEpochRequest& request, std::int16_t version) {
  std::string text = fmt::format("epoch ends v{}:", version);
  for (const auto& topic : request.topics) {
    for (const auto& wanted : topic.partitions)
      text += fmt::format(" {}-{} epoch={} of {}", topic.topic, wanted.partition, wanted.current_leader_epoch,
                          wanted.leader_epoch);
  }
  return text;
}

std::string text_of(const protocol::ListOffsetsRequest& request, std::int16_t version) {
  std::string text = fmt::format("offsets v{}:", version);
  for (const auto& topic : request.topics) {
    for (const auto& wanted : topic.partitions)
      text += fmt::format(" {}-{} {}", topic.name, wanted.partition_index,
                          wanted.timestamp == -1 ? "latest" : "earliest");
  }
  return text;
}

}  // namespace

ReplicaWorld::ReplicaWorld() {
  options_.broker_id = 2;
  fetcher_.emplace(options_);
  on("options", [this](const Command& c) { set_options(c); });
  on("leader", [this](const Command& c) { lead(c); });
  on("follow", [this](const Command& c) { follow(c); });
  on("unfollow", [this](const Command& c) {
    fetcher_->remove(partition_of(c.word(0)), clock_.now());
    drain();
  });
  on("answer", [this](const Command&) { answer(); });
  on("lose", [this](const Command&) {
    if (!asked_) throw Fault("nothing is asked");
    fetcher_->on_lost(std::exchange(asked_, std::nullopt)->id, clock_.now());
    drain();
  });
  on("error", [this](const Command& c) { errors_[partition_of(c.word(0))] = error_named(c.word(1)); });
  on("disk", [this](const Command& c) { disk_errors_[partition_of(c.word(0))] = error_named(c.word(1)); });
  on("session-error", [this](const Command& c) { session_error_ = error_named(c.word(0)); });
  on("no-sessions", [this](const Command&) { session_id_ = 0; });
  on("pass", [this](const Command& c) { pass(c.time(0)); });
  on("show", [this](const Command& c) { say(logs_.at(partition_of(c.word(0))).text()); });
}

void ReplicaWorld::set_options(const Command& command) {
  options_.fetch_version = static_cast<std::int16_t>(command.option("fetch", options_.fetch_version));
  options_.epoch_version = static_cast<std::int16_t>(command.option("epochs", options_.epoch_version));
  fetcher_.emplace(options_);
}

void ReplicaWorld::follow(const Command& command) {
  const TopicPartition partition = partition_of(command.word(0));
  const auto epoch = static_cast<std::int32_t>(command.option("epoch", 0));
  const bool has_id = command.option("id", "yes") == "yes";
  if (!logs_.contains(partition)) logs_.emplace(partition, ModelLog(command));
  fetcher_->add(partition, has_id ? id_of(partition.topic) : protocol::Uuid{}, epoch, logs_.at(partition),
                clock_.now());
  drain();
}

void ReplicaWorld::lead(const Command& command) {
  leader_.insert_or_assign(partition_of(command.word(0)), ModelLog(command));
}

void ReplicaWorld::answer() {
  if (!asked_) throw Fault("nothing is asked");
  const auto ask = std::exchange(asked_, std::nullopt);
  auto answer = std::visit([this](const auto& request) { return reply(request); }, ask->request);
  errors_.clear();
  fetcher_->on_answer(ask->id, std::move(answer), clock_.now());
  drain();
}

void ReplicaWorld::pass(milliseconds time) {
  const auto end = clock_.now() + time;
  for (auto due = fetcher_->next_deadline(); due && *due <= end; due = fetcher_->next_deadline()) {
    clock_.advance(std::chrono::duration_cast<milliseconds>(*due - clock_.now()));
    fetcher_->on_deadline(clock_.now());
    drain();
  }
  clock_.advance(std::chrono::duration_cast<milliseconds>(end - clock_.now()));
}

void ReplicaWorld::drain() {
  for (auto effects = fetcher_->take(); !effects.empty(); effects = fetcher_->take()) {
    for (const auto& effect : effects) std::visit([this](const auto& each) { perform(each); }, effect);
  }
}

// ---- effects -------------------------------------------------------------------------------------------

void ReplicaWorld::perform(const replica::AskLeader& ask) {
  if (asked_) throw Fault("a second request is under way");
  asked_ = ask;
  say(std::visit([&](const auto& request) { return text_of(request, ask.version); }, ask.request));
}

ErrorCode ReplicaWorld::disk(const TopicPartition& partition) {
  const auto node = disk_errors_.extract(partition);
  return node.empty() ? ErrorCode::none : node.mapped();
}

void ReplicaWorld::perform(const replica::AppendFetched& append) {
  const bytes::Slice slice = append.records.slice();
  const auto parts = split(slice.view(), ':');
  const auto epoch = static_cast<std::int32_t>(number_of(parts.at(0)));
  const std::int64_t count = number_of(parts.at(1));
  const ErrorCode error = disk(append.partition);
  const bool all_deleted = append.leader_start > 0 && append.leader_start >= append.offset;
  say(fmt::format("{}: append {}..{} of epoch {}{}{}", append.partition.text(), append.offset,
                  append.offset + count - 1, epoch, all_deleted ? ", all before is deleted" : "",
                  error == ErrorCode::none ? "" : " fails"));
  if (logs_.at(append.partition).end_offset() != append.offset) throw Fault("not at the end of the log");
  if (error == ErrorCode::none) logs_.at(append.partition).append(epoch, count);
  fetcher_->on_stored(append.partition, error, clock_.now());
}

void ReplicaWorld::perform(const replica::Truncate& truncate) {
  say(fmt::format("{}: truncate to {}", truncate.partition.text(), truncate.offset));
  logs_.at(truncate.partition).truncate(truncate.offset);
  fetcher_->on_stored(truncate.partition, disk(truncate.partition), clock_.now());
}

void ReplicaWorld::perform(const replica::Restart& restart) {
  say(fmt::format("{}: empty, from {} on", restart.partition.text(), restart.offset));
  logs_.at(restart.partition).restart(restart.offset);
  fetcher_->on_stored(restart.partition, disk(restart.partition), clock_.now());
}

void ReplicaWorld::perform(const replica::Advance& advance) {
  say(fmt::format("{}: high watermark {}, log start {}", advance.partition.text(), advance.high_watermark,
                  advance.log_start));
  logs_.at(advance.partition).advance(advance.high_watermark, advance.log_start);
}

void ReplicaWorld::perform(const replica::GiveUp& given_up) {
  say(fmt::format("{}: given up, {}", given_up.partition.text(), protocol::error_info(given_up.error).name));
}

// ---- the leader ----------------------------------------------------------------------------------------

ErrorCode ReplicaWorld::error_for(const TopicPartition& partition) {
  if (const auto error = errors_.find(partition); error != errors_.end()) return error->second;
  return leader_.contains(partition) ? ErrorCode::none : ErrorCode::not_leader_or_follower;
}

void ReplicaWorld::read(const TopicPartition& partition, const protocol::FetchRequest::FetchPartition& wanted,
                        protocol::FetchResponse::PartitionData& data) {
  data.partition_index = partition.partition;
  data.error_code = error_for(partition);
  data.high_watermark = data.log_start_offset = -1;
  if (data.error_code != ErrorCode::none) return;
  const ModelLog& log = leader_.at(partition);
  data.high_watermark = log.high_watermark();
  data.log_start_offset = log.start_offset();
  if (wanted.last_fetched_epoch >= 0 && wanted.fetch_offset >= log.start_offset()) {
    const auto end = log.end_of(wanted.last_fetched_epoch);
    if (end.epoch != wanted.last_fetched_epoch || end.end_offset < wanted.fetch_offset) {
      data.diverging_epoch = end;
      return;
    }
  }
  if (wanted.fetch_offset < log.start_offset() || wanted.fetch_offset > log.end_offset()) {
    data.error_code = ErrorCode::offset_out_of_range;
    data.high_watermark = data.log_start_offset = -1;
    return;
  }
  std::int64_t end = 0;
  const std::int32_t epoch = log.epoch_at(wanted.fetch_offset, end);
  const std::int64_t count = std::min(end - wanted.fetch_offset, kRecordsMax);
  if (count > 0) data.records = protocol::Records(bytes::Slice::own(fmt::format("{}:{}", epoch, count)));
}

replica::Fetcher::Answer ReplicaWorld::reply(const protocol::FetchRequest& request) {
  protocol::FetchResponse response;
  response.error_code = std::exchange(session_error_, ErrorCode::none);
  if (response.error_code != ErrorCode::none) return response;
  if (request.session_epoch == 0) session_.clear();
  for (const auto& topic : request.forgotten_topics_data) {
    for (const auto partition : topic.partitions) session_.erase({topic.topic, partition});
  }
  for (const auto& topic : request.topics) {
    for (const auto& wanted : topic.partitions)
      session_[{topic.topic, wanted.partition}] = {topic.topic, topic.topic_id, wanted};
  }
  response.session_id = session_id_;
  for (const auto& [partition, wanted] : session_) {
    protocol::FetchResponse::PartitionData data;
    read(partition, wanted.request, data);
    const bool news = data.error_code != ErrorCode::none || data.diverging_epoch.epoch >= 0 ||
                      data.records.size() > 0 || logs_[partition].high_watermark() != data.high_watermark;
    if (request.session_epoch != 0 && !news) continue;
    auto& topic = response.responses.emplace_back();
    topic.topic = partition.topic;
    topic.topic_id = wanted.topic_id;
    topic.partitions.push_back(std::move(data));
  }
  return response;
}

replica::Fetcher::Answer ReplicaWorld::reply(const protocol::OffsetForLeaderEpochRequest& request) {
  protocol::OffsetForLeaderEpochResponse response;
  for (const auto& topic : request.topics) {
    auto& row = response.topics.emplace_back();
    row.topic = topic.topic;
    for (const auto& wanted : topic.partitions) {
      const ErrorCode error = error_for({topic.topic, wanted.partition});
      const auto end = error == ErrorCode::none
                           ? leader_.at({topic.topic, wanted.partition}).end_of(wanted.leader_epoch)
                           : replica::EpochEnd{};
      row.partitions.push_back({error, wanted.partition, end.epoch, end.end_offset});
    }
  }
  return response;
}

replica::Fetcher::Answer ReplicaWorld::reply(const protocol::ListOffsetsRequest& request) {
  protocol::ListOffsetsResponse response;
  for (const auto& topic : request.topics) {
    auto& row = response.topics.emplace_back();
    row.name = topic.name;
    for (const auto& wanted : topic.partitions) {
      auto& answer = row.partitions.emplace_back();
      answer.partition_index = wanted.partition_index;
      answer.error_code = error_for({topic.name, wanted.partition_index});
      if (answer.error_code != ErrorCode::none) continue;
      const ModelLog& log = leader_.at({topic.name, wanted.partition_index});
      answer.offset = wanted.timestamp == -1 ? log.end_offset() : log.start_offset();
    }
  }
  return response;
}

}  // namespace tandem::transcript
