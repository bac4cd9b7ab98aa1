// TreeLink: the broker's session with the ensemble, as ZkOps in and ZkResults out. Retries over lost
// connections until an answer is definite; starts a new session by itself when one expires. On one Loop's
// thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "broker/zk/zk_op.h"
#include "logging/logger.h"
#include "net/loop.h"
#include "zkclient/client.h"

namespace tandem::broker::shell {

struct TreeLinkOptions {
  zksession::ConnectString servers;
  base::milliseconds session_timeout{18000};
  std::size_t in_flight_max = 256;
  std::uint64_t seed = 1;
};

struct TreeLinkCallbacks {
  std::function<void(std::int64_t session)>
      on_session;                 // a new one; its predecessor's watches and nodes are gone
  std::function<void()> on_lost;  // expired: operations under way get no answer
  std::function<void(const std::string& path, zk::ZkEvent event)> on_watch;
};

class TreeLink {
 public:
  TreeLink(net::Loop& loop, TreeLinkOptions options, TreeLinkCallbacks callbacks, logging::Logger log);
  ~TreeLink();

  void start();
  void stop(std::function<void()> done);  // closes the session: its nodes go at once
  // No call of `done` when the session is lost before the answers are there.
  void perform(std::vector<zk::ZkOp> ops, std::function<void(std::vector<zk::ZkResult>)> done);
  std::int64_t session() const { return session_; }
  bool up() const { return session_ != 0; }

 private:
  void on_state(zkclient::State state);
  void on_event(const zkclient::Event& event);
  void make_chroot(std::function<void()> done);

  TreeLinkOptions options_;
  TreeLinkCallbacks callbacks_;
  logging::Logger log_;
  std::int64_t session_ = 0;
  bool stopping_ = false;
  bool chroot_made_ = false;
  std::function<void()> stopped_;
  std::unique_ptr<zkclient::Client> client_;
};

}  // namespace tandem::broker::shell
