// The request pipeline of a server in one role: sessions, order of requests, transactions from proposal to
// reply. A core: single-threaded, no I/O, time comes as an argument, effects go out as values. Built when a
// role begins, with the tree as it then is; end() closes all links when it ends, and the next role gets a new
// one. Standalone and leader prepare transactions; a learner forwards writes and matches what comes back.
// The shell feeds frames and closures, drains take_effects() after every verb, calls on_deadline when
// next_deadline() has come. Source: coordination.md 1, 2.3, 2.6; numbers of limits in limits.h.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "coord/auth/authorizer.h"
#include "coord/pipeline/effects.h"
#include "coord/pipeline/link.h"
#include "coord/pipeline/prepare.h"
#include "coord/pipeline/read.h"
#include "coord/pipeline/reaper.h"
#include "coord/records/quorum_packet.h"
#include "coord/records/txn.h"
#include "coord/session/session_tracker.h"
#include "coord/tree/data_tree.h"
#include "coord/tree/watch_manager.h"

namespace tandem::coord::pipeline {

enum class Role {
  standalone,
  leader,  // the tree's last zxid is the epoch's zero: what is proposed counts on from there
  follower,
  observer,
  read_only,  // no leader is known: reads only, for clients that agree to it
};
const char* to_string(Role role);  // as "Mode:" of srvr

struct PipelineOptions {
  Role role = Role::standalone;
  std::uint64_t first_link = 1;  // of the links' numbers; next_link() of the role before
  std::int32_t min_session_timeout_ms = 6000;
  std::int32_t max_session_timeout_ms = 60000;
  // Requests on their way before links are choked; 0: none. In an ensemble each server's share.
  std::size_t global_outstanding_limit = 0;
  bool local_sessions = false;            // localSessionsEnabled
  bool local_sessions_upgrading = false;  // localSessionsUpgradingEnabled
  bool sync_quorum_verified = false;      // leader: a sync asks a quorum first (ConfirmLeadership)
  // The tree came from a leader that went on changing it: up to here it is a mixture of states, and the
  // digests of transactions mean nothing.
  jute::Zxid mixed_until;
  PrepareOptions prepare;
  ReaperOptions reaper;
};

// Bytes of what a leader proposed; -1 before the first.
struct ProposalSizes {
  std::int64_t last = -1;
  std::int64_t min = -1;
  std::int64_t max = -1;
};

// Totals since the start or the last reset; times in whole milliseconds as Apache counts them.
struct ServerStats {
  std::uint64_t packets_received = 0;
  std::uint64_t packets_sent = 0;
  std::uint64_t requests = 0;  // with a latency
  std::int64_t latency_min_ms = 0;
  std::int64_t latency_max_ms = 0;
  std::int64_t latency_total_ms = 0;
};

// One reading of the clocks: monotonic for deadlines, wall for transactions and TTLs.
struct Now {
  base::Instant at;
  base::WallTime wall;
};

class Pipeline final : private tree::ChangeListener {
 public:
  Pipeline(PipelineOptions options, tree::DataTree& tree, session::SessionTracker& sessions,
           const auth::Authorizer& authorizer, Outputs& outputs, Now now);
  ~Pipeline() override;

  // ---- links ----------------------------------------------------------------------------------------------
  LinkId open_link(std::string address, std::uint16_t port, Now now);
  void on_frame(LinkId link, std::string_view frame, Now now);  // without its length
  void on_link_closed(LinkId link);
  bool is_choked(LinkId link) const;  // stop reading until ResumeLink
  // Much output was waiting for the client to read it, and no longer is.
  void on_output_drained(LinkId link, Now now);

  // ---- standalone and leader ------------------------------------------------------------------------------
  // Everything up to zxid. A leader has its COMMITs on their way to the learners before it calls this.
  void on_committed(jute::Zxid zxid, Now now);
  void on_log_full(Now now);  // standalone only, as on_log_space
  void on_log_space(Now now);

  // ---- leader, from its learners --------------------------------------------------------------------------
  // A REQUEST. Its answer is the transaction itself; of a sync it is AnswerSync.
  void on_request(LearnerId learner, const records::ForwardedRequest& request,
                  const std::vector<jute::Id>& ids, Now now);
  void on_touch(jute::SessionId session, std::int32_t timeout_ms, Now now);
  void on_revalidate(LearnerId learner, jute::SessionId session, std::int32_t timeout_ms, Now now);
  void on_learner_gone(LearnerId learner);
  void on_leadership_confirmed(std::uint64_t round, Now now);  // and all rounds before it

  // ---- learner, from its leader ---------------------------------------------------------------------------
  // Committed, in zxid order, and durable where it is logged.
  void on_transaction(std::string_view payload, Now now);
  void on_sync_done(Now now);
  // No transaction up to `known` answers what the session asks for here.
  void on_revalidated(jute::SessionId session, bool valid, jute::Zxid known, Now now);
  std::vector<records::Touch> take_touches();  // sessions heard since the last call

  // ---- the end of the role --------------------------------------------------------------------------------
  // Every link is closed; what was not answered is not. Take the effects, then destroy.
  void end();
  std::uint64_t next_link() const { return next_link_; }

  // ---- time and effects -----------------------------------------------------------------------------------
  void on_deadline(Now now);
  std::optional<base::Instant> next_deadline() const;
  bool has_effects() const { return !effects_.empty() || proposing_ != nullptr || confirm_wanted_; }
  std::vector<Effect> take_effects();  // call after every verb; proposals of the verb leave as one batch

  // ---- status ---------------------------------------------------------------------------------------------
  const ServerStats& stats() const { return stats_; }
  void reset_stats() {
    stats_ = ServerStats();
    proposal_sizes_ = ProposalSizes();
  }
  Role role() const { return options_.role; }
  bool leads() const { return options_.role == Role::standalone || options_.role == Role::leader; }
  base::Instant since() const { return since_; }  // when the role began
  bool has_local_sessions() const { return options_.local_sessions; }
  const ProposalSizes& proposal_sizes() const { return proposal_sizes_; }
  std::size_t pending_syncs() const { return pending_syncs_.size(); }
  const session::SessionTracker& local_sessions() const { return local_; }
  void reset_link_stats();
  std::size_t outstanding() const {
    return clients_waiting_;
  }  // writes of this server's clients on their way
  bool log_is_full() const { return log_full_; }
  std::uint64_t digest_mismatches() const { return digest_mismatches_; }  // 0, or there is a bug
  const tree::DataTree& tree() const { return tree_; }
  const tree::WatchManager& watches() const { return watches_; }
  const session::SessionTracker& sessions() const { return sessions_; }
  std::size_t link_count() const { return open_links_; }
  template <class Visit>  // visit(const Link&)
  void for_each_link(Visit&& visit) const {
    for (const auto& link : links_) {
      if (link != nullptr) visit(*link);
    }
  }
  jute::SessionId session_of(tree::WatcherId watcher) const;

 private:
  // A write on its way: proposed here, in zxid order, or forwarded to the leader, in the order it was sent.
  struct Outstanding {
    LinkId link;  // 0: nobody waits here (expiry, reaper, a learner's)
    jute::SessionId session;
    std::int32_t xid = 0;
    jute::OpCode type = jute::OpCode::error;
    base::Instant received;
    std::string body;       // of a forwarded sync: its reply repeats it
    std::size_t bytes = 0;  // forwarded
    jute::Zxid known;       // Link::known
  };

  // Leader: waits for what was proposed before it, and perhaps for a quorum.
  struct PendingSync {
    LearnerId learner;  // 0: a client of this server, or a learner that is gone
    LinkId link;
    std::int32_t xid = 0;
    base::Instant received;
    std::string body;
    jute::Zxid after;
    std::uint64_t round = 0;
  };
  // What a learner sent behind a sync: it must not be committed before that is answered, or the learner takes
  // its transaction for the answer.
  struct HeldRequest {
    jute::SessionId session;
    std::int32_t cxid = 0;
    jute::OpCode op = jute::OpCode::error;
    std::string body;
    std::vector<jute::Id> ids;
    std::optional<std::int32_t> revalidated_for_ms;  // a REVALIDATE
  };
  struct HeldRequests {
    std::size_t syncs = 0;
    std::size_t bytes = 0;
    bool dropped = false;
    std::deque<HeldRequest> requests;
  };

  bool learns() const { return options_.role == Role::follower || options_.role == Role::observer; }

  Link* find(LinkId id);
  const Link* find(LinkId id) const;
  void close(Link& link);
  void release(Link& link);

  // ---- sessions (connect.cc, local_session.cc)
  void on_connect(Link& link, std::string_view frame);
  void create_session(Link& link);
  void reopen_session(Link& link, jute::SessionId id, std::string_view password);
  void finish_connect(Link& link, bool valid);
  void create_local_session(Link& link);
  void end_local_session(Link& link, const RequestView& request);
  void upgrade_session(Link& link);
  bool hear(Link& link);
  void expire_sessions();
  void expire_local_sessions();
  void reap();

  // ---- order (pipeline.cc)
  void receive(Link& link, std::string_view frame);
  bool must_wait(const Link& link, OpKind kind, jute::OpCode type) const;
  void dispatch(Link& link, std::string_view frame, base::Instant received);
  void enqueue(Link& link, Link::Queued queued);
  void drain(Link& link);
  void drain_write(Link& link, const Link::Queued& queued);
  void on_auth(Link& link, std::int32_t xid, std::string_view body);
  void refuse_unimplemented(Link& link, std::int32_t xid);
  void execute_read(Link& link, const RequestView& request);
  void write(Link& link, const RequestView& request);
  void sync(Link& link, const RequestView& request);
  void refuse(Link& link, const RequestView& request, jute::ErrorCode err);
  void reply_error(Link& link, const RequestView& request, jute::ErrorCode err);
  void count_reply(Link& link, std::int32_t xid, jute::OpCode type, base::Instant received);
  bool should_choke(const Link& link) const;
  void resume_relieved();
  void resume_if_relieved(Link& link);

  // ---- standalone, leader (pipeline.cc, leader.cc)
  void propose(Link* link, const RequestView& request, const std::vector<jute::Id>& ids);
  bool submit(const Preparer::Proposal& proposal, LinkId link);
  void submit_error(const Preparer::Proposal& proposal, jute::ErrorCode err);
  bool may_propose();
  void count_proposal(const Preparer::Proposal& proposal, LinkId link, jute::Zxid zxid, std::size_t before);
  void flush_proposals();
  void hold(LearnerId learner, HeldRequests& held, HeldRequest request);
  void revalidate(LearnerId learner, jute::SessionId session, std::int32_t timeout_ms);
  void take_request(LearnerId learner, const records::ForwardedRequest& request,
                    const std::vector<jute::Id>& ids);
  void begin_sync(PendingSync sync);
  void settle_syncs();
  void take_held(LearnerId learner);

  // ---- learner (learner.cc)
  void forward(Link& link, const RequestView& request);
  void forward_for(LinkId link, jute::SessionId session, const RequestView& request,
                   const std::vector<jute::Id>& ids);
  Outstanding take_answered(std::size_t position);
  std::optional<std::size_t> position_of(const records::TxnHeader& header) const;

  // ---- what follows a transaction (commit.cc)
  void commit(std::string_view payload);
  void apply(std::string_view payload);
  void settle(const Outstanding& waiting);
  void end_session(jute::SessionId session, LinkId link);
  void reply(Link& link, const Outstanding& waiting);
  void put_reply(const Outstanding& waiting, std::string& out);
  void fail(const Outstanding& waiting);
  void answered(Link& link);
  void append_write_reply(std::string& out, const Outstanding& waiting);

  void on_created(const Change& change) override;
  void on_deleted(const Change& change) override;
  void on_data_changed(const Change& change) override;
  void tell(jute::EventType type, std::string_view path, tree::AclId acl, jute::Zxid zxid);

  PipelineOptions options_;
  tree::DataTree& tree_;
  session::SessionTracker& sessions_;
  session::SessionTracker local_;  // sessions that only this server knows
  const auth::Authorizer& authorizer_;
  Outputs& outputs_;
  tree::WatchManager watches_;
  Preparer preparer_;
  Reader reader_;
  Reaper reaper_;
  base::Instant since_;
  Now now_;  // of the verb being run

  std::vector<std::unique_ptr<Link>> links_;  // by slot
  std::vector<std::uint32_t> free_slots_;
  std::uint64_t next_link_ = 1;
  std::size_t open_links_ = 0;
  boost::unordered_flat_map<std::int64_t, LinkId> session_links_;

  std::deque<Outstanding> outstanding_;
  std::size_t clients_waiting_ = 0;      // of outstanding_, those with a link
  std::shared_ptr<TxnBatch> proposing_;  // of this verb
  std::deque<std::shared_ptr<const TxnBatch>> in_flight_;
  std::size_t committed_of_front_ = 0;  // payloads of in_flight_.front() already applied
  std::size_t committed_bytes_ = 0;     // and their bytes
  std::size_t in_flight_bytes_ = 0;     // proposed and not committed, or forwarded and not answered
  bool log_full_ = false;
  std::uint64_t digest_mismatches_ = 0;
  std::size_t choked_ = 0;  // links

  // Leader.
  bool exhausted_ = false;  // the epoch has no zxid left
  std::deque<PendingSync> pending_syncs_;
  boost::unordered_flat_map<std::uint64_t, HeldRequests> held_;  // by learner
  bool confirm_wanted_ = false;                                  // asked for when the effects are taken
  std::uint64_t asked_round_ = 0;
  std::uint64_t confirmed_round_ = 0;

  // Learner. A session may be asked about again before the first answer is here: the last one counts.
  struct Revalidation {
    LinkId link;
    std::size_t answers = 0;  // on their way
  };
  boost::unordered_flat_map<std::int64_t, Revalidation> revalidating_;  // by session
  std::vector<records::Touch> touches_;
  std::uint64_t touch_round_ = 1;

  tree::ApplyResult applied_;
  std::vector<tree::WatcherId> told_;
  std::vector<Effect> effects_;
  ServerStats stats_;
  ProposalSizes proposal_sizes_;
};

}  // namespace tandem::coord::pipeline
