// Where producer ids come from, and how this release answers everything about transactions.
// Any thread; the callback may run on another.
#pragma once

#include <functional>

#include "base/result.h"
#include "broker/protocol/errors.h"

namespace tandem::broker::api {

class ProducerIds {
 public:
  virtual ~ProducerIds() = default;
  // The next id of this broker's block; a new block is claimed in the tree when it is used up.
  virtual void next(std::function<void(base::Result<std::int64_t>)> done) = 0;
};

// Transactions are not there yet: InitProducerId with a transactional id, FindCoordinator for one and
// produced transactional batches get an error that every client takes as final (KIP-98 clients retry most
// others).
inline constexpr auto kTransactionsUnsupported = protocol::ErrorCode::transactional_id_authorization_failed;

}  // namespace tandem::broker::api
