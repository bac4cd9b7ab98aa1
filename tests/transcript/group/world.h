// The group coordinator with a clock, a log and clients that go by names: member ids, which are random, are
// printed as the name of the client that was given them (a second one as NAME'). Verbs are in world.cc.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/group/coordinator.h"
#include "tests/transcript/transcript.h"

namespace tandem::transcript {

class GroupWorld final : public World {
 public:
  GroupWorld();

 private:
  using Now = broker::group::Now;
  struct Client {
    std::string id;  // of the member; empty before it was given one
    std::int32_t generation = -1;
    std::optional<std::string> instance;
  };
  struct Asked {  // a request whose reply may come later
    std::string client;
    std::string what;
  };

  Now now() const { return {clock_.now(), clock_.wall()}; }
  broker::group::Ticket ticket(const Command& command, const std::string& what);
  std::string client_of(const Command& command);
  Client& client(const std::string& name) { return clients_[name]; }
  std::string name_of(const std::string& id);

  // Requests.
  void join(const Command& command);
  void sync(const Command& command);
  void heartbeat(const Command& command);
  void leave(const Command& command);
  void commit(const Command& command);
  void fetch(const Command& command);
  void describe();
  void list(const Command& command);
  void delete_offsets(const Command& command);

  // The shell's part.
  void make_coordinator();
  void load();
  void settle(const Command& command);
  void pass(std::chrono::milliseconds time);
  void drain();
  void tell(const Asked& asked, const broker::protocol::JoinGroupResponse& response);
  void tell(const Asked& asked, const broker::protocol::SyncGroupResponse& response);
  void tell(const Asked& asked, const broker::protocol::OffsetCommitResponse& response);
  std::string text(const broker::group::Record& record);

  base::ManualClock clock_;
  broker::group::GroupOptions options_;
  std::optional<broker::group::GroupCoordinator> coordinator_;
  std::map<std::string, Client> clients_;
  std::map<std::string, std::string> names_;  // by member id
  std::map<std::uint64_t, Asked> asked_;
  std::uint64_t last_ticket_ = 0;
  std::vector<broker::group::Append> appends_;  // under way
  std::vector<broker::group::Record> log_;      // what is durable
};

}  // namespace tandem::transcript
