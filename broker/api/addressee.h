// Which life of this broker a controller's request is meant for, by the epoch of the registration that it
// names (KIP-380). A process that has not registered yet, as the registration of the one before it still
// stands, is meant by none: what is sent meanwhile tells it to lead on in an epoch in which that one wrote,
// whose end a loss of power may have taken. Kafka's brokers serve nobody before they have registered. On any
// thread.
#pragma once

#include <cstdint>

#include "broker/api/services.h"

namespace tandem::broker::api {

enum class Addressee : std::uint8_t {
  this_life,  // or none is named, or a newer one: the controller knows our new session before we do
  earlier_life,
  unknown,  // its connection is to be closed: the controller comes again, when we know
};

inline Addressee addressee(const Node& node, std::int64_t broker_epoch) {
  if (broker_epoch == -1) return Addressee::this_life;
  const std::int64_t own = node.broker_epoch;
  if (own == -1) return Addressee::unknown;
  return broker_epoch < own ? Addressee::earlier_life : Addressee::this_life;
}

}  // namespace tandem::broker::api
