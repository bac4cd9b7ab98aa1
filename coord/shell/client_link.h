// One client connection: tells four-letter words from frames by its first four bytes, cuts frames, passes
// them on. Owned by its net::Connection; on the loop's thread.
#pragma once

#include <string>

#include "coord/pipeline/effects.h"
#include "coord/shell/client_table.h"
#include "net/connection.h"

namespace tandem::coord::shell {

class ClientPort;

class ClientLink final : public net::Handler {
 public:
  ClientLink(ClientPort& port, std::string address) : port_(port), address_(std::move(address)) {}

  base::Result<std::size_t> frame_size(std::string_view head) override;
  void on_frame(net::Connection& connection, const net::Frame& frame) override;
  void on_frames_end(net::Connection& connection) override;
  void on_closed(net::Connection& connection, const base::Error& reason) override;

 private:
  void run_word(net::Connection& connection, std::string_view word);

  ClientPort& port_;
  std::string address_;
  pipeline::LinkId link_;  // none before the first frame
};

}  // namespace tandem::coord::shell
