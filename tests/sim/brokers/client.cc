#include "tests/sim/brokers/client.h"

namespace tandem::sim::brokers {

namespace {

constexpr std::int16_t kMetadataVersion = 9;
constexpr std::uint16_t kBrokerPort = 9092;

broker::shell::PeerLinkOptions link_options(const BrokerOptions& options) {
  broker::shell::PeerLinkOptions out;
  out.client_id = "client";
  out.connect_timeout = out.answer_timeout = options.socket_timeout;
  return out;
}

}  // namespace

SimClient::SimClient(Surroundings& around, int host, const BrokerOptions& options, base::Random random)
    : options_(options), process_(around, host, random.split()), loop_(process_), random_(random) {}

SimClient::~SimClient() {
  process_.die();
  links_.clear();
  metadata_link_.reset();
}

broker::shell::PeerLink& SimClient::link_to(int broker) {
  auto& link = links_[broker];
  if (!link)
    link = std::make_unique<broker::shell::PeerLink>(loop_, link_options(options_), [broker] {
      return net::Endpoint{host_name(broker), kBrokerPort};
    });
  return *link;
}

int SimClient::leader_of(const TopicPartition& partition) const {
  const auto at = leaders_.find(partition);
  return at == leaders_.end() ? -1 : at->second;
}

void SimClient::refresh() {
  if (std::exchange(refreshing_, true)) return;
  again_in(milliseconds(random_.between(5, 60)), [this] {
    asked_ = static_cast<int>(random_.between(1, options_.brokers));
    metadata_link_ = std::make_unique<broker::shell::PeerLink>(loop_, link_options(options_), [this] {
      return net::Endpoint{host_name(asked_), kBrokerPort};
    });
    metadata_link_->ask<protocol::MetadataRequest>(kMetadataVersion, {},
                                                   [this](base::Result<protocol::MetadataResponse> answer) {
                                                     refreshing_ = false;
                                                     if (answer) return on_metadata(*answer);
                                                     again_in(milliseconds(20), [this] { refresh(); });
                                                   });
  });
}

void SimClient::on_metadata(const protocol::MetadataResponse& response) {
  controller_ = response.controller_id;
  leaders_.clear();
  internal_.clear();
  partitions_.clear();
  for (const auto& topic : response.topics) {
    if (topic.error_code != protocol::ErrorCode::none) continue;
    if (!topic.is_internal) partitions_[*topic.name] = static_cast<int>(topic.partitions.size());
    auto& leaders = topic.is_internal ? internal_ : leaders_;
    for (const auto& partition : topic.partitions)
      if (partition.leader_id >= 0) leaders[{*topic.name, partition.partition_index}] = partition.leader_id;
  }
}

}  // namespace tandem::sim::brokers
