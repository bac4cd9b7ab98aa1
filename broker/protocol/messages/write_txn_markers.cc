#include "broker/protocol/messages/write_txn_markers.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void WriteTxnMarkersRequest::WritableTxnMarkerTopic::describe(Fields& f) {
  f("name", name);
  f("partition_indexes", partition_indexes);
}

void WriteTxnMarkersRequest::WritableTxnMarker::describe(Fields& f) {
  f("producer_id", producer_id);
  f("producer_epoch", producer_epoch);
  f("transaction_result", transaction_result);
  f("topics", topics);
  f("coordinator_epoch", coordinator_epoch);
}

void WriteTxnMarkersRequest::describe(Fields& f) { f("markers", markers); }

void WriteTxnMarkersResponse::WritableTxnMarkerPartitionResult::describe(Fields& f) {
  f("partition_index", partition_index);
  f("error_code", error_code);
}

void WriteTxnMarkersResponse::WritableTxnMarkerTopicResult::describe(Fields& f) {
  f("name", name);
  f("partitions", partitions);
}

void WriteTxnMarkersResponse::WritableTxnMarkerResult::describe(Fields& f) {
  f("producer_id", producer_id);
  f("topics", topics);
}

void WriteTxnMarkersResponse::describe(Fields& f) { f("markers", markers); }

}  // namespace tandem::broker::protocol
