// The closed loop of the ZooKeeper load generator: sessions with a fixed number of requests in flight each,
// on one epoll a thread, no allocation per request. It checks the wire as it goes: replies in xid order,
// zxids that never go back, getData of the right length.
#pragma once

#include <atomic>
#include <cstdint>
#include <latch>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/histogram.h"
#include "tests/bench/zk_session.h"

namespace tandem::bench {

// What all threads of a run share.
struct ZkRun {
  explicit ZkRun(int sessions) : connected(sessions) {}

  ZkTemplate read, write;
  bool checks_data = false;  // a read's reply carries value_bytes
  std::size_t value_bytes = 0;
  unsigned read_percent = 100;
  bool fill = false;    // each node once, in order
  bool create = false;  // a new name each time
  std::uint64_t nodes = 1, fanout = 1000, create_directories = 64;
  int depth = 1;
  std::uint64_t rate = 0;  // requests a second on each session; 0: closed loop
  std::atomic<std::uint64_t> next_index{0};
  std::latch connected;   // every session is open
  std::latch started{1};  // the window is set
  std::atomic<std::uint64_t> from_ns{UINT64_MAX}, until_ns{UINT64_MAX};
};

class ZkWorker {
 public:
  ZkWorker(ZkRun& run, std::uint64_t seed) : run_(run), random_state_(seed * 0x9e3779b97f4a7c15u + 1) {}

  // Opens sessions first, first + step, … below total, waits for the common start, loops until the end.
  void work(const std::vector<sockaddr_in>& servers, int first, int step, int total);

  const Histogram& latencies() const { return latencies_; }
  std::uint64_t errors() const { return errors_; }
  std::int32_t first_error() const { return first_error_; }

 private:
  struct Connection {
    int fd = -1;
    std::string in, out;
    std::size_t in_size = 0, out_sent = 0;
    bool wants_out = false;
    std::int32_t next_xid = 1, acked_xid = 1;
    std::int64_t last_zxid = 0;
    std::uint64_t due_ns = 0;            // open loop: when the next request is due
    std::vector<std::uint64_t> sent_ns;  // ring by xid
    std::vector<bool> is_read;
  };

  void open_all(const std::vector<sockaddr_in>& servers, int first, int step, int total, int epoll);
  void produce(Connection& connection, std::uint64_t now);
  bool produce_one(Connection& connection, std::uint64_t sent_ns);
  void flush(int epoll, Connection& connection);
  void receive(Connection& connection);
  void take_reply(Connection& connection, std::string_view reply, std::uint64_t now);
  void close_all();
  bool idle() const;
  std::uint64_t wait_ns(std::uint64_t now) const;
  std::uint64_t random();

  ZkRun& run_;
  std::vector<std::unique_ptr<Connection>> connections_;
  Histogram latencies_;
  std::uint64_t errors_ = 0;
  std::int32_t first_error_ = 0;
  std::uint64_t random_state_;
};

}  // namespace tandem::bench
