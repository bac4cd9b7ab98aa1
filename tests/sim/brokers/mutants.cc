#include "tests/sim/brokers/mutants.h"

#include "broker/protocol/messages/alter_partition.h"
#include "broker/protocol/messages/fetch.h"
#include "broker/protocol/messages/init_producer_id.h"
#include "broker/protocol/messages/join_group.h"
#include "broker/protocol/messages/leader_and_isr.h"
#include "broker/protocol/messages/offset_commit.h"
#include "broker/protocol/messages/offset_for_leader_epoch.h"
#include "broker/protocol/messages/sync_group.h"
#include "broker/record/batch.h"
#include "broker/zk/paths.h"

namespace tandem::sim::brokers {

namespace protocol = broker::protocol;
namespace record = broker::record;
using protocol::ApiKey;

namespace {

constexpr std::size_t kFrameSize = 4;
constexpr double kLeftOut = 0.2;
constexpr double kUnheard = 0.2;

bytes::Slice body_of(const std::string& frame) { return bytes::Slice::own(frame.substr(kFrameSize)); }

bool of_follower(const protocol::FetchRequest& request) {
  return request.replica_id >= 0 || request.replica_state.replica_id >= 0;
}

}  // namespace

bool parse_mutant(std::string_view text, BrokerMutant& mutant) {
  for (std::size_t i = 0; i < kBrokerMutants.size(); ++i) {
    if (text != kBrokerMutants[i]) continue;
    mutant = static_cast<BrokerMutant>(i);
    return true;
  }
  return false;
}

DiskLies Mutation::lies() const {
  DiskLies lies;
  lies.no_file_syncs = is(BrokerMutant::no_file_syncs);
  lies.forgiven_syncs = is(BrokerMutant::forgiven_syncs);
  lies.no_directory_syncs = is(BrokerMutant::no_directory_syncs);
  return lies;
}

// ---- the tree
// ----------------------------------------------------------------------------------------------

void Mutation::written(zksession::Op& op) const {
  using zksession::OpCode;
  for (auto& part : op.ops) {
    if (part.code == OpCode::set_data && part.path == broker::zk::kControllerEpochPath &&
        is(BrokerMutant::unraised_epoch)) {
      zksession::Op check = zksession::Op::check(part.path, -1);
      part = check;
    }
    if (part.code == OpCode::check && part.path == broker::zk::kControllerEpochPath &&
        is(BrokerMutant::unfenced_controller))
      part.version = -1;
    written(part);
  }
  if (op.code == OpCode::set_data && op.path.ends_with("/state") && is(BrokerMutant::unchecked_writes))
    op.version = -1;
  if (op.code != OpCode::create || op.mode != jute::CreateMode::ephemeral) return;
  const bool office = op.path == broker::zk::kControllerPath;
  if (is(office ? BrokerMutant::kept_office : BrokerMutant::kept_registration))
    op.mode = jute::CreateMode::persistent;
}

bool Mutation::heard(const std::string&) { return !is(BrokerMutant::lost_news) || !random_.chance(kUnheard); }

// ---- connections
// -------------------------------------------------------------------------------------------

std::string Mutation::sent(std::uint64_t connection, int end, int to, std::string bytes) {
  if (mutant_ == BrokerMutant::none) return bytes;
  auto& asked = asked_[connection];
  std::string out;
  for (std::string_view rest = bytes; rest.size() >= kFrameSize;) {
    const auto size =
        static_cast<std::size_t>(broker::record::load_be<std::int32_t>(rest.data())) + kFrameSize;
    const std::string frame(rest.substr(0, size));
    rest.remove_prefix(std::min(size, rest.size()));
    if (end == 0) {
      out += request(asked, to, frame);
    } else if (asked.empty()) {
      out += frame;
    } else {
      out += answer(asked.front(), frame);
      asked.pop_front();
    }
  }
  return out;
}

template <class Message, class Edit>
std::string Mutation::edited_request(const protocol::RequestFrame& frame, Edit edit) const {
  Message message;
  if (!protocol::decode_into(message, frame)) return {};
  edit(message);
  return protocol::encode_request(frame.version, frame.correlation_id, frame.client_id, message);
}

template <class Message, class Edit>
std::string Mutation::edited_answer(const Asked& asked, const std::string& frame, Edit edit) const {
  const auto response = protocol::read_response(body_of(frame), asked.key, asked.version);
  if (!response) return frame;
  auto message = protocol::decode<Message>(response->body, asked.version);
  if (!message) return frame;
  edit(*message);
  return protocol::encode_response(asked.version, response->correlation_id, *message).flatten();
}

std::string Mutation::request(std::deque<Asked>& asked, int to, const std::string& frame) {
  const auto head = protocol::read_request(body_of(frame));
  if (!head) return frame;
  Asked one{head->api->key, head->version, {}};
  std::string out = frame;
  bool answered = true;
  switch (one.key) {
    case ApiKey::produce:
      out = edited_request<protocol::ProduceRequest>(*head, [&](auto& request) {
        if (is(BrokerMutant::early_acks) && request.acks == -1) request.acks = 1;
        answered = request.acks != 0;
        if (is(BrokerMutant::unfenced_producers)) forget_producers(request);
      });
      break;
    case ApiKey::fetch:
      out = edited_request<protocol::FetchRequest>(*head, [&](auto& request) {
        if (is(BrokerMutant::eager_reads) && !of_follower(request)) request.replica_id = -2;
        if (!of_follower(request)) return;
        for (auto& topic : request.topics) {
          for (auto& row : topic.partitions) {
            if (is(BrokerMutant::counted_ahead)) ++row.fetch_offset;
            if (is(BrokerMutant::boasted_deletion)) row.log_start_offset = INT32_MAX;
            if (is(BrokerMutant::blind_follower)) row.last_fetched_epoch = -1;
            if (is(BrokerMutant::unfenced_fetches)) row.current_leader_epoch = -1;
          }
        }
      });
      break;
    case ApiKey::offset_commit:
      out = edited_request<protocol::OffsetCommitRequest>(*head, [&](auto& request) {
        if (!is(BrokerMutant::unchecked_commits) || joined_.generation < 0) return;
        request.generation_id_or_member_epoch = joined_.generation;
        request.member_id = joined_.member;
      });
      break;
    case ApiKey::alter_partition:
      one.frame = frame;
      out = edited_request<protocol::AlterPartitionRequest>(*head, [&](auto& request) {
        if (!is(BrokerMutant::greedy_isr)) return;
        for (auto& topic : request.topics)
          for (auto& row : topic.partitions) {
            row.new_isr = {1, 2, 3};
            row.new_isr_with_epochs = {{1, -1}, {2, -1}, {3, -1}};
          }
      });
      break;
    case ApiKey::leader_and_isr:
      out = edited_request<protocol::LeaderAndIsrRequest>(*head, [&](auto& request) {
        for (auto& topic : request.topic_states) {
          for (auto& row : topic.partition_states) {
            if (is(BrokerMutant::lonely_isr) && row.leader >= 0) row.isr = {row.leader};
            if (is(BrokerMutant::two_leaders)) row.leader = to;
            if (is(BrokerMutant::stuck_epochs)) row.leader_epoch = 0;
          }
          if (is(BrokerMutant::lost_leaderships) && random_.chance(kLeftOut) &&
              !topic.partition_states.empty())
            topic.partition_states.pop_back();
        }
      });
      break;
    default:
      break;
  }
  if (answered) asked.push_back(std::move(one));
  return out;
}

// As a broker does that does not look at epochs: a batch of an old one becomes nobody's.
void Mutation::forget_producers(protocol::ProduceRequest& request) {
  for (auto& topic : request.topic_data) {
    for (auto& row : topic.partition_data) {
      std::string changed(row.records.slice().view());
      const record::BatchView batch(changed);
      if (!batch.has_producer_id()) continue;
      auto& newest = producer_epochs_[{topic.name, row.index, batch.producer_id()}];
      if (batch.producer_epoch() >= newest) {
        newest = batch.producer_epoch();
        continue;
      }
      record::store_be<std::int64_t>(changed.data() + record::kProducerIdAt, record::kNoProducerId);
      record::store_be<std::int16_t>(changed.data() + record::kProducerEpochAt, record::kNoProducerEpoch);
      record::store_be<std::int32_t>(changed.data() + record::kBaseSequenceAt, record::kNoSequence);
      record::store_be<std::uint32_t>(changed.data() + record::kCrcAt,
                                      record::BatchView(changed).crc_of_bytes());
      row.records = protocol::Records(bytes::Slice::own(std::move(changed)));
    }
  }
}

std::string Mutation::group_answer(const Asked& asked, const std::string& frame) {
  if (asked.key == ApiKey::join_group)
    return edited_answer<protocol::JoinGroupResponse>(asked, frame, [this](auto& response) {
      if (response.error_code != protocol::ErrorCode::none) return;
      if (response.generation_id != joined_.generation) assignment_.clear();
      joined_ = {response.generation_id, response.member_id};
    });
  if (asked.key == ApiKey::sync_group)
    return edited_answer<protocol::SyncGroupResponse>(asked, frame, [this](auto& response) {
      if (!is(BrokerMutant::shared_partitions) || response.error_code != protocol::ErrorCode::none) return;
      if (assignment_.empty()) assignment_ = response.assignment.data;
      response.assignment.data = assignment_;
    });
  return edited_answer<protocol::OffsetCommitResponse>(asked, frame, [this](auto& response) {
    if (!is(BrokerMutant::forgiven_commits)) return;
    for (auto& topic : response.topics)
      for (auto& row : topic.partitions) row.error_code = protocol::ErrorCode::none;
  });
}

std::string Mutation::answer(const Asked& asked, const std::string& frame) {
  switch (asked.key) {
    case ApiKey::join_group:
    case ApiKey::sync_group:
    case ApiKey::offset_commit:
      return group_answer(asked, frame);
    case ApiKey::leader_and_isr:
      if (!is(BrokerMutant::denied_failures)) return frame;
      return edited_answer<protocol::LeaderAndIsrResponse>(asked, frame, [](auto& response) {
        for (auto& row : response.partition_errors) row.error_code = protocol::ErrorCode::none;
        for (auto& topic : response.topics)
          for (auto& row : topic.partition_errors) row.error_code = protocol::ErrorCode::none;
      });
    case ApiKey::produce:
      if (!is(BrokerMutant::forgiven_errors)) return frame;
      return edited_answer<protocol::ProduceResponse>(asked, frame, [](auto& response) {
        for (auto& topic : response.responses)
          for (auto& row : topic.partition_responses) row.error_code = protocol::ErrorCode::none;
      });
    case ApiKey::fetch:
      if (!is(BrokerMutant::unsettled_mark) && !is(BrokerMutant::untold_divergence) &&
          !is(BrokerMutant::greedy_deletion))
        return frame;
      return edited_answer<protocol::FetchResponse>(asked, frame, [this](auto& response) {
        for (auto& topic : response.responses) {
          for (auto& row : topic.partitions) {
            if (is(BrokerMutant::unsettled_mark)) row.high_watermark = INT32_MAX;
            if (is(BrokerMutant::greedy_deletion)) row.log_start_offset = row.high_watermark;
            if (is(BrokerMutant::untold_divergence)) row.diverging_epoch = {};
          }
        }
      });
    case ApiKey::offset_for_leader_epoch:
      return edited_answer<protocol::OffsetForLeaderEpochResponse>(asked, frame, [this](auto& response) {
        for (auto& topic : response.topics) {
          for (auto& row : topic.partitions) {
            if (is(BrokerMutant::late_ends)) row.end_offset = INT32_MAX;
            if (is(BrokerMutant::watermark_cuts)) row.end_offset = -1;
            if (is(BrokerMutant::watermark_cuts) || is(BrokerMutant::epochless_ends)) row.leader_epoch = -1;
          }
        }
      });
    case ApiKey::init_producer_id:
      if (!is(BrokerMutant::shared_ids)) return frame;
      return edited_answer<protocol::InitProducerIdResponse>(
          asked, frame, [](auto& response) { response.producer_id = 7; });
    case ApiKey::alter_partition: {
      if (!is(BrokerMutant::forgiven_isr)) return frame;
      const auto head = protocol::read_request(body_of(asked.frame));
      protocol::AlterPartitionRequest request;
      if (!head || !protocol::decode_into(request, *head)) return frame;
      return edited_answer<protocol::AlterPartitionResponse>(asked, frame, [&request](auto& response) {
        for (std::size_t t = 0; t < response.topics.size() && t < request.topics.size(); ++t) {
          for (std::size_t p = 0; p < response.topics[t].partitions.size(); ++p) {
            auto& row = response.topics[t].partitions[p];
            const auto& wanted = request.topics[t].partitions.at(p);
            if (row.error_code == protocol::ErrorCode::none) continue;
            row.error_code = protocol::ErrorCode::none;
            row.leader_epoch = wanted.leader_epoch;
            row.partition_epoch = wanted.partition_epoch + 1;
            row.isr = wanted.new_isr;
            for (const auto& broker : wanted.new_isr_with_epochs) row.isr.push_back(broker.broker_id);
          }
        }
      });
    }
    default:
      return frame;
  }
}

}  // namespace tandem::sim::brokers
