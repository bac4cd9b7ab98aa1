// GroupMember: a client that shares the partitions of the run's topics with the others of its group: it finds
// the coordinator, joins, assigns when it leads, syncs, fetches what was committed and commits further on,
// leaves now and then, and comes back from a pause with the generation that it had. What it does and hears
// goes to the checker.
#pragma once

#include "tests/sim/brokers/checker.h"
#include "tests/sim/brokers/client.h"

namespace tandem::sim::brokers {

class GroupMember final : public SimClient {
 public:
  GroupMember(Surroundings& around, int host, const BrokerOptions& options, base::Random random,
              Checker& checker, std::string group);
  void begin() override;
  void pause(Instant up_to) { process_.sleep_up_to(up_to); }
  // It has an assignment of this generation and has been heard with it just now; -1: none.
  std::int32_t generation() const { return settled_ ? generation_ : -1; }
  const std::string& group() const { return group_; }

 private:
  void step_in(Duration delay, void (GroupMember::*step)());
  // To the coordinator; false where it cannot be asked now.
  template <class Request>
  void ask_coordinator(std::int16_t version, const Request& request, void (GroupMember::*again)(),
                       std::function<void(const typename Request::Response&)> done);
  void find();
  void join();
  void sync(std::vector<std::string> members);
  void take(const std::string& assignment);
  void fetch();
  void work();
  void beat();
  void commit();
  void leave();
  void after(protocol::ErrorCode error, void (GroupMember::*next)());
  std::vector<TopicPartition> all_partitions() const;

  Checker& checker_;
  std::string group_;
  int coordinator_ = -1;
  std::string member_;
  std::int32_t generation_ = -1;
  bool assigned_ = false;  // in this generation, and what was committed is known
  bool settled_ = false;
  std::map<TopicPartition, std::int64_t> position_;
};

}  // namespace tandem::sim::brokers
