// Cutting the history back to a zxid, as a leader asks a server whose last transactions it never saw:
// snapshots newer than that go first, each behind the log files that begin behind it, then the log from its
// end, each step durable before the next, so that a crash at any instant leaves a history that recovery
// accepts. After it, recovery (into a new tree) gives the state as it was. Nobody may write log or snapshots
// meanwhile.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "coord/storage/files.h"
#include "fs/disk.h"

namespace tandem::coord::storage {

// The last zxid that is left: `target`, or less when the history never had it. Errc::unsupported when only
// snapshots beyond the target are there: the history cannot be had without the others' help. Any other error
// leaves a history that must not be voted with, damage before the target among them.
base::Result<Zxid> truncate_history(fs::Disk& disk, const std::string& log_directory,
                                    const std::string& snapshot_directory, Zxid target);

// What to do with a log that is damaged before `last`: what is behind the damage may have been acknowledged.
// Where it is left as it is, recovery finds it, and reads nothing behind it.
enum class Damage : std::uint8_t { refuse, leave };

// The log alone: what it holds beyond `last` is removed. A log that does not reach `last` keeps what it has.
base::Result<Zxid> truncate_log(fs::Disk& disk, const std::string& log_directory, Zxid last,
                                Damage damage = Damage::leave);

// For a server that was given a snapshot by its leader: the history that it had may have transactions that
// were never committed anywhere, and nothing may fall back to it. truncate_log(snapshot) before the snapshot
// is made durable, this after it: every log file goes, and every other snapshot.
base::Status drop_older_history(fs::Disk& disk, const std::string& log_directory,
                                const std::string& snapshot_directory, Zxid snapshot);

}  // namespace tandem::coord::storage
