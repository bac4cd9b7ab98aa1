#include "coord/server/start_load.h"

#include <fmt/format.h>

#include "coord/storage/epoch_files.h"
#include "coord/storage/files.h"

namespace tandem::coord::server {

using base::Errc;
using base::Result;
using base::Status;

namespace {

constexpr const char* kInitialize = "initialize";

class Loading {
 public:
  Loading(fs::Disk& disk, const StartRules& rules, const StartEvents& events)
      : disk_(disk), rules_(rules), events_(events) {}

  Result<peer::PeerStart> run() {
    const auto told_new = take_initialize();
    if (!told_new) return told_new.error();
    if (auto status = judge_missing(*told_new); !status) return status.error();
    auto database = recover();
    if (!database) return database.error();
    const auto epochs = load_epochs(database->tree->last_zxid());
    if (!epochs) return epochs.error();
    for (const std::string& warning : epochs->warnings) events_.warn(warning);
    // Told so after a start that found nothing: it made an empty database, and no leader has filled it since.
    const bool still_new = database->tree->last_zxid() == jute::Zxid(0) && epochs->accepted == 0;
    if (*told_new && still_new) {
      if (auto status = storage::restore_vote(disk_, rules_.directories.snapshot); !status)
        return status.error();
    }
    const auto withheld = storage::vote_withheld(disk_, rules_.directories.snapshot);
    if (!withheld) return withheld.error();
    if (*withheld)
      events_.warn(
          fmt::format("this server gives no vote until it is brought up to date: {} (to let it vote all the "
                      "same, remove tandem.novote from {})",
                      **withheld, rules_.directories.snapshot));
    peer::PeerStart start{std::move(*database), epochs->accepted, epochs->current};
    start.incomplete = withheld->has_value();
    return start;
  }

 private:
  // A server that has less than it acknowledged is mended by the others, where they can do without its vote.
  Result<peer::Database> recover() {
    auto database = events_.recover();
    if (database || database.error().code != Errc::corrupt || !rules_.others_suffice) return database;
    const std::string found = database.error().context;
    if (auto status = storage::set_history_aside(disk_, rules_.directories, found); !status)
      return status.error();
    events_.damaged(
        fmt::format("damage found: {}. Snapshots and logs were moved to tandem.damaged; this server fetches "
                    "everything from a leader that the others elect, and does not vote until then",
                    found));
    return events_.recover();
  }

  Result<storage::Epochs> load_epochs(jute::Zxid last) {
    auto epochs = storage::load_epochs(disk_, rules_.directories.snapshot, last);
    if (epochs || epochs.error().code != Errc::corrupt || !rules_.others_suffice) return epochs;
    const std::string found = epochs.error().context;
    if (auto status = storage::set_epochs_aside(disk_, rules_.directories, found); !status)
      return status.error();
    events_.damaged(
        fmt::format("damage found: {}. The epoch files were moved to tandem.damaged; this server does not "
                    "vote until a leader that the others elect has brought it up to date",
                    found));
    return storage::load_epochs(disk_, rules_.directories.snapshot, last);
  }

  Result<bool> take_initialize() {
    const std::string initialize = fs::join(fs::parent(rules_.directories.log), kInitialize);
    const bool told_new = fs::exists(disk_, initialize);
    if (told_new) {
      if (auto status = disk_.unlink(initialize); !status) return status.error();
    }
    return told_new;
  }

  // As Apache's server: where there is no database, only one that is told to begin a new one may vote.
  Status judge_missing(bool told_new) {
    const auto snapshots = storage::list_snapshots(disk_, rules_.directories.snapshot);
    if (!snapshots) return snapshots.error();
    const auto logs = storage::list_logs(disk_, rules_.directories.log);
    if (!logs) return logs.error();
    if (!snapshots->empty() || !logs->empty()) return {};
    if (told_new) return storage::restore_vote(disk_, rules_.directories.snapshot);
    if (rules_.autocreate) return {};
    return storage::withhold_vote(
        disk_, rules_.directories.snapshot,
        "it had no database, zookeeper.db.autocreate is false, and there was no file 'initialize'");
  }

  fs::Disk& disk_;
  const StartRules& rules_;
  const StartEvents& events_;
};

}  // namespace

Result<peer::PeerStart> load_start(fs::Disk& disk, const StartRules& rules, const StartEvents& events) {
  return Loading(disk, rules, events).run();
}

}  // namespace tandem::coord::server
