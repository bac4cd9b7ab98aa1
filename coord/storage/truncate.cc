#include "coord/storage/truncate.h"

#include <algorithm>

#include "bytes/reader.h"
#include "coord/records/txn.h"
#include "coord/storage/durable_mark.h"
#include "coord/storage/txn_log.h"
#include "coord/storage/txn_log_reader.h"
#include "jute/codec.h"

namespace tandem::coord::storage {

using base::Errc;
using base::Result;
using base::Status;

namespace {

Status remove(fs::Disk& disk, const std::string& directory, const std::string& name) {
  if (auto status = disk.unlink(fs::join(directory, name)); !status) return status;
  return disk.sync_dir(directory);
}

// The last log file. The mark first: what it knows of the one before counts only while it knows of none
// behind that is gone.
Status remove_log(fs::Disk& disk, const std::string& directory, const NumberedFile& file) {
  if (auto status = DurableMark::disown(disk, directory, file.zxid); !status) return status;
  return remove(disk, directory, file.name);
}

// The files that begin behind `last`, from the end; those that stay are left in `files`.
Status remove_later(fs::Disk& disk, const std::string& directory, Zxid last,
                    std::vector<NumberedFile>& files) {
  for (; !files.empty() && files.back().zxid > last; files.pop_back()) {
    if (auto status = remove_log(disk, directory, files.back()); !status) return status;
  }
  return {};
}

struct Cut {
  std::uint64_t offset =
      0;                 // where the first entry beyond the target starts; the end of the entries otherwise
  bool beyond = false;   // there is such an entry, or bytes that are no entry
  bool damaged = false;  // these bytes come before any entry beyond the target
  std::optional<Zxid> last;  // the last entry that stays
};

Result<Cut> find_cut(fs::Disk& disk, const std::string& path, Zxid target) {
  auto reader = TxnLogReader::open(disk, path);
  if (!reader) return reader.error();
  Cut cut;
  for (;;) {
    const auto payload = (*reader)->next();
    if (!payload) return payload.error();
    cut.offset = (*reader)->offset();
    if (!payload->has_value()) {
      cut.beyond = cut.damaged = (*reader)->end() != LogEnd::clean;
      return cut;
    }
    const auto header = jute::decoded<records::TxnHeader>(**payload);
    if (!header) return header.error();
    if (header->zxid > target) {
      cut.beyond = true;
      return cut;
    }
    cut.last = header->zxid;
  }
}

// The mark first: it may only ever prove less than the log holds.
Status cut_file(fs::Disk& disk, const std::string& directory, const NumberedFile& file,
                std::uint64_t offset) {
  DurableMark mark;
  if (auto status = mark.begin(disk, directory, file.zxid, false); !status) return status;
  mark.set({file.zxid, offset});
  mark.sync();
  auto handle = disk.open(fs::join(directory, file.name), fs::OpenMode::write);
  if (!handle) return handle.error();
  if (auto status = (*handle)->truncate(offset); !status) return status;
  return (*handle)->sync();
}

}  // namespace

Result<Zxid> truncate_log(fs::Disk& disk, const std::string& log_directory, Zxid last, Damage damage) {
  auto files = list_logs(disk, log_directory);
  if (!files) return files.error();
  if (auto status = remove_later(disk, log_directory, last, *files); !status) return status.error();
  for (; !files->empty(); files->pop_back()) {
    const NumberedFile& file = files->back();
    const auto cut = find_cut(disk, fs::join(log_directory, file.name), last);
    if (!cut) return cut.error();
    if (cut->damaged && cut->last != last) {
      if (damage == Damage::leave) return cut->last.value_or(Zxid(0));
      return base::make_error(
          Errc::corrupt, "{} is damaged at offset {}, before 0x{:x}, where the leader asks to cut it",
          fs::join(log_directory, file.name), cut->offset, static_cast<std::uint64_t>(last.value));
    }
    if (!cut->last) {  // nothing in it is wanted
      if (auto status = remove_log(disk, log_directory, file); !status) return status.error();
      continue;
    }
    if (cut->beyond) {
      if (auto status = cut_file(disk, log_directory, file, cut->offset); !status) return status.error();
    }
    return *cut->last;
  }
  return Zxid(0);
}

Result<Zxid> truncate_history(fs::Disk& disk, const std::string& log_directory,
                              const std::string& snapshot_directory, Zxid target) {
  auto snapshots = list_snapshots(disk, snapshot_directory);
  if (!snapshots) return snapshots.error();
  const bool any = !snapshots->empty();
  const bool any_left = any && snapshots->front().zxid <= target;
  if (any && !any_left)
    return base::make_error(
        Errc::unsupported,
        "cannot go back to 0x{:x}: the oldest snapshot in {} is {}; take this server's data "
        "directory away and let it fetch everything from the others",
        static_cast<std::uint64_t>(target.value), snapshot_directory, snapshots->front().name);
  auto logs = list_logs(disk, log_directory);
  if (!logs) return logs.error();
  // What was logged behind a leader's snapshot does not follow what is beneath that one, where it could not
  // drop it: it goes first.
  while (any && snapshots->back().zxid > target) {
    const Zxid snapshot = snapshots->back().zxid;
    if (auto status = remove_later(disk, log_directory, snapshot, *logs); !status) return status.error();
    if (auto status = remove(disk, snapshot_directory, snapshots->back().name); !status)
      return status.error();
    snapshots->pop_back();
  }
  auto last = truncate_log(disk, log_directory, target, Damage::refuse);
  if (!last) return last.error();
  return any_left ? std::max(*last, snapshots->back().zxid) : *last;
}

Status drop_older_history(fs::Disk& disk, const std::string& log_directory,
                          const std::string& snapshot_directory, Zxid snapshot) {
  const auto logs = list_logs(disk, log_directory);
  if (!logs) return logs.error();
  const auto snapshots = list_snapshots(disk, snapshot_directory);
  if (!snapshots) return snapshots.error();
  for (auto log = logs->rbegin(); log != logs->rend(); ++log) {
    if (auto status = remove(disk, log_directory, log->name); !status) return status;
  }
  for (const NumberedFile& each : *snapshots) {
    if (each.zxid == snapshot) continue;
    if (auto status = remove(disk, snapshot_directory, each.name); !status) return status;
  }
  return {};
}

}  // namespace tandem::coord::storage
