// What a member begins with: its history and its epochs, or what is left of them when they are damaged.
#include "coord/server/member.h"
#include "coord/server/start_load.h"

namespace tandem::coord::server {

using base::Result;
using base::Status;

base::Result<peer::Database> Member::recover() {
  auto contents =
      store_.recover(static_cast<std::size_t>(std::max(config_.commit_log_count, 0)), others_suffice());
  if (!contents) return contents.error();
  peer::Database database;
  database.tree = std::move(contents->tree);
  database.sessions = std::move(contents->sessions);
  database.recent = std::move(contents->recent);
  database.mixed_until = contents->mixed_until;
  if (contents->has_snapshot) return database;
  // Logs without a snapshot are not read by any server, so there is one before anything is acknowledged.
  shell::SessionTimeouts sessions;
  for (const auto& [id, timeout_ms] : database.sessions)
    sessions.emplace_back(jute::SessionId(id), timeout_ms);
  if (auto status = store_.write_snapshot(*database.tree, sessions); !status) return status.error();
  return database;
}

// A server that has less than it acknowledged is mended by the others, where they can do without its vote.
bool Member::others_suffice() const {
  const Ensemble& ensemble = *config_.ensemble;
  quorum::ServerSet others = ensemble.members.voters();
  others.erase(ensemble.self);
  return ensemble.members.contains_quorum(others);
}

Result<peer::PeerStart> Member::load() {
  StartRules rules;
  rules.directories = {.log = config_.log_directory(), .snapshot = config_.snapshot_directory()};
  rules.others_suffice = others_suffice();
  rules.autocreate = config_.db_autocreate;
  StartEvents events;
  events.recover = [this] { return recover(); };
  events.warn = [this](const std::string& text) { logger_.warn("{}", text); };
  events.damaged = [this](const std::string& text) { logger_.error("{}", text); };
  return load_start(disk_, rules, events);
}

}  // namespace tandem::coord::server
