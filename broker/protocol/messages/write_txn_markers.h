// WriteTxnMarkers: API key 27, versions 0 to 1, flexible from 1.
// The transaction coordinator has markers appended to partitions.
// Shapes from the message definitions of Apache Kafka 3.9. A field's versions are in describe().
#pragma once

#include "broker/protocol/message.h"

namespace tandem::broker::protocol {

struct WriteTxnMarkersResponse;

struct WriteTxnMarkersRequest {
  static constexpr ApiKey kApi = ApiKey::write_txn_markers;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 1;
  using Response = WriteTxnMarkersResponse;

  struct WritableTxnMarkerTopic {
    TopicName name;
    std::vector<std::int32_t> partition_indexes;
    void describe(Fields& f);
    bool operator==(const WritableTxnMarkerTopic&) const = default;
  };

  struct WritableTxnMarker {
    ProducerId producer_id = 0;
    std::int16_t producer_epoch = 0;
    bool transaction_result = false;
    std::vector<WritableTxnMarkerTopic> topics;
    std::int32_t coordinator_epoch = 0;
    void describe(Fields& f);
    bool operator==(const WritableTxnMarker&) const = default;
  };

  std::vector<WritableTxnMarker> markers;

  void describe(Fields& f);
  bool operator==(const WriteTxnMarkersRequest&) const = default;
};

struct WriteTxnMarkersResponse {
  static constexpr ApiKey kApi = ApiKey::write_txn_markers;
  static constexpr std::int16_t kVersionMax = 1;
  static constexpr std::int16_t kFlexibleSince = 1;

  struct WritableTxnMarkerPartitionResult {
    std::int32_t partition_index = 0;
    ErrorCode error_code = ErrorCode::none;
    void describe(Fields& f);
    bool operator==(const WritableTxnMarkerPartitionResult&) const = default;
  };

  struct WritableTxnMarkerTopicResult {
    TopicName name;
    std::vector<WritableTxnMarkerPartitionResult> partitions;
    void describe(Fields& f);
    bool operator==(const WritableTxnMarkerTopicResult&) const = default;
  };

  struct WritableTxnMarkerResult {
    ProducerId producer_id = 0;
    std::vector<WritableTxnMarkerTopicResult> topics;
    void describe(Fields& f);
    bool operator==(const WritableTxnMarkerResult&) const = default;
  };

  std::vector<WritableTxnMarkerResult> markers;

  void describe(Fields& f);
  bool operator==(const WriteTxnMarkersResponse&) const = default;
};

}  // namespace tandem::broker::protocol
