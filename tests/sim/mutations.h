// What a careless core would have said: stands between the real cores and the world and rewrites, for the one
// mutant that a run is about, what goes out or comes in. The cores themselves have no place for it and stay
// as they are released. Which bug each is, and which invariant finds it: docs/simulation.md. One for each
// server.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/random.h"
#include "coord/election/notification.h"
#include "coord/records/quorum_packet.h"
#include "tests/sim/options.h"

namespace tandem::sim {

class Mutation {
 public:
  Mutation(Mutant mutant, base::Random random) : mutant_(mutant), random_(random) {}

  // Packets of a leader to the learner of that connection, and of a learner to its leader.
  std::string to_learner(std::uint64_t connection, std::string_view packets);
  std::string to_leader(std::string_view packets);
  void notification(coord::election::Notification& notification) const;
  // Frames to the client of that connection, without the first one, the answer to its connect request.
  std::string to_client(std::uint64_t connection, std::string_view frames);
  // A frame of a client as the core gets it.
  void from_client(std::string& frame) const;
  // A frame of a client that never reaches the core; `reply` is what it gets.
  bool swallows(std::string_view frame, std::string& reply) const;

 private:
  using Packet = coord::records::QuorumPacket;

  void put_late_commit(std::uint64_t connection, const Packet& packet, std::string& out);
  void skip_last_of_diff(std::uint64_t connection, const Packet& packet, std::string& out);

  Mutant mutant_;
  base::Random random_;
  std::map<std::uint64_t, std::string> held_;  // by connection
  std::map<std::uint64_t, bool> in_sync_;      // by connection: NEWLEADER was sent
};

}  // namespace tandem::sim
