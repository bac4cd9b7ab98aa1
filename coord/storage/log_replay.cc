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
  for (const DurablePosition& known : DurableMark::read(disk_, directory_)) {
    durable_[known.log] = known.bytes;
    if (known.bytes > 0) last_durable_ = std::max(last_durable_, known.log);
  }
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

Status LogReplay::run(bool doubt_is_damage) {
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (auto status = replay_file(i); !status) return status;
  }
  return settle_doubt(doubt_is_damage);
}

// Behind the mark the bytes are written once more: what a failed sync was to write, the system takes for
// written, and only a new write of it is something that the next sync can find.
Status LogReplay::make_durable() {
  if (last_file_end_ > 0) {
    const NumberedFile& last = files_.back();
    auto file = disk_.open(fs::join(directory_, last.name), fs::OpenMode::write);
    if (!file) return file.error();
    const auto mark = durable_.find(last.zxid);
    const std::uint64_t known = mark != durable_.end() ? mark->second : 0;
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
  DurableMark::remember(disk_, directory_, ends_);
  return disk_.sync_dir(directory_);
}

Status LogReplay::replay_file(std::size_t index) {
  const std::string path = fs::join(directory_, files_[index].name);
  last_read_.reset();
  auto reader = TxnLogReader::open(disk_, path);
  if (!reader) return reader.error();
  for (;;) {
    const auto payload = (*reader)->next();
    if (!payload) return payload.error();
    if (!payload->has_value()) break;
    if (auto status = replay_entry(**reader, path, **payload); !status) return status;
  }
  return judge_end(**reader, index, path);
}

Status LogReplay::replay_entry(const TxnLogReader& reader, const std::string& path,
                               std::string_view payload) {
  records::TxnHeader header;
  bytes::Reader header_reader(payload);
  jute::decode(header_reader, header);
  const Zxid zxid = header.zxid;
  last_read_ = zxid;
  if (zxid <= last_) return {};  // the snapshot has it, or a file was written twice over
  // An epoch begins with its first transaction: one that is damaged, or a file that is gone, leaves a hole
  // too.
  if (last_known_ && !records::follows(zxid, last_))
    return base::make_error(
        Errc::corrupt,
        "{} at offset {}: transaction 0x{:x} follows 0x{:x}, those between are missing{}; a log file "
        "was removed or damaged: restore it, or start from a newer snapshot",
        path, reader.offset(), bits(zxid), bits(last_), unclean_end_);
  if (doubt_ && zxid == doubt_->last.next()) doubt_.reset();
  if (doubt_ && doubt_->proven) return damage(*doubt_);
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
  if (doubt_ && target_.differs()) return damage(*doubt_);
  if (doubt_ && target_.agrees()) doubt_.reset();
  return {};
}

base::Error LogReplay::damage(const std::string& path, std::uint64_t offset, const char* what,
                              const char* proof, Zxid last) const {
  return base::make_error(
      Errc::corrupt,
      "{} is damaged at offset {}: {}, and {}; the last good transaction is 0x{:x}. Restore the file from a "
      "copy, or, "
      "to give up what follows, cut it there with `zkTxnLogToolkit.sh -c -z 0x{:x} {}`, use the result and "
      "remove tandem.durable",
      path, offset, what, proof, bits(last), bits(last), path);
}

base::Error LogReplay::damage(const Doubt& doubt) const {
  const char* proof = doubt.proven        ? "whole entries follow it"
                      : target_.differs() ? "what follows was made in another state"
                                          : "nothing that follows shows that no transaction was there";
  return damage(doubt.path, doubt.offset, to_string(doubt.end), proof, doubt.last);
}

// An Apache server that was killed leaves such an end, and its next start a snapshot of what was before it.
Status LogReplay::settle_doubt(bool doubt_is_damage) {
  if (!doubt_) return {};
  if (doubt_->proven || (doubt_is_damage && !doubt_->covered)) return damage(*doubt_);
  warnings_.push_back(
      fmt::format("{}: nothing shows whether the bytes at offset {}, behind 0x{:x}, were a transaction; "
                  "another server's data does, if this one had others beside it",
                  doubt_->path, doubt_->offset, bits(doubt_->last)));
  return {};
}

// What follows shows whether anything is missing: replay_entry checks the next zxid against last_.
Status LogReplay::judge_earlier_end(TxnLogReader& reader, const std::string& path) {
  if (reader.end() == LogEnd::clean) return {};
  const auto later = reader.scan_for_entry(reader.offset() + 1);
  if (!later) return later.error();
  const bool proven = later->has_value();
  const bool covered = txns_ == 0 && last_read_ == last_;
  if (!doubt_ || proven) doubt_ = Doubt{path, reader.offset(), reader.end(), last_, proven, covered};
  unclean_end_ = fmt::format(" ({}: {} at offset {})", path, to_string(reader.end()), reader.offset());
  warnings_.push_back(fmt::format("{}: {} at offset {}, going on with the next file", path,
                                  to_string(reader.end()), reader.offset()));
  return {};
}

Status LogReplay::judge_end(TxnLogReader& reader, std::size_t index, const std::string& path) {
  const LogEnd end = reader.end();
  const std::uint64_t offset = reader.offset();
  const Zxid name = files_[index].zxid;
  const bool is_last = index + 1 == files_.size();
  if (offset > kFileHeaderSize) ends_.push_back({name, offset});
  if (is_last && offset > kFileHeaderSize) last_file_end_ = offset;
  const auto mark = durable_.find(name);
  const bool ours = mark != durable_.end();
  // As long as nobody else wrote behind it, who may have cut it, or put an older copy in its place.
  const bool counts = ours && (is_last ? name >= last_durable_ : durable_.contains(files_[index + 1].zxid));
  if (counts && offset < mark->second)
    return damage(path, offset, to_string(end), "it was durable there once", last_);
  if (!is_last) return judge_earlier_end(reader, path);
  if (end == LogEnd::clean) return {};
  if (end == LogEnd::empty) return cut(path, 0, end);
  const auto later = reader.scan_for_entry(offset + 1);
  if (!later) return later.error();
  // Another server's batches may have any size: nothing whole may follow.
  const std::uint64_t tear_max = ours ? kBatchBytesMax : 0;
  if (*later && **later > offset + tear_max)
    return damage(path, offset, to_string(end), "whole entries follow it", last_);
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
