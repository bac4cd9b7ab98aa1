// What a member begins with: its history and its epochs, or what is left of them when they are damaged.
#include "coord/server/member.h"

namespace tandem::coord::server {

using base::Errc;
using base::Result;
using base::Status;

namespace {

constexpr const char* kInitialize = "initialize";

}  // namespace

base::Result<peer::Database> Member::recover() {
  auto contents = store_.recover(static_cast<std::size_t>(std::max(config_.commit_log_count, 0)));
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

storage::DataDirectories Member::data_directories() const {
  return {.log = config_.log_directory(), .snapshot = config_.snapshot_directory()};
}

Result<peer::Database> Member::recover_or_set_aside() {
  auto database = recover();
  if (database || database.error().code != Errc::corrupt || !others_suffice()) return database;
  const std::string found = database.error().context;
  if (auto status = storage::set_history_aside(disk_, data_directories(), found); !status)
    return status.error();
  logger_.error(
      "damage found: {}. Snapshots and logs were moved to tandem.damaged; this server fetches everything "
      "from "
      "a leader that the others elect, and does not vote until then",
      found);
  return recover();
}

Result<storage::Epochs> Member::load_epochs(jute::Zxid last) {
  auto epochs = storage::load_epochs(disk_, config_.snapshot_directory(), last);
  if (epochs || epochs.error().code != Errc::corrupt || !others_suffice()) return epochs;
  const std::string found = epochs.error().context;
  if (auto status = storage::set_epochs_aside(disk_, data_directories(), found); !status)
    return status.error();
  logger_.error(
      "damage found: {}. The epoch files were moved to tandem.damaged; this server does not vote until a "
      "leader that the others elect has brought it up to date",
      found);
  return storage::load_epochs(disk_, config_.snapshot_directory(), last);
}

// As Apache's server: where there is no database, only one that is told to begin a new one may vote.
Result<bool> Member::database_is_missing() const {
  const auto snapshots = storage::list_snapshots(disk_, config_.snapshot_directory());
  if (!snapshots) return snapshots.error();
  const auto logs = storage::list_logs(disk_, config_.log_directory());
  if (!logs) return logs.error();
  return snapshots->empty() && logs->empty();
}

Status Member::judge_missing(bool told_new) {
  if (told_new) return storage::restore_vote(disk_, config_.snapshot_directory());
  if (config_.db_autocreate) return {};
  return storage::withhold_vote(disk_, config_.snapshot_directory(),
                                "it had no database, zookeeper.db.autocreate is false, and there was no file "
                                "'initialize'");
}

Result<peer::PeerStart> Member::load() {
  const std::string initialize = fs::join(fs::parent(config_.log_directory()), kInitialize);
  const bool told_new = fs::exists(disk_, initialize);
  if (told_new) {
    if (auto status = disk_.unlink(initialize); !status) return status.error();
  }
  const auto missing = database_is_missing();
  if (!missing) return missing.error();
  if (*missing) {
    if (auto status = judge_missing(told_new); !status) return status.error();
  }
  auto database = recover_or_set_aside();
  if (!database) return database.error();
  const auto epochs = load_epochs(database->tree->last_zxid());
  if (!epochs) return epochs.error();
  for (const std::string& warning : epochs->warnings) logger_.warn("{}", warning);
  // Told so after a start that found nothing: it made an empty database, and no leader has filled it since.
  const bool still_new = database->tree->last_zxid() == jute::Zxid(0) && epochs->accepted == 0;
  if (told_new && still_new) {
    if (auto status = storage::restore_vote(disk_, config_.snapshot_directory()); !status)
      return status.error();
  }
  const auto withheld = storage::vote_withheld(disk_, config_.snapshot_directory());
  if (!withheld) return withheld.error();
  if (*withheld)
    logger_.warn(
        "this server gives no vote until it is brought up to date: {} (to let it vote all the same, "
        "remove tandem.novote from {})",
        **withheld, config_.snapshot_directory());
  peer::PeerStart start{std::move(*database), epochs->accepted, epochs->current};
  start.incomplete = withheld->has_value();
  return start;
}

}  // namespace tandem::coord::server
