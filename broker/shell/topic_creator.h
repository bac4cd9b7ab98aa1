// TopicCreator: topics that clients ask for by using them, and __consumer_offsets when a group first looks
// for its coordinator. One request for each topic at a time. Any thread.
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "broker/api/cluster_control.h"
#include "broker/api/config_registry.h"
#include "broker/api/metadata_cache.h"
#include "logging/logger.h"

namespace tandem::broker::shell {

class TopicCreator final : public api::TopicAutoCreation {
 public:
  TopicCreator(api::ClusterControl& control, api::MetadataCache& metadata, api::ConfigRegistry& configs,
               logging::Logger log)
      : control_(control), metadata_(metadata), configs_(configs), log_(log) {}

  protocol::ErrorCode request(const std::string& topic) override;

 private:
  void create(controller::TopicToCreate topic);
  void on_created(const std::string& topic, const controller::TopicsCreated& created);

  api::ClusterControl& control_;
  api::MetadataCache& metadata_;
  api::ConfigRegistry& configs_;
  logging::Logger log_;
  std::mutex mutex_;
  std::set<std::string> under_way_;
};

}  // namespace tandem::broker::shell
