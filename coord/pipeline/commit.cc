// What follows a committed transaction: the tree changes, watchers hear of it, the waiting client gets its
// reply, and the requests that waited behind it go on. Events are written before the reply that shows the
// change.
#include <algorithm>

#include "base/check.h"
#include "coord/pipeline/events.h"
#include "coord/pipeline/pipeline.h"
#include "coord/pipeline/wire.h"

namespace tandem::coord::pipeline {

using jute::ErrorCode;
using jute::EventType;
using jute::OpCode;

void Pipeline::on_committed(jute::Zxid zxid, Now now) {
  now_ = now;
  while (!in_flight_.empty() && in_flight_.front()->first <= zxid) {
    const std::shared_ptr<const TxnBatch> batch = in_flight_.front();
    while (committed_of_front_ < batch->sizes.size() && tree_.last_zxid() < zxid) {
      const std::uint32_t size = batch->sizes[committed_of_front_];
      commit(std::string_view(batch->bytes).substr(committed_bytes_, size));
      ++committed_of_front_;
      committed_bytes_ += size;
    }
    if (committed_of_front_ < batch->sizes.size()) break;
    in_flight_.pop_front();
    committed_of_front_ = 0;
    committed_bytes_ = 0;
  }
  settle_syncs();
  resume_relieved();
}

void Pipeline::commit(std::string_view payload) {
  apply(payload);
  ENSURE(!outstanding_.empty(), "zxid 0x{:x} was not proposed here", applied_.header.zxid.value);
  in_flight_bytes_ -= payload.size();
  preparer_.on_applied(applied_.header.zxid);
  const Outstanding waiting = std::move(outstanding_.front());
  outstanding_.pop_front();
  if (waiting.link.value != 0) --clients_waiting_;
  settle(waiting);
}

void Pipeline::apply(std::string_view payload) {
  const base::Status status = tree_.apply(payload, this, applied_);
  ENSURE(status.has_value(), "{}", status.error().context);
  if (applied_.digest_mismatch && applied_.header.zxid > options_.mixed_until) ++digest_mismatches_;
  if (applied_.header.type != OpCode::create_session) return;
  const jute::SessionId session = applied_.header.client_id;
  sessions_.commit(session, applied_.session_timeout_ms);
  if (local_.find(session) == nullptr) return;
  // It came back here as a local one while its upgrade was on its way.
  local_.remove(session);
  if (const auto it = session_links_.find(session.value); it != session_links_.end()) {
    if (Link* link = find(it->second)) link->local = false;
  }
}

// The reply to who waits, and the end of a session that the transaction closed.
void Pipeline::settle(const Outstanding& waiting) {
  Link* link = find(waiting.link);
  const bool is_sync = waiting.type == OpCode::sync;
  if (link != nullptr && link->state != Link::State::closing) {
    const ErrorCode err = is_sync ? ErrorCode::ok : applied_.op.err;
    if (err == ErrorCode::session_moved || (waiting.type == OpCode::create_session && err != ErrorCode::ok)) {
      close(*link);  // the session is another connection's
    } else if (waiting.type == OpCode::create_session) {
      finish_connect(*link, true);
      answered(*link);
    } else {
      reply(*link, waiting);
      answered(*link);
    }
  }
  if (!is_sync && applied_.header.type == OpCode::close_session)
    end_session(applied_.header.client_id, waiting.link);
}

void Pipeline::answered(Link& link) {
  ++link.writes_answered;
  drain(link);
}

// The session is gone; whoever still holds it is cut off.
void Pipeline::end_session(jute::SessionId session, LinkId waiting) {
  sessions_.remove(session);
  if (Link* link = find(waiting)) close(*link);
  if (const auto it = session_links_.find(session.value); it != session_links_.end()) {
    if (Link* link = find(it->second)) close(*link);
  }
}

// Behind replies that the client has not read yet, where there are some.
void Pipeline::reply(Link& link, const Outstanding& waiting) {
  if (!link.awaiting_output) {
    put_reply(waiting, outputs_.output(link.id));
  } else {
    Link::Queued held{.after = link.writes_answered, .received = waiting.received, .frame = {}};
    held.ready = true;
    put_reply(waiting, held.frame);
    link.queued_bytes += held.frame.size();
    const auto behind = std::find_if(link.queue.begin(), link.queue.end(), [&link](const auto& queued) {
      return queued.after > link.writes_answered;
    });
    link.queue.insert(behind, std::move(held));
  }
  count_reply(link, waiting.xid, waiting.type, waiting.received);
}

void Pipeline::put_reply(const Outstanding& waiting, std::string& out) {
  ReplyFrame frame(out, waiting.xid, tree_.last_zxid());
  if (waiting.type == OpCode::sync) {
    bytes::Reader body(waiting.body);
    put_buffer(out, take_buffer(body));
    return frame.end(ErrorCode::ok);
  }
  const bool multi_result = waiting.type == OpCode::multi && applied_.header.type != OpCode::error;
  if (multi_result || applied_.op.err == ErrorCode::ok) append_write_reply(out, waiting);
  frame.end(multi_result ? ErrorCode::ok : applied_.op.err);
}

void Pipeline::append_write_reply(std::string& out, const Outstanding& waiting) {
  bytes::Writer writer(out);
  switch (waiting.type) {
    case OpCode::create:
      put_string(out, applied_.op.path);
      break;
    case OpCode::create2:
    case OpCode::create_container:
    case OpCode::create_ttl:
      put_string(out, applied_.op.path);
      put_stat(out, applied_.op.stat);
      break;
    case OpCode::set_data:
    case OpCode::set_acl:
      put_stat(out, applied_.op.stat);
      break;
    case OpCode::multi:
      for (const tree::OpResult& result : applied_.multi) {
        const bool is_error = result.type == OpCode::error;
        const bool is_create2 = result.type == OpCode::create2 || result.type == OpCode::create_container ||
                                result.type == OpCode::create_ttl;
        writer.i32(static_cast<std::int32_t>(is_create2 ? OpCode::create2 : result.type));
        writer.boolean(false);
        writer.i32(is_error ? static_cast<std::int32_t>(result.err) : 0);
        if (is_error) writer.i32(static_cast<std::int32_t>(result.err));
        if (result.type == OpCode::create || is_create2) put_string(out, result.path);
        if (is_create2 || result.type == OpCode::set_data) put_stat(out, result.stat);
      }
      writer.i32(-1);
      writer.boolean(true);
      writer.i32(-1);
      break;
    default:
      break;  // delete, closeSession: a header says it all
  }
}

// ---- without space
// --------------------------------------------------------------------------------------------

// What was proposed and is not durable never happened: its clients are told, and the tree's state counts
// again.
void Pipeline::on_log_full(Now now) {
  ENSURE(options_.role == Role::standalone, "a proposal cannot be taken back, as {}", to_string(role()));
  now_ = now;
  log_full_ = true;
  in_flight_.clear();
  proposing_.reset();
  committed_of_front_ = 0;
  committed_bytes_ = 0;
  in_flight_bytes_ = 0;
  preparer_.take_back_all();
  std::deque<Outstanding> failed;
  failed.swap(outstanding_);
  clients_waiting_ = 0;
  for (const Outstanding& waiting : failed) fail(waiting);
  resume_relieved();
}

void Pipeline::fail(const Outstanding& waiting) {
  if (waiting.type == OpCode::create_session) sessions_.remove(waiting.session);
  if (waiting.type == OpCode::close_session) {
    if (session::Session* session = sessions_.find(waiting.session)) {
      session->closing = false;
      sessions_.track(session->id, session->timeout_ms, now_.at);
    }
  }
  Link* link = find(waiting.link);
  if (link == nullptr || link->state == Link::State::closing) return;
  if (waiting.type == OpCode::create_session) return close(*link);
  RequestView request;
  request.xid = waiting.xid;
  request.type = waiting.type;
  request.received = waiting.received;
  reply_error(*link, request, ErrorCode::system_error);
  answered(*link);
}

void Pipeline::on_log_space(Now now) {
  now_ = now;
  log_full_ = false;
  sessions_.touch_all(now.at);
}

// ---- watches
// ------------------------------------------------------------------------------------------------

void Pipeline::on_created(const Change& change) {
  if (watches_.empty()) return;
  watches_.trigger_data(change.path, told_);
  tell(EventType::node_created, change.path, change.acl, change.zxid);
  watches_.trigger_child(change.parent.empty() ? "/" : change.parent, told_);
  tell(EventType::node_children_changed, change.parent.empty() ? "/" : change.parent, change.parent_acl,
       change.zxid);
}

void Pipeline::on_deleted(const Change& change) {
  if (watches_.empty()) return;
  watches_.trigger_deleted(change.path, told_);
  tell(EventType::node_deleted, change.path, change.acl, change.zxid);
  watches_.trigger_child(change.parent.empty() ? "/" : change.parent, told_);
  tell(EventType::node_children_changed, change.parent.empty() ? "/" : change.parent, change.parent_acl,
       change.zxid);
}

void Pipeline::on_data_changed(const Change& change) {
  if (watches_.empty()) return;
  watches_.trigger_data(change.path, told_);
  tell(EventType::node_data_changed, change.path, change.acl, change.zxid);
}

// Only those hear of a node who may read it.
void Pipeline::tell(EventType type, std::string_view path, tree::AclId acl, jute::Zxid zxid) {
  for (const tree::WatcherId watcher : told_) {
    Link& link = *links_[watcher];
    if (acl != tree::kOpenAcl && !authorizer_.permits(tree_.acls().list(acl), jute::perm::kRead, link.ids))
      continue;
    put_event(outputs_.output(link.id), type, path, zxid);
    ++link.stats.packets_sent;
    ++stats_.packets_sent;
  }
  told_.clear();
}

}  // namespace tandem::coord::pipeline
