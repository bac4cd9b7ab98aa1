#include "broker/log/loader.h"

#include <algorithm>

#include "broker/log/damage.h"
#include "broker/log/file_names.h"

namespace tandem::broker::log {

using base::Errc;
using base::make_error;
using base::Result;
using base::Status;

namespace {

constexpr std::uint64_t kControlBatchMax = 65536;  // they hold one marker
constexpr std::uint64_t kRewriteChunk = std::uint64_t{1} << 20;

bool ends_with(std::string_view text, std::string_view tail) { return text.ends_with(tail); }

Status unlink_if_there(fs::Disk& disk, const std::string& path) {
  const auto status = disk.unlink(path);
  return !status && status.error().code != Errc::not_found ? status : Status{};
}

}  // namespace

Result<std::unique_ptr<Log>> Log::load(fs::Disk& disk, std::string dir, TopicPartition where,
                                       const LoadOptions& options, LoadReport& report) {
  const std::int64_t flushed_to = options.clean ? INT64_MAX : options.recovery_point;
  auto loaded = Loader(disk, options, flushed_to, report).load(dir, where);
  if (loaded || loaded.error().code != Errc::corrupt || (!options.clean && options.recovery_point == 0))
    return loaded;
  // What was said to be whole is not: everything is read and checked, as after an unclean stop.
  report.notes.push_back(loaded.error().context + "; the whole log is checked");
  LoadOptions all = options;
  all.clean = false;
  all.recovery_point = 0;
  return Loader(disk, all, flushed_to, report).load(std::move(dir), std::move(where));
}

Result<std::unique_ptr<Log>> Loader::load(std::string dir, TopicPartition where) {
  if (auto status = disk_.make_dirs(dir); !status) return status.error();
  log_.reset(new Log(disk_, std::move(dir), std::move(where), options_.config));
  log_->last_flush_ms_ = options_.now_ms;
  log_->flush_on_ack_ = options_.flush_on_ack;
  for (const auto step :
       {&Loader::clean_leftovers, &Loader::load_topic_id, &Loader::load_segments, &Loader::recover,
        &Loader::settle_offsets, &Loader::learn_epochs, &Loader::write_tail_anew, &Loader::load_producers}) {
    if (auto status = (this->*step)(); !status) return status.error();
  }
  return std::move(log_);
}

Status Loader::load_topic_id() {
  const std::string path = fs::join(log_->dir_, "partition.metadata");
  const auto contents = fs::read_file(disk_, path);
  if (!contents) return contents.error().code == Errc::not_found ? Status{} : Status{contents.error()};
  const auto id = parse_partition_metadata(*contents, path);
  if (!id) return id.error();
  log_->topic_id_ = *id;
  return {};
}

Status Loader::clean_leftovers() {
  const auto entries = disk_.list(log_->dir_);
  if (!entries) return entries.error();
  std::int64_t cleaned_min = INT64_MAX;
  for (const auto& entry : *entries) {
    const auto name = parse_segment_file(entry.name);
    if (name && ends_with(name->suffix, kCleanedSuffix))
      cleaned_min = std::min(cleaned_min, name->base_offset);
  }
  std::vector<std::string> swaps;
  for (const auto& entry : *entries) {
    if (entry.is_directory) continue;
    const auto name = parse_segment_file(entry.name);
    if (!name) continue;
    const bool swap = ends_with(name->suffix, kSwapSuffix);
    // A swap file beside a cleaned one of a lower base belongs to a split that did not finish.
    const bool stray = ends_with(name->suffix, kDeletedSuffix) || ends_with(name->suffix, kCleanedSuffix) ||
                       (swap && name->base_offset >= cleaned_min);
    if (stray) {
      if (auto status = unlink_if_there(disk_, fs::join(log_->dir_, entry.name)); !status) return status;
    } else if (swap) {
      swaps.push_back(entry.name);
    }
  }
  if (auto status = log_->epochs_.load(); !status) {
    report_.notes.push_back(status.error().context + "; its epochs are taken from the log");
    if (auto cleared = log_->epochs_.clear(); !cleared) return cleared;
  }
  return swaps.empty() ? Status{} : complete_swaps(swaps);
}

// A finished cleaning or split: the segments that the new file covers go, the new file takes its name.
Status Loader::complete_swaps(const std::vector<std::string>& swaps) {
  for (const std::string& swap : swaps) {
    const auto name = parse_segment_file(swap);
    if (name->suffix != ".log.swap") continue;
    const std::string path = fs::join(log_->dir_, swap);
    const auto file = disk_.open(path, fs::OpenMode::read);
    if (!file) return file.error();
    const auto size = (*file)->size();
    if (!size) return size.error();
    BatchScan scan(**file, 0, *size, BatchScan::Mode::headers);
    std::int64_t end = name->base_offset + 1;
    while (scan.next()) end = scan.batch().next_offset();
    const auto entries = disk_.list(log_->dir_);
    if (!entries) return entries.error();
    for (const auto& entry : *entries) {
      const auto old = parse_segment_file(entry.name);
      if (!old || old->base_offset < name->base_offset || old->base_offset >= end) continue;
      const bool segment_file = old->suffix == kLogSuffix || old->suffix == kIndexSuffix ||
                                old->suffix == kTimeIndexSuffix || old->suffix == kTxnIndexSuffix;
      if (!segment_file) continue;
      if (auto status = unlink_if_there(disk_, fs::join(log_->dir_, entry.name)); !status) return status;
    }
  }
  for (const std::string& swap : swaps) {
    const std::string to = fs::join(log_->dir_, swap.substr(0, swap.size() - kSwapSuffix.size()));
    if (auto status = disk_.rename(fs::join(log_->dir_, swap), to); !status) return status;
  }
  report_.notes.push_back("finished a replacement of segments that was under way");
  return disk_.sync_dir(log_->dir_);
}

Status Loader::load_segments() {
  const auto entries = disk_.list(log_->dir_);
  if (!entries) return entries.error();
  for (const auto& entry : *entries) {
    const auto name = parse_segment_file(entry.name);
    if (!name || entry.is_directory) continue;
    const std::string path = fs::join(log_->dir_, entry.name);
    if (name->suffix == kIndexSuffix || name->suffix == kTimeIndexSuffix || name->suffix == kTxnIndexSuffix) {
      if (fs::exists(disk_, fs::join(log_->dir_, segment_file(name->base_offset, kLogSuffix)))) continue;
      if (auto status = unlink_if_there(disk_, path); !status) return status;
      continue;
    }
    if (name->suffix != kLogSuffix) continue;
    auto segment = std::make_unique<Segment>(disk_, log_->dir_, name->base_offset);
    // Of what recover() is to read, the indexes are made there: one segment after the other, as each is read
    // with what those before it leave behind.
    const bool to_recover = !options_.clean && name->base_offset >= options_.recovery_point;
    auto status = to_recover ? segment->open_log_file() : segment->open();
    if (!status && status.error().code != Errc::corrupt && status.error().code != Errc::not_found)
      return status;
    const bool rebuild = !status;
    auto& placed = *log_->segments_.emplace(name->base_offset, std::move(segment)).first->second;
    if (!rebuild) continue;
    report_.notes.push_back(status.error().context + "; the indexes are built again");
    ++report_.rebuilt_indexes;
    if (auto opened = placed.open_log_file(); !opened) return opened;
    if (auto cut = recover_segment(placed); !cut) return cut.error();
  }
  return {};
}

// Reads every batch of the segment, keeps what is whole and right, builds its indexes. Gives the bytes cut
// off.
Result<std::uint64_t> Loader::recover_segment(Segment& segment) {
  if (auto status = segment.reset_indexes(); !status) return status.error();
  rebuilt_.insert(segment.base_offset());
  const auto file = segment.file();
  if (!file) return file.error();
  // Producer state at the start of the segment, so that its transaction index comes out right.
  log_->producers_.clear(segment.base_offset());
  if (auto status = log_->reload_producers(segment.base_offset()); !status) return status.error();
  std::vector<AbortedTxn> aborted;
  BatchScan scan(**file, 0, segment.size(), BatchScan::Mode::whole);
  std::uint64_t valid = 0;
  std::int64_t next = segment.base_offset();
  Status status;
  while (status && scan.next()) {
    const record::BatchView& batch = scan.batch();
    const auto fits = in_order(**file, scan, segment.size(), next);
    if (!fits) return fits.error();
    if (!*fits || batch.last_offset() - segment.base_offset() > INT32_MAX || !batch.is_valid()) break;
    segment.note_batch(batch, scan.position(), scan.size(), log_->config_, status);
    if (!status) break;
    if (batch.magic() >= 2) status = log_->epochs_.confirm(batch.leader_epoch(), batch.offset_field());
    if (batch.has_producer_id()) {
      if (const auto txn = log_->producers_.apply(batch, batch.bytes())) {
        if (txn->aborted)
          aborted.push_back({txn->producer_id, txn->first_offset, txn->last_offset,
                             log_->producers_.stable_offset_after(*txn)});
        log_->producers_.complete(*txn);
      }
    }
    next = batch.next_offset();
    valid = scan.next_position();
  }
  if (!status) return status.error();
  if (scan.error()) return *scan.error();
  const std::uint64_t cut = segment.size() - valid;
  if (cut > 0) {
    report_.notes.push_back(fmt::format("{}: {} bytes behind position {} are no valid batch and are cut off",
                                        segment.path(kLogSuffix), cut, valid));
    if (status = keep_damaged(segment, **file, valid, next); !status) return status.error();
    if (status = segment.truncate_bytes(valid); !status) return status.error();
  }
  if (status = write_aborted(disk_, segment.txn_index_path(), aborted); !status) return status.error();
  if (status = segment.finish_indexes(); !status) return status.error();
  if (status = segment.flush_indexes(false); !status) return status.error();
  segment.trust();
  ++report_.recovered_segments;
  report_.truncated_bytes += cut;
  return cut;
}

// A torn end is what a crash leaves. What is cut elsewhere may be all there is of records that were
// acknowledged: it stays beside the log.
Status Loader::keep_damaged(const Segment& segment, const fs::File& file, std::uint64_t valid,
                            std::int64_t next) {
  bool keep = log_->segments_.upper_bound(segment.base_offset()) != log_->segments_.end();
  if (!keep) {
    const auto behind = batch_behind(file, valid, segment.size(), next);
    if (!behind) return behind.error();
    keep = *behind;
  }
  if (!keep) return {};
  const std::string path = segment.path(kLogSuffix) + std::string(kDamagedSuffix);
  report_.notes.push_back("what is cut off is no torn end, it is kept as " + path);
  return copy_aside(disk_, file, valid, segment.size(), path);
}

// The segments from `base` on, whose records have a hole before them, are a log no more; their bytes stay.
Status Loader::set_aside_from(std::int64_t base) {
  for (auto it = log_->segments_.lower_bound(base); it != log_->segments_.end(); ++it) {
    const std::string path = it->second->path(kLogSuffix);
    const auto file = it->second->file();
    if (!file) return file.error();
    if (auto status = copy_aside(disk_, **file, 0, it->second->size(), path + std::string(kDamagedSuffix));
        !status)
      return status;
  }
  return drop_from(base);
}

Status Loader::drop_from(std::int64_t base) {
  while (!log_->segments_.empty() && log_->segments_.rbegin()->first >= base) {
    Segment& segment = *log_->segments_.rbegin()->second;
    report_.truncated_bytes += segment.size();
    if (auto status = segment.unlink_files(); !status) return status;
    if (auto status = unlink_if_there(
            disk_, fs::join(log_->dir_, segment_file(segment.base_offset(), kSnapshotSuffix)));
        !status)
      return status;
    log_->segments_.erase(segment.base_offset());
  }
  return {};
}

Status Loader::recover() {
  if (options_.clean) return {};
  auto it = log_->segments_.upper_bound(options_.recovery_point);
  if (it != log_->segments_.begin()) --it;
  for (; it != log_->segments_.end(); ++it) {
    const auto cut = recover_segment(*it->second);
    if (!cut) return cut.error();
    const auto next = std::next(it);
    if (next == log_->segments_.end()) return {};
    const auto gap = lacks_before(*it->second, next->first);
    if (!gap) return gap.error();
    // What follows a damaged place was never acknowledged before it: offsets would have a hole.
    if (*cut > 0 || *gap) return set_aside_from(next->first);
  }
  return {};
}

// Whether records are gone from the end of the segment: a power cut may leave what was written behind them,
// and of their file only what was there before. In a compacted log such places are as they should be.
Result<bool> Loader::lacks_before(Segment& segment, std::int64_t next_base) {
  if (log_->config_.cleanup_compact) return false;
  const auto end = segment.read_next_offset();
  if (!end) return end.error();
  if (*end >= next_base) return false;
  report_.notes.push_back(
      fmt::format("{} ends at {}, the next one begins at {}", segment.path(kLogSuffix), *end, next_base));
  return true;
}

Status Loader::settle_offsets() {
  std::int64_t end = options_.log_start;
  if (!log_->segments_.empty()) {
    const auto last = log_->active().read_next_offset();
    if (!last) return last.error();
    end = *last;
    if (end < options_.log_start) {
      report_.notes.push_back(
          fmt::format("{}: the log ends at {}, below its start offset {}; it begins anew there", log_->dir_,
                      end, options_.log_start));
      if (auto status = drop_from(0); !status) return status;
      if (auto status = log_->epochs_.clear(); !status) return status;
      end = options_.log_start;
    }
  }
  if (log_->segments_.empty()) {
    auto segment = Segment::create(disk_, log_->dir_, options_.log_start, options_.now_ms);
    if (!segment) return segment.error();
    log_->segments_.emplace(options_.log_start, std::move(*segment));
    // A log that lost its first segment and kept a later one would begin there.
    if (auto status = disk_.sync_dir(log_->dir_); !status) return status;
  }
  if (auto status = log_->active().make_active(); !status) return status;
  std::uint64_t size = 0;
  for (auto it = log_->segments_.begin(); it != log_->segments_.end(); ++it) {
    size += it->second->size();
    // What recovery read or made is in the page cache; nothing says that it is on the disk.
    const auto next = std::next(it);
    const bool rebuilt = rebuilt_.contains(it->first);
    // No start will look whether its indexes are whole.
    if (rebuilt && next != log_->segments_.end() && next->first <= flushed_to_)
      if (auto status = it->second->flush_indexes(true); !status) return status;
    const bool synced =
        !rebuilt &&
        (options_.clean || (next != log_->segments_.end() && next->first <= options_.recovery_point));
    if (next != log_->segments_.end() && !synced) log_->rolled_[it->first];
  }
  log_->size_.store(size);
  log_->end_offset_.store(end);
  log_->start_offset_.store(std::max(options_.log_start, log_->segments_.begin()->first));
  log_->recovery_point_.store(options_.clean ? end : std::min(options_.recovery_point, end));
  log_->high_watermark_.store(log_->start_offset());
  log_->epochs_.forget_from(end);
  return log_->epochs_.truncate_from_start(log_->start_offset());
}

// A crash may take the start of a log back to what was written down of it, and epochs that ended before the
// later start are known no more: a leader would tell followers that they end where its first known one
// begins. Its batches still say where they do.
Status Loader::learn_epochs() {
  const auto& known = log_->epochs_.entries();
  if (known.empty() || known.front().start_offset <= log_->start_offset()) return {};
  const std::int64_t from = log_->start_offset();
  const std::int64_t to = known.front().start_offset;
  // Records of before leader epochs, of which there may be many, say nothing.
  auto last = log_->segments_.lower_bound(to);
  if (last == log_->segments_.begin()) return {};
  const auto nearest = epochs_of(*std::prev(last)->second, to - 1, to);
  if (!nearest) return nearest.error();
  if (nearest->empty()) return {};
  std::vector<EpochStart> earlier;
  for (auto it = std::prev(log_->segments_.upper_bound(from)); it != last; ++it) {
    const auto found = epochs_of(*it->second, std::max(from, it->first), to);
    if (!found) return found.error();
    for (const EpochStart& each : *found)
      if (earlier.empty() || earlier.back().epoch < each.epoch) earlier.push_back(each);
  }
  log_->epochs_.learn_before(earlier);
  return {};
}

// Those of the batches that hold `from` and what follows below `to`.
Result<std::vector<EpochStart>> Loader::epochs_of(Segment& segment, std::int64_t from, std::int64_t to) {
  std::vector<EpochStart> out;
  const auto first = segment.find(from);
  if (!first) return first.error();
  if (!*first) return out;
  const auto file = segment.file();
  if (!file) return file.error();
  BatchScan scan(**file, (*first)->position, segment.size(), BatchScan::Mode::headers);
  while (scan.next() && scan.batch().offset_field() < to) {
    const std::int32_t epoch = scan.batch().leader_epoch();
    if (epoch >= 0 && (out.empty() || out.back().epoch < epoch))
      out.push_back({epoch, std::max(from, scan.batch().offset_field())});
  }
  if (scan.error()) return *scan.error();
  return out;
}

// What recovery read may be in the page cache alone. After a sync that failed, such pages even count as
// clean: no later sync would write them, and its success would say nothing. Written anew they are dirty
// again. And what recovery cut off is gone from the disk then. Where no flushes are asked for, nothing is
// promised of the disk, and nothing is spent here.
Status Loader::write_tail_anew() {
  if (!log_->flushes_asked()) return {};
  if (flushed_to_ >= log_->end_offset() && report_.truncated_bytes == 0) return {};
  auto it = log_->segments_.upper_bound(flushed_to_);
  if (it != log_->segments_.begin()) --it;
  for (; it != log_->segments_.end(); ++it)
    if (auto status = write_anew(*it->second); !status) return status;
  return disk_.sync_dir(log_->dir_);
}

Status Loader::write_anew(Segment& segment) {
  std::uint64_t at = 0;
  if (segment.base_offset() < flushed_to_) {
    const auto found = segment.find(flushed_to_);
    if (!found) return found.error();
    at = *found ? (*found)->position : segment.size();
  }
  const auto file = disk_.open(segment.path(kLogSuffix), fs::OpenMode::write);
  if (!file) return file.error();
  std::string chunk;
  while (at < segment.size()) {
    chunk.resize(std::min(kRewriteChunk, segment.size() - at));
    const auto got = (*file)->pread(at, chunk);
    if (!got) return got.error();
    if (*got < chunk.size())
      return make_error(Errc::io, "{} ends at {}", segment.path(kLogSuffix), at + *got);
    if (auto status = (*file)->pwrite(at, chunk); !status) return status;
    at += chunk.size();
  }
  return (*file)->datasync();
}

Status Loader::load_producers() {
  const auto entries = disk_.list(log_->dir_);
  if (!entries) return entries.error();
  // Snapshots that belong to no segment go, but after a clean stop for the newest. A snapshot has only the
  // last batch of each producer; who died may be sent those before it again, and they are to be known then:
  // the segment has been read anyway.
  std::vector<std::int64_t> stray;
  bool any = false;
  for (const auto& entry : *entries) {
    const auto name = parse_segment_file(entry.name);
    if (!name || name->suffix != kSnapshotSuffix) continue;
    any = any || name->base_offset <= log_->end_offset();
    if (!log_->segments_.contains(name->base_offset)) stray.push_back(name->base_offset);
  }
  const bool keep_last = options_.clean && !stray.empty() && stray.back() >= log_->active().base_offset() &&
                         stray.back() <= log_->end_offset();
  if (keep_last) stray.pop_back();
  for (const std::int64_t offset : stray) {
    if (auto status = unlink_if_there(disk_, fs::join(log_->dir_, segment_file(offset, kSnapshotSuffix)));
        !status)
      return status;
  }
  log_->producers_.clear(log_->end_offset());
  // A log of before idempotence that was stopped cleanly has nothing to read.
  if (!any && options_.clean) return log_->take_snapshot(log_->end_offset());
  if (auto status = log_->reload_producers(log_->end_offset()); !status) return status;
  return log_->take_snapshot(log_->end_offset());
}

// The newest good snapshot at or below `end_offset`, then the batches behind it.
Status Log::reload_producers(std::int64_t end_offset) {
  const auto entries = disk_.list(dir_);
  if (!entries) return entries.error();
  std::vector<std::int64_t> offsets;
  for (const auto& entry : *entries) {
    const auto name = parse_segment_file(entry.name);
    if (name && name->suffix == kSnapshotSuffix && name->base_offset <= end_offset)
      offsets.push_back(name->base_offset);
  }
  std::int64_t from = segments_.empty() ? end_offset : std::max(segments_.begin()->first, start_offset());
  producers_.clear(from);
  snapshot_offset_ = 0;
  for (auto it = offsets.rbegin(); it != offsets.rend(); ++it) {
    const std::string path = fs::join(dir_, segment_file(*it, kSnapshotSuffix));
    const auto contents = fs::read_file(disk_, path);
    if (contents && producers_.load(*contents, *it, 0, INT64_MAX)) {
      from = std::max(*it, segments_.empty() ? *it : segments_.begin()->first);
      snapshot_offset_ = *it;
      break;
    }
    if (auto status = unlink_if_there(disk_, path); !status) return status;
  }
  if (snapshot_offset_ == 0) producers_.clear(from);
  auto it = segments_.upper_bound(from);
  if (it != segments_.begin()) --it;
  for (; it != segments_.end() && it->first < end_offset; ++it) {
    if (auto status = replay_producers(*it->second, from, end_offset); !status) return status;
  }
  producers_.set_end_offset(end_offset);
  return {};
}

Status Log::replay_producers(Segment& segment, std::int64_t from, std::int64_t end_offset) {
  const auto file = segment.file();
  if (!file) return file.error();
  std::uint64_t begin = 0;
  if (from > segment.base_offset()) {
    const auto found = segment.find(from);
    if (!found) return found.error();
    if (!*found) return {};
    begin = (*found)->position;
  }
  BatchScan scan(**file, begin, segment.size(), BatchScan::Mode::headers);
  while (scan.next() && scan.batch().last_offset() < end_offset) {
    if (!scan.batch().has_producer_id() || scan.batch().offset_field() < from) continue;
    std::string whole;
    if (scan.batch().control()) {
      whole.resize(std::min<std::uint64_t>(scan.size(), kControlBatchMax));
      const auto got = (*file)->pread(scan.position(), whole);
      if (!got) return got.error();
    }
    if (const auto txn = producers_.apply(scan.batch(), whole)) producers_.complete(*txn);
  }
  return scan.error() ? Status{*scan.error()} : Status{};
}

}  // namespace tandem::broker::log
