// connect(): resolves a host, tries its addresses in turn within one deadline, and gives the connected socket
// or the last error, `closed` when all have refused. The callback runs on the loop, never inside connect().
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "net/endpoint.h"
#include "net/socket.h"

namespace tandem::net {

class Loop;

// Destroying or cancelling it before the callback ran drops the callback.
class Connecting {
 public:
  virtual ~Connecting() = default;
  virtual void cancel() = 0;
};

std::shared_ptr<Connecting> connect(Loop& loop, const Endpoint& endpoint, base::Duration timeout,
                                    std::function<void(base::Result<Socket>)> done);

}  // namespace tandem::net
