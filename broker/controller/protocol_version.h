// The inter-broker protocol version: what inter.broker.protocol.version selects. Control requests carry no
// negotiation; the version of each is a function of it (Kafka 3.9 MetadataVersion). 2.7 to 3.9 are known.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tandem::broker::controller {

struct ProtocolVersion {
  std::int32_t major = 3;
  std::int32_t minor = 9;
  std::int32_t step = 0;  // the IV of 3.9-IV0
  auto operator<=>(const ProtocolVersion&) const = default;

  // "3.9", "3.9.1", "2.7-IV2"; the short form is the release's last step.
  static std::optional<ProtocolVersion> parse(std::string_view text);

  bool alter_partition() const { return *this >= ProtocolVersion{2, 7, 2}; }
  bool topic_ids() const { return *this >= ProtocolVersion{2, 8, 0}; }
  bool leader_recovery() const { return *this >= ProtocolVersion{3, 2, 0}; }
  bool allocate_producer_ids() const { return *this >= ProtocolVersion{3, 0, 0}; }
  std::int32_t feature_node_version() const { return *this >= ProtocolVersion{3, 3, 0} ? 2 : 1; }

  std::int16_t leader_and_isr() const;
  std::int16_t update_metadata() const;
  std::int16_t stop_replica() const;
  // Of followers.
  std::int16_t fetch() const;
  std::int16_t list_offsets() const;
  std::int16_t offset_for_leader_epoch() const;
};

}  // namespace tandem::broker::controller
