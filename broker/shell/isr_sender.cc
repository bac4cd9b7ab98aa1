#include "broker/shell/isr_sender.h"

#include "broker/zk/admin.h"
#include "broker/zk/paths.h"

namespace tandem::broker::shell {

using protocol::AlterPartitionRequest;
using protocol::AlterPartitionResponse;
using protocol::ErrorCode;
using zk::TopicPartition;

namespace {

constexpr std::size_t kHomeShard = 0;

// Errors that asking again would not change; the leader has a rule for each.
bool is_final(ErrorCode error) {
  switch (error) {
    case ErrorCode::none:
    case ErrorCode::operation_not_attempted:
    case ErrorCode::ineligible_replica:
    case ErrorCode::unknown_topic_or_partition:
    case ErrorCode::unknown_topic_id:
    case ErrorCode::fenced_leader_epoch:
    case ErrorCode::invalid_update_version:
    case ErrorCode::invalid_request:
      return true;
    default:
      return false;
  }
}

AlterPartitionRequest::PartitionData row_of(const api::IsrKeeper::Ask& ask) {
  AlterPartitionRequest::PartitionData row;
  row.partition_index = ask.partition;
  row.leader_epoch = ask.change.leader_epoch;
  row.partition_epoch = ask.change.partition_epoch;
  row.leader_recovery_state = ask.change.recovery_state;
  row.new_isr = ask.change.isr;  // which of both forms goes out is a matter of the version
  for (const std::int32_t id : ask.change.isr) row.new_isr_with_epochs.push_back({id, -1});
  return row;
}

zk::PartitionState state_of(const api::IsrKeeper::Ask& ask, std::int32_t leader) {
  zk::PartitionState state;
  state.leader = leader;
  state.leader_epoch = ask.change.leader_epoch;
  state.isr = ask.change.isr;
  state.controller_epoch = ask.change.controller_epoch;
  return state;
}

}  // namespace

struct IsrSender::Home {
  Home(net::Loop& loop, std::function<void()> on_retry, std::function<void()> on_notify)
      : retry(loop, std::move(on_retry)), notify(loop, std::move(on_notify)) {}

  Batch waiting;
  bool under_way = false;
  std::set<TopicPartition> to_notify;
  net::Timer retry;
  net::Timer notify;
};

IsrSender::IsrSender(api::Shards& shards, api::ClusterControl& control, const api::Node& node,
                     IsrSenderOptions options, logging::Logger log)
    : shards_(shards),
      control_(control),
      node_(node),
      options_(options),
      log_(log),
      home_(std::make_unique<Home>(
          shards.loop(kHomeShard), [this] { send(); }, [this] { notify(); })) {}

IsrSender::~IsrSender() = default;

void IsrSender::ask(Ask ask, Answered answered) {
  shards_.post(kHomeShard, [this, asked = Asked{std::move(ask), std::move(answered)}]() mutable {
    TopicPartition key{asked.ask.topic, asked.ask.partition};
    home_->waiting.insert_or_assign(std::move(key), std::move(asked));
    send();
  });
}

void IsrSender::send() {
  if (home_->under_way || home_->waiting.empty()) return;
  home_->under_way = true;
  if (options_.through_controller) {
    ask_controller();
  } else {
    write_states();
  }
}

void IsrSender::answer(Asked& asked, ErrorCode error, replica::IsrChange now) {
  shards_.post(asked.ask.shard,
               [answered = std::move(asked.answered), error, now = std::move(now)] { answered(error, now); });
}

// What a newer question has taken the place of is dropped: its leadership is over.
void IsrSender::again(Batch& batch) {
  home_->waiting.merge(batch);
  home_->retry.set(shards_.loop(kHomeShard).clock().now() + options_.retry);
}

void IsrSender::done() {
  home_->under_way = false;
  send();
}

// ---- of the controller -----------------------------------------------------------------------------------

void IsrSender::ask_controller() {
  const auto batch = std::make_shared<Batch>(std::exchange(home_->waiting, {}));
  AlterPartitionRequest request;
  request.broker_id = node_.broker_id;
  request.broker_epoch = node_.broker_epoch;
  for (const auto& [key, asked] : *batch) {
    if (request.topics.empty() || request.topics.back().topic_name != key.topic)
      request.topics.push_back({key.topic, asked.ask.topic_id, {}});
    request.topics.back().partitions.push_back(row_of(asked.ask));
  }
  control_.tell_controller(
      std::move(request), options_.timeout, [this, batch](base::Result<api::FromController> told) {
        shards_.post(kHomeShard,
                     [this, batch, told = std::move(told)]() mutable { on_told(batch, std::move(told)); });
      });
}

void IsrSender::on_told(const std::shared_ptr<Batch>& batch, base::Result<api::FromController> told) {
  const auto* response = told ? std::get_if<AlterPartitionResponse>(&*told) : nullptr;
  if (response == nullptr || response->error_code != ErrorCode::none) {
    log_.warn("the controller did not change {} in-sync sets: {}", batch->size(),
              response == nullptr ? told.error().context : std::string(to_string(response->error_code)));
  } else {
    std::map<protocol::Uuid, std::string> names;
    for (const auto& [key, asked] : *batch) names.emplace(asked.ask.topic_id, key.topic);
    for (const auto& topic : response->topics) {
      const auto named = names.find(topic.topic_id);
      const bool by_id = !topic.topic_id.is_zero() && named != names.end();
      for (const auto& row : topic.partitions) {
        const auto at = batch->find({by_id ? named->second : topic.topic_name, row.partition_index});
        if (at == batch->end() || !is_final(row.error_code)) continue;
        answer(at->second, row.error_code,
               {row.isr, row.leader_epoch, row.partition_epoch, row.leader_recovery_state});
        batch->erase(at);
      }
    }
  }
  home_->under_way = false;
  if (!batch->empty()) return again(*batch);
  send();
}

// ---- in the tree -----------------------------------------------------------------------------------------

void IsrSender::write_states() {
  const auto batch = std::make_shared<Batch>(std::exchange(home_->waiting, {}));
  std::vector<zk::ZkOp> ops;
  for (const auto& [key, asked] : *batch)
    ops.push_back(zk::set_op(zk::partition_state_path(key),
                             zk::encode_state(state_of(asked.ask, node_.broker_id)),
                             asked.ask.change.partition_epoch));
  control_.perform(std::move(ops), [this, batch](std::vector<zk::ZkResult> results) {
    shards_.post(kHomeShard, [this, batch, results = std::move(results)] { on_written(batch, results); });
  });
}

void IsrSender::on_written(const std::shared_ptr<Batch>& batch, std::vector<zk::ZkResult> results) {
  std::vector<zk::ZkOp> reads;
  std::size_t i = 0;
  for (auto it = batch->begin(); it != batch->end() && i < results.size(); ++i) {
    if (results[i].ok()) {
      Asked& asked = it->second;
      replica::IsrChange now = asked.ask.change;
      now.partition_epoch = results[i].stat.version;
      home_->to_notify.insert(it->first);
      answer(asked, ErrorCode::none, std::move(now));
      it = batch->erase(it);
    } else {
      reads.push_back(zk::get_op(zk::partition_state_path(it->first)));
      ++it;
    }
  }
  if (!home_->to_notify.empty())
    home_->notify.set(shards_.loop(kHomeShard).clock().now() + options_.notify_after);
  if (batch->empty()) return done();
  if (reads.size() != batch->size()) {  // the session was lost
    home_->under_way = false;
    return again(*batch);
  }
  control_.perform(std::move(reads), [this, batch](std::vector<zk::ZkResult> read) {
    shards_.post(kHomeShard, [this, batch, read = std::move(read)] { on_read(batch, read); });
  });
}

// An answer that was lost leaves what was to be written; anything else is the controller's, who will tell.
void IsrSender::on_read(const std::shared_ptr<Batch>& batch, std::vector<zk::ZkResult> results) {
  std::size_t i = 0;
  for (auto it = batch->begin(); it != batch->end() && i < results.size(); ++i) {
    Asked& asked = it->second;
    const auto state = zk::decode_state(it->first, results[i].data, results[i].stat.version);
    replica::IsrChange now = asked.ask.change;
    now.partition_epoch = results[i].stat.version;
    const bool written = results[i].ok() && state && state->leader == node_.broker_id &&
                         state->leader_epoch == now.leader_epoch && state->isr == now.isr;
    if (written) home_->to_notify.insert(it->first);
    answer(asked, written ? ErrorCode::none : ErrorCode::invalid_update_version, std::move(now));
    it = batch->erase(it);
  }
  if (!home_->to_notify.empty())
    home_->notify.set(shards_.loop(kHomeShard).clock().now() + options_.notify_after);
  home_->under_way = false;
  if (!batch->empty()) return again(*batch);
  send();
}

void IsrSender::notify() {
  const auto changed = std::exchange(home_->to_notify, {});
  if (changed.empty()) return;
  zk::ZkOp note = zk::create_op(fmt::format("{}/{}", zk::kIsrChangesPath, zk::kIsrChangePrefix),
                                zk::encode_partitions({changed.begin(), changed.end()}));
  note.sequential = true;
  control_.perform({std::move(note)}, [this, changed](const std::vector<zk::ZkResult>& results) {
    if (!results.empty() && results.front().ok()) return;
    shards_.post(kHomeShard, [this, changed] {
      home_->to_notify.insert(changed.begin(), changed.end());
      home_->notify.set(shards_.loop(kHomeShard).clock().now() + options_.notify_after);
    });
  });
}

}  // namespace tandem::broker::shell
