// Which connection belongs to which link, for whoever runs a core that answers clients: output, closing,
// resuming, and the look after links whose output has to be read first. Decides nothing. Owned by its driver,
// on the loop's thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "coord/pipeline/effects.h"
#include "net/timer.h"

namespace tandem::net {
class Connection;
class Loop;
}  // namespace tandem::net

namespace tandem::coord::shell {

// What the client port hands its connections and frames to.
class ClientEvents {
 public:
  virtual ~ClientEvents() = default;
  virtual net::Loop& loop() = 0;
  // Link 0: nobody serves clients now, close the connection.
  virtual pipeline::LinkId open_link(net::Connection& connection) = 0;
  virtual void on_frame(pipeline::LinkId link, std::string_view frame, net::Connection& connection) = 0;
  virtual void on_frames_end() = 0;
  virtual void on_closed(pipeline::LinkId link) = 0;
};

class ClientTable {
 public:
  // `on_drained` runs for each link whose awaited output has been read, `on_looked` after all of them.
  ClientTable(net::Loop& loop, std::function<void(pipeline::LinkId)> on_drained,
              std::function<void()> on_looked);
  ~ClientTable();

  void add(pipeline::LinkId link, net::Connection& connection);
  void remove(pipeline::LinkId link);
  net::Connection* find(pipeline::LinkId link) const;
  std::string& output(pipeline::LinkId link);

  void close(pipeline::LinkId link);  // after its output
  void resume(pipeline::LinkId link);
  void await_output(pipeline::LinkId link);

 private:
  void look_at_output();

  struct Entry {
    pipeline::LinkId link;
    net::Connection* connection = nullptr;
  };

  net::Loop& loop_;
  std::function<void(pipeline::LinkId)> on_drained_;
  std::function<void()> on_looked_;
  net::Timer output_timer_;  // runs while links wait for their output to be read
  std::vector<pipeline::LinkId> awaiting_output_;
  std::vector<Entry> links_;  // by slot
  std::string nowhere_;       // what is said to a link that went in the same wake-up
};

}  // namespace tandem::coord::shell
