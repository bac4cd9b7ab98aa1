#include "broker/api/handlers.h"
#include "broker/api/producer_ids.h"

namespace tandem::broker::api {

namespace {

using protocol::ErrorCode;
using protocol::InitProducerIdResponse;

void refuse(Call& call, ErrorCode error) {
  InitProducerIdResponse response;
  response.error_code = error;
  response.producer_id = -1;
  response.producer_epoch = -1;
  call.respond.send(response);
}

}  // namespace

void init_producer_id(Call call, protocol::InitProducerIdRequest request) {
  if (request.transactional_id) {
    const bool empty = request.transactional_id->empty();
    return refuse(call, empty ? ErrorCode::invalid_request : kTransactionsUnsupported);
  }
  ProducerIds* ids = call.services.producer_ids;
  if (ids == nullptr) return refuse(call, ErrorCode::coordinator_not_available);
  const auto shared = std::make_shared<Call>(std::move(call));
  ids->next([shared](base::Result<std::int64_t> id) {
    if (!id) return refuse(*shared, ErrorCode::coordinator_load_in_progress);  // clients ask again
    InitProducerIdResponse response;
    response.producer_id = *id;
    response.producer_epoch = 0;
    shared->respond.send(response);
  });
}

}  // namespace tandem::broker::api
