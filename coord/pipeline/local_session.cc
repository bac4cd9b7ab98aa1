// Sessions that only this server knows: made and ended without a transaction, gone with the server, and made
// the ensemble's when they want an ephemeral. Source: Apache's UpgradeableSessionTracker.
#include "bytes/writer.h"
#include "coord/pipeline/owner.h"
#include "coord/pipeline/pipeline.h"
#include "coord/pipeline/wire.h"

namespace tandem::coord::pipeline {

using jute::ErrorCode;
using jute::OpCode;
using jute::SessionId;

void Pipeline::create_local_session(Link& link) {
  do {
    link.session = sessions_.new_id();
  } while (local_.find(link.session) != nullptr);
  local_.track(link.session, link.timeout_ms, now_.at);
  link.local = true;
  finish_connect(link, true);
}

void Pipeline::end_local_session(Link& link, const RequestView& request) {
  local_.remove(link.session);
  reply_error(link, request, ErrorCode::ok);
  close(link);
}

// The request that made it necessary follows at once.
void Pipeline::upgrade_session(Link& link) {
  local_.remove(link.session);
  link.local = false;
  RequestView create;
  create.type = OpCode::create_session;
  create.received = now_.at;
  const std::vector<jute::Id> nobody;
  if (learns()) {
    std::string body;
    bytes::Writer(body).i32(link.timeout_ms);
    create.body = body;
    return forward_for(LinkId(), link.session, create, nobody);
  }
  if (!may_propose()) return;
  sessions_.track_proposed(link.session, link.timeout_ms, now_.at).owner = kThisServer;
  Preparer::Proposal proposal;
  proposal.session = link.session;
  proposal.owner = kThisServer;
  proposal.ids = &nobody;
  proposal.request = create;
  proposal.session_timeout_ms = link.timeout_ms;
  submit(proposal, LinkId());
}

void Pipeline::expire_local_sessions() {
  for (const SessionId id : local_.expire(now_.at)) {
    local_.remove(id);
    if (const auto it = session_links_.find(id.value); it != session_links_.end()) {
      if (Link* link = find(it->second)) close(*link);
    }
  }
}

}  // namespace tandem::coord::pipeline
