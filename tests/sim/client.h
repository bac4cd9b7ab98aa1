// A simulated client: the real session core (zksession) over simulated connections, with a random workload,
// and what it may rely on checked at each reply: order of zxids, its own writes, watches before the change
// they announce, reads behind a sync. Owned by the World.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/random.h"
#include "tests/sim/ensemble_histories.h"
#include "tests/sim/network.h"
#include "zksession/session.h"

namespace tandem::sim {

class World;

// What all clients together were told, for what one of them may rely on.
struct Told {
  SequenceNumbers numbers;
  MultiWrites multis;
  SyncedReads syncs;
  VersionedValues values;
};

class Client {
 public:
  Client(World& world, Told& told, int number, base::Random random);

  void start();
  // From now on only what shows that the service is back; then asked with is_served().
  void probe();
  bool is_served() const { return served_; }
  bool wrote_all() const { return written_ >= operations_max(); }  // of a run with so many operations
  std::uint64_t fingerprint() const;
  std::string text() const;  // for findings
  void stop();               // without a word to the servers
  std::uint64_t operations() const { return operations_; }

 private:
  using Op = zksession::Op;
  using OpResult = zksession::OpResult;

  struct Asked {
    Op op;
    std::optional<SyncedReads::Began> sync;  // of a read behind one
  };

  void drive();
  void arm();
  void perform(const zksession::Effect& effect);
  void connect(const zksession::Host& host);
  void item(std::uint64_t connection, Item item);
  void next_soon();
  void next();
  void submit(Op op, std::optional<SyncedReads::Began> sync = {});
  void synced_reads(const std::string& value);
  void finished(const Asked& asked, const OpResult& result);
  void judge(const char* invariant, const Finding& finding);
  void on_event(std::string_view frame, std::int64_t zxid);
  Op set(const std::string& path, const std::string& value) const;
  Op ephemeral(const std::string& value) const;
  Op owners_op(const std::string& value);
  Op multi(const std::string& value);
  std::string renumbered(std::string_view frames);
  void close_session(const std::string& value);
  void session_closed(std::int64_t zxid);
  void check_synced(const Asked& asked, const OpResult& result);
  void check_read(const Asked& asked, const OpResult& result);
  void check_write(const Op& op, const OpResult& result);
  void forget_session();
  std::uint64_t operations_max() const;
  void violate(const std::string& invariant, const std::string& text);
  std::string key();

  World& world_;
  Told& told_;
  int number_;
  base::Random random_;
  std::unique_ptr<zksession::Session> session_;
  ConnectionPtr connection_;
  std::string in_;
  std::map<zksession::RequestId, Asked> asked_;
  std::optional<Instant> armed_;
  std::uint64_t operations_ = 0;
  std::uint64_t value_ = 0;
  std::uint64_t written_ = 0;  // acknowledged
  bool probing_ = false;
  bool served_ = false;
  bool stopped_ = false;

  int server_ = 0;                       // of the connection
  std::int32_t unnumbered_ = -1;         // requests before this connection, where it numbers them anew
  std::optional<std::int32_t> closing_;  // request that ends the session, on this connection
  bool synced_ = false;                  // the last sync was answered
  ReplyOrder order_;
  SessionView view_;
  DataWatches watches_;
  EventOrder events_;
  HiddenNodes hidden_;
  std::set<std::string> ephemerals_;
  std::map<std::string, std::int32_t> versions_;  // by node: as told last
};

}  // namespace tandem::sim
