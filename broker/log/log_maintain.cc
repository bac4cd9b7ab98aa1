// Truncation, retention, flushing and deletion of a log.
#include <algorithm>

#include "broker/log/damage.h"
#include "broker/log/file_names.h"
#include "broker/log/log.h"

namespace tandem::broker::log {

using base::Errc;
using base::Result;
using base::Status;

// ---- truncation ------------------------------------------------------------------------------------

Status Log::drop_snapshots(std::int64_t from) {
  const auto entries = disk_.list(dir_);
  if (!entries) return entries.error();
  snapshot_offset_ = 0;
  for (const auto& entry : *entries) {
    const auto name = parse_segment_file(entry.name);
    if (!name || name->suffix != kSnapshotSuffix) continue;
    if (name->base_offset >= from) {
      if (auto status = disk_.unlink(fs::join(dir_, entry.name)); !status) return status;
    } else {
      snapshot_offset_ = std::max(snapshot_offset_, name->base_offset);
    }
  }
  std::erase_if(snapshots_to_sync_, [&](const std::string& path) { return !fs::exists(disk_, path); });
  return {};
}

Result<std::uint64_t> Log::truncate_to(std::int64_t offset) {
  if (failure_) return *failure_;
  if (offset >= end_offset()) {
    // Who led and appended nothing noted its epoch all the same, and another leader has begun there since.
    if (auto status = note(epochs_.truncate_from_end(end_offset())); !status) return status.error();
    return std::uint64_t{0};
  }
  const std::uint64_t before = size();
  if (offset < segments_.begin()->first) {
    if (auto status = truncate_fully_at(offset); !status) return status.error();
    return before;
  }
  const auto truncate = [&]() -> Status {
    while (segments_.rbegin()->first > offset) {
      Segment& last = active();
      last.make_inactive();
      if (auto status = last.unlink_files(); !status) return status;
      segments_.erase(last.base_offset());
    }
    if (auto status = active().make_active(); !status) return status;
    if (auto removed = active().truncate_to(offset); !removed) return removed.error();
    if (auto status = epochs_.truncate_from_end(offset); !status) return status;
    auto aborted = read_aborted(disk_, active().txn_index_path());
    if (!aborted) return aborted.error();
    std::erase_if(*aborted, [&](const AbortedTxn& txn) { return txn.last_offset >= offset; });
    if (auto status = write_aborted(disk_, active().txn_index_path(), *aborted); !status) return status;
    const auto end = active().read_next_offset();
    if (!end) return end.error();
    end_offset_.store(*end, std::memory_order_release);
    if (auto status = drop_snapshots(*end + 1); !status) return status;
    return reload_producers(*end);
  };
  recent_ = {};
  cut();
  if (auto status = note(truncate()); !status) return status.error();
  std::uint64_t total = 0;
  for (const auto& [base, segment] : segments_) total += segment->size();
  size_.store(total, std::memory_order_release);
  rolled_.erase(rolled_.lower_bound(active().base_offset()), rolled_.end());
  recovery_point_.store(std::min(recovery_point(), end_offset()), std::memory_order_release);
  high_watermark_.store(std::min(high_watermark(), end_offset()), std::memory_order_release);
  return before - total;
}

Status Log::truncate_fully_at(std::int64_t offset) {
  if (failure_) return *failure_;
  cut();
  const auto restart = [&]() -> Status {
    for (auto& [base, segment] : segments_) {
      segment->make_inactive();
      if (auto status = segment->unlink_files(); !status) return status;
    }
    segments_.clear();
    rolled_.clear();
    recent_ = {};
    if (auto status = drop_snapshots(0); !status) return status;
    if (auto status = epochs_.clear(); !status) return status;
    producers_.clear(offset);
    auto segment = Segment::create(disk_, dir_, offset, 0);
    if (!segment) return segment.error();
    ++dir_changes_;
    segments_.emplace(offset, std::move(*segment));
    return {};
  };
  if (auto status = note(restart()); !status) return status;
  size_.store(0);
  start_offset_.store(offset);
  end_offset_.store(offset);
  recovery_point_.store(std::min(recovery_point(), offset));
  high_watermark_.store(offset);
  return {};
}

// ---- damage ----------------------------------------------------------------------------------------

Result<std::uint64_t> Log::set_aside(std::int64_t offset) {
  if (failure_ && failure_->code == Errc::corrupt) failure_.reset();
  if (failure_) return *failure_;
  auto it = segments_.upper_bound(offset);
  if (it == segments_.begin()) return std::uint64_t{0};
  Segment& segment = *std::prev(it)->second;
  const auto sound = segment.sound(epochs_);
  if (!sound) return note(sound.error()).error();
  if (sound->size == segment.size()) return std::uint64_t{0};
  const auto cut_off = [&]() -> Status {
    const auto file = segment.file();
    if (!file) return file.error();
    if (auto status = copy_aside(disk_, **file, sound->size, segment.size(),
                                 segment.path(kLogSuffix) + std::string(kDamagedSuffix));
        !status)
      return status;
    return segment.truncate_bytes(sound->size);
  };
  const std::uint64_t before = size();
  if (auto status = note(cut_off()); !status) return status.error();
  if (auto cut = truncate_to(sound->next_offset); !cut) return cut.error();
  return before - size();
}

// ---- retention -------------------------------------------------------------------------------------

std::vector<std::int64_t> Log::expired_segments(std::int64_t now_ms, bool& roll_active) {
  std::vector<std::int64_t> out;
  std::int64_t excess = config_.retention_bytes >= 0 && config_.cleanup_delete
                            ? static_cast<std::int64_t>(size()) - config_.retention_bytes
                            : 0;
  bool by_time = config_.retention_ms >= 0 && config_.cleanup_delete;
  bool by_size = excess > 0;
  bool by_start = true;
  for (auto it = segments_.begin(); it != segments_.end(); ++it) {
    Segment& segment = *it->second;
    const auto next = std::next(it);
    const bool active = next == segments_.end();
    // The end of a segment that may go is below the high watermark: nobody may still ask for its records.
    const std::int64_t end = active ? end_offset() : next->first;
    if (end > high_watermark() || (active && segment.size() == 0)) break;
    by_start = by_start && !active && next->first <= start_offset();
    by_time = by_time && now_ms - segment.largest_timestamp() > config_.retention_ms;
    by_size = by_size && excess - static_cast<std::int64_t>(segment.size()) >= 0;
    if (!by_start && !by_time && !by_size) break;
    excess -= static_cast<std::int64_t>(segment.size());
    out.push_back(it->first);
    roll_active = roll_active || active;
  }
  return out;
}

Status Log::delete_segments(std::vector<std::int64_t> bases, PendingDelete& out) {
  for (const std::int64_t base : bases) {
    auto& segment = segments_.at(base);
    if (auto status = segment->add_suffix(kDeletedSuffix); !status) return status;
    for (const std::string_view suffix : {kLogSuffix, kIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix})
      out.files.push_back(segment->path(suffix));
    size_.fetch_sub(segment->size());
    segments_.erase(base);
    rolled_.erase(base);
    const std::string snapshot = fs::join(dir_, segment_file(base, kSnapshotSuffix));
    if (fs::exists(disk_, snapshot)) {
      if (auto status = disk_.rename(snapshot, snapshot + std::string(kDeletedSuffix)); !status)
        return status;
      snapshots_to_sync_.erase(snapshot);
      out.files.push_back(snapshot + std::string(kDeletedSuffix));
    }
  }
  return {};
}

Result<PendingDelete> Log::apply_retention(std::int64_t now_ms) {
  PendingDelete out;
  if (failure_) return *failure_;
  bool roll_active = false;
  auto bases = expired_segments(now_ms, roll_active);
  if (bases.empty()) return out;
  const auto work = [&]() -> Status {
    if (roll_active) {
      if (auto status = roll_to(end_offset(), now_ms); !status) return status;
    }
    return delete_segments(std::move(bases), out);
  };
  if (auto status = note(work()); !status) return status.error();
  if (segments_.begin()->first > start_offset()) {
    start_offset_.store(segments_.begin()->first, std::memory_order_release);
    if (auto status = note(epochs_.truncate_from_start(start_offset())); !status) return status.error();
  }
  return out;
}

// ---- flushing --------------------------------------------------------------------------------------

FlushWork Log::begin_work() {
  FlushWork work;
  if (epochs_.unsaved()) work.begun = note(epochs_.save());
  for (auto& [base, rolled] : rolled_) {
    const Segment& segment = *segments_.at(base);
    if (rolled.file != nullptr) {
      work.files.push_back(rolled.file);
    } else {
      work.paths.push_back(segment.path(kLogSuffix));
    }
    for (const std::string_view suffix : {kIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix})
      work.paths.push_back(segment.path(suffix));
    work.rolled.push_back(base);
    rolled.asked = true;
  }
  work.paths.insert(work.paths.end(), snapshots_to_sync_.begin(), snapshots_to_sync_.end());
  if (dir_synced_ < dir_changes_) work.paths.push_back(dir_);
  work.dir_changes = dir_changes_;
  work.cuts = cuts_;
  work.up_to = active().base_offset();
  return work;
}

FlushWork Log::take_rolled_flush() {
  const bool fresh =
      std::any_of(rolled_.begin(), rolled_.end(), [](const auto& rolled) { return !rolled.second.asked; });
  return fresh ? begin_work() : FlushWork{};
}

FlushWork Log::begin_data_flush(std::int64_t now_ms) {
  last_flush_ms_ = now_ms;
  FlushWork work = begin_work();
  if (failure_) {
    work.begun = *failure_;
    return work;
  }
  auto file = active().file();
  if (!file) {
    work.begun = note(file.error());
    return work;
  }
  work.files.push_back(std::move(*file));
  work.up_to = end_offset();
  work.active = true;
  return work;
}

FlushWork Log::begin_flush(std::int64_t now_ms) {
  FlushWork work = begin_data_flush(now_ms);
  if (!work.begun) return work;
  work.begun = note(active().flush_indexes(false));
  work.paths.push_back(active().path(kIndexSuffix));
  work.paths.push_back(active().path(kTimeIndexSuffix));
  return work;
}

Status Log::run(fs::Disk& disk, FlushWork& work) {
  if (!work.begun) return work.begun;
  for (const auto& file : work.files)
    if (auto status = file->datasync(); !status) return status;
  for (const auto& path : work.paths) {
    const auto info = disk.info(path);
    if (!info) {
      if (info.error().code == Errc::not_found) continue;  // deleted meanwhile
      return info.error();
    }
    if (info->is_directory) {
      if (auto status = disk.sync_dir(path); !status) return status;
      continue;
    }
    const auto file = disk.open(path, fs::OpenMode::read);
    if (!file) return file.error();
    if (auto status = (*file)->datasync(); !status) return status;
  }
  return {};
}

void Log::end_flush(const FlushWork& work, const Status& status) {
  if (!status) {
    fail(status.error());
    return;
  }
  if (work.cuts != cuts_) return;
  for (const std::int64_t base : work.rolled) rolled_.erase(base);
  for (const std::string& path : work.paths) snapshots_to_sync_.erase(path);
  dir_synced_ = std::max(dir_synced_, work.dir_changes);
  if (work.active) cut_unsynced_ = false;
  recovery_point_.store(std::max(recovery_point(), work.up_to), std::memory_order_release);
}

void Log::cut() {
  ++cuts_;
  ++dir_changes_;
  cut_unsynced_ = flushes_asked();
  for (auto& [base, rolled] : rolled_) rolled.asked = false;
}

Status Log::sync_cut() {
  if (!cut_unsynced_) return {};
  FlushWork work = begin_data_flush(last_flush_ms_);
  const Status status = run(disk_, work);
  end_flush(work, status);
  return status;
}

bool Log::flush_due(std::int64_t now_ms) const {
  const std::int64_t unflushed = end_offset() - recovery_point();
  if (unflushed <= 0) return false;
  return unflushed >= config_.flush_messages ||
         (config_.flush_ms != kNever && now_ms - last_flush_ms_ >= config_.flush_ms);
}

// ---- deletion --------------------------------------------------------------------------------------

Status Log::move_to(std::string dir) {
  if (auto status = note(disk_.rename(dir_, dir)); !status) return status;
  dir_ = std::move(dir);
  for (auto& [base, segment] : segments_) segment->moved(dir_);
  epochs_.moved(fs::join(dir_, "leader-epoch-checkpoint"));
  std::set<std::string> moved;
  for (const std::string& path : snapshots_to_sync_)
    moved.insert(fs::join(dir_, std::string_view(path).substr(path.rfind('/') + 1)));
  snapshots_to_sync_ = std::move(moved);
  return {};
}

Result<PendingDelete> Log::mark_deleted(std::string_view unique) {
  const std::string renamed = renamed_dir(where_.topic, where_.partition, unique, "-delete");
  if (auto status = move_to(fs::join(fs::parent(dir_), renamed)); !status) return status.error();
  for (auto& [base, segment] : segments_) {
    segment->make_inactive();
    segment->release_readers();
  }
  fail(base::make_error(Errc::closed, "{}-{} is deleted", where_.topic, where_.partition));
  PendingDelete out;
  out.directory = dir_;
  return out;
}

}  // namespace tandem::broker::log
