// What a controller that lost its office would send: every one is refused, and nothing changes.
#include "broker/protocol/messages/allocate_producer_ids.h"
#include "broker/protocol/messages/controlled_shutdown.h"
#include "broker/protocol/messages/leader_and_isr.h"
#include "broker/protocol/messages/stop_replica.h"
#include "broker/protocol/messages/update_metadata.h"
#include "probe.h"

namespace tandem::differential {

using namespace protocol;

void ask_controller_requests(Probe& probe) {
  each_version<LeaderAndIsrRequest>([&](std::int16_t version) {
    probe.ask("old epoch", version, LeaderAndIsrRequest{.controller_id = 0, .controller_epoch = 0});
    if (version >= 2)
      probe.ask("old broker", version, LeaderAndIsrRequest{.controller_epoch = 0, .broker_epoch = 1});
  });
  each_version<StopReplicaRequest>([&](std::int16_t version) {
    probe.ask("old epoch", version, StopReplicaRequest{.controller_id = 0, .controller_epoch = 0});
    if (version >= 1)
      probe.ask("old broker", version, StopReplicaRequest{.controller_epoch = 0, .broker_epoch = 1});
  });
  each_version<UpdateMetadataRequest>([&](std::int16_t version) {
    probe.ask("old epoch", version, UpdateMetadataRequest{.controller_id = 0, .controller_epoch = 0});
    if (version >= 5)
      probe.ask("old broker", version, UpdateMetadataRequest{.controller_epoch = 0, .broker_epoch = 1});
  });
  each_version<ControlledShutdownRequest>([&](std::int16_t version) {
    probe.ask("unknown broker", version, ControlledShutdownRequest{.broker_id = 99});
    if (version >= 2)
      probe.ask("old broker", version, ControlledShutdownRequest{.broker_id = 0, .broker_epoch = 1});
  });
  each_version<AllocateProducerIdsRequest>([&](std::int16_t version) {
    probe.ask("old broker", version, AllocateProducerIdsRequest{.broker_id = 0, .broker_epoch = 1});
    probe.ask("unknown broker", version, AllocateProducerIdsRequest{.broker_id = 99, .broker_epoch = 1});
  });
}

}  // namespace tandem::differential
