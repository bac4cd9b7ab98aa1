#include "coord/storage/log_replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "bytes/reader.h"
#include "coord/records/txn_batch.h"
#include "coord/storage/txn_log.h"
#include "jute/codec.h"

namespace tandem::coord::storage {

using base::Errc;
using base::Status;

namespace {

constexpr int kEpochShift = 32;

bool same_epoch(Zxid a, Zxid b) { return (a.value >> kEpochShift) == (b.value >> kEpochShift); }

}  // namespace

LogReplay::LogReplay(fs::Disk& disk, std::string directory, std::optional<Zxid> snapshot,
                     RestoreTarget& target)
    : disk_(disk),
      directory_(std::move(directory)),
      target_(target),
      last_(snapshot.value_or(Zxid(0))),
      last_known_(snapshot.has_value()) {}

Status LogReplay::find_logs() {
  auto files = list_logs(disk_, directory_);
  if (!files) return files.error();
  // The last file that starts at or before the first entry wanted, and all behind it.
  auto start = files->begin();
  for (auto it = files->begin(); it != files->end(); ++it) {
    if (it->zxid <= last_.next()) start = it;
  }
  files_.assign(start, files->end());
  mark_ = DurableMark::read(disk_, directory_);
  return {};
}

base::Result<bool> LogReplay::any_entries() const {
  for (const NumberedFile& file : files_) {
    const auto reader = TxnLogReader::open(disk_, fs::join(directory_, file.name));
    if (!reader) return reader.error();
    const auto first = (*reader)->next();
    if (!first) return first.error();
    if (first->has_value() || (*reader)->end() > LogEnd::empty) return true;
  }
  return false;
}

Status LogReplay::run() {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (auto status = replay_file(files_[i], i + 1 == files_.size()); !status) return status;
  }
  return {};
}

// Behind the mark the bytes are written once more: what a failed sync was to write, the system takes for
// written, and only a new write of it is something that the next sync can find.
Status LogReplay::make_durable() {
  if (last_file_end_ > 0) {
    const NumberedFile& last = files_.back();
    auto file = disk_.open(fs::join(directory_, last.name), fs::OpenMode::write);
    if (!file) return file.error();
    const std::uint64_t known = mark_ && mark_->log == last.zxid ? mark_->bytes : 0;
    std::string bytes;
    for (std::uint64_t at = known; at < last_file_end_; at += bytes.size()) {
      bytes.resize(std::min(last_file_end_ - at, kBatchBytesMax));
      const auto got = (*file)->pread(at, bytes);
      if (!got) return got.error();
      bytes.resize(*got);
      if (bytes.empty()) break;
      if (auto status = (*file)->pwrite(at, bytes); !status) return status;
    }
    if (auto status = (*file)->sync(); !status) return status;
  }
  return disk_.sync_dir(directory_);
}

Status LogReplay::replay_file(const NumberedFile& file, bool is_last) {
  const std::string path = fs::join(directory_, file.name);
  auto reader = TxnLogReader::open(disk_, path);
  if (!reader) return reader.error();
  for (;;) {
    const auto payload = (*reader)->next();
    if (!payload) return payload.error();
    if (!payload->has_value()) break;
    if (auto status = replay_entry(**reader, path, **payload); !status) return status;
  }
  return judge_end(**reader, file, path, is_last);
}

Status LogReplay::replay_entry(const TxnLogReader& reader, const std::string& path,
                               std::string_view payload) {
  records::TxnHeader header;
  bytes::Reader header_reader(payload);
  jute::decode(header_reader, header);
  const Zxid zxid = header.zxid;
  if (zxid <= last_) return {};  // the snapshot has it, or a file was written twice over
  // An epoch begins with its first transaction: one that is damaged, or a file that is gone, leaves a hole
  // too.
  if (last_known_ && !records::follows(zxid, last_))
    return base::make_error(
        Errc::corrupt,
        "{} at offset {}: transaction 0x{:x} follows 0x{:x}, those between are missing{}; a log file "
        "was removed or damaged: restore it, or start from a newer snapshot",
        path, reader.offset(), bits(zxid), bits(last_), unclean_end_);
  if (same_epoch(zxid, last_)) doubt_.reset();
  if (doubt_ && proven_) return *doubt_;
  last_ = zxid;
  last_known_ = true;
  ++txns_;
  bytes_ += payload.size() + kEntryOverhead;
  auto status = header_reader.ok()
                    ? target_.apply(header, payload)
                    : Status(base::make_error(Errc::corrupt, "transaction without a whole header"));
  if (!status)
    return base::make_error(
        status.error().code,
        "{} at offset {}: {}; the entry's checksum is right, so a server with other transactions "
        "wrote it: start that one instead",
        path, reader.offset(), status.error().context);
  if (doubt_ && target_.differs()) return *doubt_;
  return {};
}

base::Error LogReplay::damage(const std::string& path, std::uint64_t offset, const char* what,
                              const char* proof) const {
  return base::make_error(
      Errc::corrupt,
      "{} is damaged at offset {}: {}, and {}; the last good transaction is 0x{:x}. Restore the file from a "
      "copy, or, "
      "to give up what follows, cut it there with `zkTxnLogToolkit.sh -c -z 0x{:x} {}` and use the result",
      path, offset, what, proof, bits(last_), bits(last_), path);
}

Status LogReplay::judge_end(TxnLogReader& reader, const NumberedFile& file, const std::string& path,
                            bool is_last) {
  const LogEnd end = reader.end();
  const std::uint64_t offset = reader.offset();
  if (is_last && offset > kFileHeaderSize) last_file_end_ = offset;
  if (!is_last) {
    // What follows shows whether anything is missing: replay_entry checks the next zxid against last_.
    if (end != LogEnd::clean) {
      const auto later = reader.scan_for_entry(offset + 1);
      if (!later) return later.error();
      proven_ = later->has_value();
      doubt_ = damage(path, offset, to_string(end),
                      proven_ ? "whole entries follow it" : "what follows was made in another state");
      unclean_end_ = fmt::format(" ({}: {} at offset {})", path, to_string(end), offset);
      warnings_.push_back(
          fmt::format("{}: {} at offset {}, going on with the next file", path, to_string(end), offset));
    }
    return {};
  }
  const bool durable_once = mark_ && mark_->log == file.zxid && offset < mark_->bytes;
  if (durable_once) return damage(path, offset, to_string(end), "it was durable there once");
  if (end == LogEnd::clean) return {};
  if (end == LogEnd::empty) return cut(path, 0, end);
  const auto later = reader.scan_for_entry(offset + 1);
  if (!later) return later.error();
  // Without a mark the log is another server's, whose batches may have any size: nothing whole may follow.
  const std::uint64_t tear_max = mark_ && mark_->log == file.zxid ? kBatchBytesMax : 0;
  if (*later && **later > offset + tear_max)
    return damage(path, offset, to_string(end), "whole entries follow it");
  return cut(path, offset, end);
}

Status LogReplay::cut(const std::string& path, std::uint64_t offset, LogEnd end) {
  warnings_.push_back(fmt::format("{}: {} at offset {}, cut there: nothing behind it was acknowledged", path,
                                  to_string(end), offset));
  if (offset <= kFileHeaderSize) {
    if (auto status = disk_.unlink(path); !status) return status;
    return disk_.sync_dir(directory_);
  }
  auto file = disk_.open(path, fs::OpenMode::write);
  if (!file) return file.error();
  if (auto status = (*file)->truncate(offset); !status) return status;
  return (*file)->sync();
}

}  // namespace tandem::coord::storage
