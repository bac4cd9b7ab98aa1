// Process: one simulated process as the code that runs in it finds it: the clock that it is given is the
// process, and from it the simulated parts of net/ (threads.cc, streams.cc) and the session with the tree
// (session.cc) get to the world. Owned by the World; what it began and has not done by its death is not done.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "net/loop.h"
#include "tests/sim/network.h"
#include "tests/sim/scheduler.h"

namespace tandem::sim::brokers {

constexpr int kTreeHost = 0;  // in the network; clients come behind the brokers

class Mutation;
class Tree;
class Process;

// One end of a connection, until and while a net::Connection has it.
struct StreamEnd {
  ConnectionPtr link;
  int end = 0;
  int to = -1;        // the host at the other end
  std::string early;  // what came before somebody read
  bool gone = false;
  std::function<void(std::string)> on_bytes;
  std::function<void(const std::string&)> on_gone;
};
using StreamEndPtr = std::shared_ptr<StreamEnd>;

// Who listens on a host; every process has one port.
struct Listening {
  Process* process = nullptr;
  net::Loop* loop = nullptr;
  std::function<void(StreamEndPtr)> on_accept;
};

// What all processes share.
struct Surroundings {
  Scheduler& scheduler;
  Network& network;
  Tree& tree;
  Mutation& mutation;
  std::map<int, Listening> listening = {};
  std::map<int, Process*> processes = {};  // those that run, by host
  int touched = -1;                        // whose event was the last one
};

class Process final : public base::Clock {
 public:
  Process(Surroundings& around, int host, base::Random random);
  ~Process() override;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  Instant now() const override { return around_.scheduler.now(); }
  base::WallTime wall() const override;

  // Runs on the loop's thread (on one of nobody's without a loop), unless the process has died.
  void at(Instant time, net::Loop* loop, std::function<void()> task);
  void after(Duration delay, net::Loop* loop, std::function<void()> task) {
    at(now() + delay, loop, std::move(task));
  }
  void run_on(net::Loop* loop, const std::function<void()>& task);
  net::Loop* running() const { return running_; }

  Duration hop();        // from one thread to another
  Duration disk_work();  // of a disk thread
  base::Random& random() { return random_; }
  Surroundings& around() { return around_; }
  int host() const { return host_; }

  void die() { dead_ = true; }  // nothing it does from now on leaves it
  bool dead() const { return dead_; }
  void sleep_up_to(Instant time) { asleep_until_ = time; }
  Instant asleep_until() const { return asleep_until_; }
  void set_slow_disk_until(Instant time) { slow_disk_until_ = time; }

  // Sockets that were made and not yet taken by a net::Connection, by number.
  int put_socket(StreamEndPtr end);
  StreamEndPtr take_socket(int number);

 private:
  Surroundings& around_;
  int host_;
  base::Random random_;
  net::Loop* running_ = nullptr;
  bool dead_ = false;
  Instant asleep_until_{};
  Instant slow_disk_until_{};
  std::map<int, StreamEndPtr> sockets_;
  int last_socket_ = 0;
  std::shared_ptr<int> life_ = std::make_shared<int>(0);
};

// The process whose clock this is: there is no other clock in the simulator.
inline Process& process_of(const base::Clock& clock) {
  return const_cast<Process&>(static_cast<const Process&>(clock));
}

std::string host_name(int host);       // "h3"
int host_of(const std::string& name);  // -1: none
// The number that the text begins with; -1 where it does not.
std::int64_t leading_number(std::string_view text);

}  // namespace tandem::sim::brokers
