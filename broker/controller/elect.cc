#include "broker/controller/elect.h"

#include <algorithm>

#include "base/check.h"

namespace tandem::broker::controller {
namespace {

using zk::PartitionState;
using zk::Replicas;

bool contains(const Replicas& list, std::int32_t broker) {
  return std::find(list.begin(), list.end(), broker) != list.end();
}

template <class Keep>
Replicas filtered(const Replicas& list, Keep keep) {
  Replicas out;
  std::copy_if(list.begin(), list.end(), std::back_inserter(out), keep);
  return out;
}

PartitionState led_by(const ElectionInput& input, std::int32_t leader, Replicas isr) {
  PartitionState next = input.current;
  next.leader = leader;
  next.isr = std::move(isr);
  ++next.leader_epoch;
  return next;
}

std::optional<PartitionState> elect_offline(const ElectionInput& input) {
  for (const auto broker : input.assigned) {
    if (!contains(input.online, broker) || !contains(input.current.isr, broker)) continue;
    return led_by(input, broker,
                  filtered(input.current.isr, [&](auto member) { return contains(input.online, member); }));
  }
  if (!input.unclean) return std::nullopt;
  for (const auto broker : input.assigned) {
    if (!contains(input.online, broker)) continue;
    PartitionState next = led_by(input, broker, {broker});
    if (input.recovery_states) next.recovery = zk::LeaderRecovery::recovering;
    return next;
  }
  return std::nullopt;
}

std::optional<PartitionState> elect_preferred(const ElectionInput& input) {
  if (input.assigned.empty()) return std::nullopt;
  const auto preferred = input.assigned.front();
  if (!contains(input.online, preferred) || !contains(input.current.isr, preferred)) return std::nullopt;
  return led_by(input, preferred, input.current.isr);
}

// `assigned` is what the reassignment leads to.
std::optional<PartitionState> elect_reassigned(const ElectionInput& input) {
  for (const auto broker : input.assigned) {
    if (!contains(input.online, broker) || !contains(input.current.isr, broker)) continue;
    return led_by(input, broker, input.current.isr);
  }
  return std::nullopt;
}

std::optional<PartitionState> elect_for_shutdown(const ElectionInput& input) {
  for (const auto broker : input.assigned) {
    const bool fit = contains(input.online, broker) && contains(input.current.isr, broker) &&
                     !input.shutting_down.contains(broker);
    if (!fit) continue;
    return led_by(input, broker, filtered(input.current.isr, [&](auto member) {
                    return !input.shutting_down.contains(member);
                  }));
  }
  return std::nullopt;
}

}  // namespace

std::optional<PartitionState> elect(Election election, const ElectionInput& input) {
  switch (election) {
    case Election::offline:
      return elect_offline(input);
    case Election::unclean: {
      ElectionInput any = input;
      any.unclean = true;
      return elect_offline(any);
    }
    case Election::preferred:
      return elect_preferred(input);
    case Election::reassign:
      return elect_reassigned(input);
    case Election::controlled_shutdown:
      return elect_for_shutdown(input);
  }
  UNREACHABLE();
}

std::optional<PartitionState> first_state(const Replicas& online, std::int32_t controller_epoch) {
  if (online.empty()) return std::nullopt;
  PartitionState state;
  state.leader = online.front();
  state.isr = online;
  state.controller_epoch = controller_epoch;
  return state;
}

}  // namespace tandem::broker::controller
