// CORE of a client session with an ensemble: connect handshake, requests in xid order, watches set again
// after a reconnect, credentials sent again, pings and read timeouts, rotation of hosts with back-off,
// expiry, close. Owned by one thread; does no I/O: its shell performs the effects that drain() gives, in
// order, reports what the connection does, and calls on_deadline() at next_deadline(). Timing follows
// Apache's ClientCnxn (read timeout 2/3 of the session's, for the connection and for the handshake the
// session's share per host, ping after a third or 10 s).
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "bytes/reader.h"
#include "jute/proto.h"
#include "zksession/connect_string.h"
#include "zksession/op.h"
#include "zksession/watch_table.h"

namespace tandem::zksession {

using base::Instant;
using base::milliseconds;

struct Options {
  ConnectString servers;
  milliseconds session_timeout{30000};
  bool read_only = false;         // accept a server that is cut off from its quorum
  std::size_t max_in_flight = 0;  // requests sent and not answered; 0 = no limit
};

enum class State {
  connecting,  // also while suspended: the session may still be alive
  connected,
  connected_read_only,
  expired,      // the server forgot the session: start() makes a new one
  auth_failed,  // credentials were refused: final
  closed,
};

const char* to_string(State state);  // as the shell's prompt prints them: "CONNECTED"

// What happens to a request whose connection ends before its reply.
enum class OnLoss {
  fail,   // connection_loss; the operation may or may not have been done
  retry,  // sent again on the next connection, in order; still fails when the session expires
};

using RequestId = std::uint64_t;

struct Event {
  jute::EventType type = jute::EventType::none;
  jute::KeeperState state = jute::KeeperState::sync_connected;
  std::string path;  // as the client sees it; empty for events of the session
  jute::Zxid zxid{-1};

  bool operator==(const Event&) const = default;
};

struct Connect {  // drop what is open and open a connection
  Host host;
  bool operator==(const Connect&) const = default;
};
struct Disconnect {
  std::string reason;
  bool operator==(const Disconnect&) const = default;
};
struct Send {  // whole frames
  std::string bytes;
  bool operator==(const Send&) const = default;
};
struct Complete {
  RequestId id = 0;
  OpResult result;
  bool operator==(const Complete&) const = default;
};
struct Notify {
  Event event;
  bool operator==(const Notify&) const = default;
};
struct StateChanged {
  State state = State::connecting;
  bool operator==(const StateChanged&) const = default;
};

using Effect = std::variant<Connect, Disconnect, Send, Complete, Notify, StateChanged>;

class Session {
 public:
  Session(Options options, base::Random random);

  // Begins a new session; allowed at first, and when the last one expired.
  void start(Instant now);
  RequestId submit(Op op, OnLoss on_loss, Instant now);
  void add_auth(std::string scheme, std::string data, Instant now);
  void close(Instant now);

  void on_connected(Instant now);
  // The connection ended or could not be opened.
  void on_disconnected(Instant now);
  void on_frame(std::string_view frame, Instant now);  // without its length
  void on_deadline(Instant now);

  std::optional<Instant> next_deadline() const;
  std::vector<Effect> drain() { return std::exchange(effects_, {}); }

  State state() const { return state_; }
  jute::SessionId id() const { return id_; }
  milliseconds negotiated_timeout() const { return timeout_; }
  const std::string& password() const { return password_; }
  std::size_t pending() const { return sent_.size() + waiting_.size(); }

 private:
  enum class Link { idle, backing_off, opening, handshake, up };
  struct Request {
    RequestId id = 0;
    Op op;
    OnLoss on_loss = OnLoss::fail;
    std::int32_t xid = 0;
  };
  struct Auth {
    std::string scheme;
    std::string data;
  };

  void enter(State state);
  void next_host(Instant now);
  milliseconds time_per_host() const;
  void drop_link(std::string reason, Instant now);
  void fail_requests(ErrorCode error, bool keep_retryable);
  void complete(Request& request, OpResult result);
  void finish_remove_watches(const Op& op, OpResult& result);
  void end(State state, ErrorCode error);
  void on_connect_response(std::string_view frame, Instant now);
  void on_event(bytes::Reader& reader, jute::Zxid zxid, Instant now);
  void on_reply(const jute::ReplyHeader& header, bytes::Reader& reader, Instant now);
  void send_auth(const Auth& auth, Instant now);
  void send_watches(Instant now);
  void pump(Instant now);
  void send_request(std::int32_t xid, OpCode code, std::string_view body, Instant now);
  std::string& out();
  void notify_state(jute::KeeperState state);

  Options options_;
  Chroot chroot_;
  base::Random random_;
  std::vector<Host> hosts_;  // shuffled
  std::size_t host_ = 0;
  std::size_t attempts_ = 0;  // since the last connection that was up

  State state_ = State::closed;
  Link link_ = Link::idle;
  bool closing_ = false;
  jute::SessionId id_;
  std::string password_;
  milliseconds timeout_;  // asked for, then negotiated
  jute::Zxid last_zxid_;
  std::int32_t next_xid_ = 1;
  RequestId next_id_ = 1;

  std::deque<Request> waiting_;
  std::deque<Request> sent_;
  std::vector<Auth> auth_;
  WatchTable watches_;

  Instant link_deadline_;  // of back-off, opening and handshake; while up: when silence has lasted too long
  Instant ping_at_;
  std::vector<Effect> effects_;
};

}  // namespace tandem::zksession
