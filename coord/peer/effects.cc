#include "coord/peer/effects.h"

#include <fmt/format.h>

namespace tandem::coord::peer {

namespace {

std::string one(const election::Send& value) { return election::to_string(election::Effect(value)); }
std::string one(const SeekVoters& value) {
  std::string text = "seek";
  for (const quorum::ServerId id : value.voters) text += fmt::format(" {}", id);
  return text;
}
std::string one(const OpenLearnerPort& value) {
  return value.for_observers ? "open port for observers" : "open learner port";
}
std::string one(const CloseLearnerPort&) { return "close learner port"; }
std::string one(const ConnectLeader& value) { return fmt::format("connect to leader {}", value.leader); }
std::string one(const CloseLeader&) { return "close connection to leader"; }
std::string one(const DrainLog&) { return "drain log"; }
std::string one(const WithholdVote& value) { return "withhold the vote: " + value.reason; }
std::string one(const RestoreVote&) { return "restore the vote"; }
std::string one(const pipeline::CloseLink& value) { return pipeline::printed(value); }
std::string one(const pipeline::ResumeLink& value) { return pipeline::printed(value); }
std::string one(const pipeline::AwaitOutput& value) { return pipeline::printed(value); }
std::string one(const Note& value) { return "note: " + value.text; }

template <class T>
concept OfLeader = requires(const T& value) {
  zab::LeaderEffect(value);
};

template <class T>
std::string one(const T& value) {
  if constexpr (OfLeader<T>) {
    return zab::printed(zab::LeaderEffect(value));
  } else {
    return zab::printed(zab::LearnerEffect(value));
  }
}

}  // namespace

std::string printed(const Effect& effect) {
  return std::visit([](const auto& value) { return one(value); }, effect);
}

}  // namespace tandem::coord::peer
