#include "broker/protocol/messages/describe_cluster.h"

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

void DescribeClusterRequest::describe(Fields& f) {
  f("include_cluster_authorized_operations", include_cluster_authorized_operations);
  f("endpoint_type", endpoint_type, since(1));
}

void DescribeClusterResponse::DescribeClusterBroker::describe(Fields& f) {
  f("broker_id", broker_id);
  f("host", host);
  f("port", port);
  f("rack", rack);
}

void DescribeClusterResponse::describe(Fields& f) {
  f("throttle_time_ms", throttle_time_ms);
  f("error_code", error_code);
  f("error_message", error_message);
  f("endpoint_type", endpoint_type, since(1));
  f("cluster_id", cluster_id);
  f("controller_id", controller_id);
  f("brokers", brokers);
  f("cluster_authorized_operations", cluster_authorized_operations);
}

}  // namespace tandem::broker::protocol
