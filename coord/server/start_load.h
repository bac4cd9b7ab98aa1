// What a member of an ensemble begins with: its history, its epochs, whether it votes; or, when its files are
// damaged and the others can do without it, what is left after they were set aside. On any fs::Disk: the
// server's own thread calls it before a role, the simulator at every start. Owns nothing.
// Source: coord/storage/set_aside.h; `initialize` and db.autocreate are Apache's.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "coord/peer/peer.h"
#include "coord/storage/set_aside.h"
#include "fs/disk.h"

namespace tandem::coord::server {

struct StartRules {
  storage::DataDirectories directories;
  bool others_suffice = false;  // the other voters are a quorum: this one may stay without a vote
  bool autocreate = true;       // zookeeper.db.autocreate
};

struct StartEvents {
  // Log and snapshot of the directories as they now are; a server without a snapshot writes one.
  std::function<base::Result<peer::Database>()> recover;
  std::function<void(const std::string& text)> warn;
  std::function<void(const std::string& text)> damaged;
};

base::Result<peer::PeerStart> load_start(fs::Disk& disk, const StartRules& rules, const StartEvents& events);

}  // namespace tandem::coord::server
