#include "broker/log/segment.h"

#include <fmt/core.h>

#include <algorithm>

#include "broker/log/damage.h"
#include "broker/log/file_names.h"
#include "broker/record/record.h"

namespace tandem::broker::log {

using base::Errc;
using base::make_error;
using base::Result;
using base::Status;

namespace {

// Dirty pages of an append are sent to the disk in steps, so that the kernel's flusher never has a cliff to
// write.
constexpr std::uint64_t kWriteBackStep = std::uint64_t{8} << 20;

constexpr std::uint64_t kReserveFrom = std::uint64_t{8} << 20;  // a small log takes no more than it has
constexpr std::uint64_t kReserveMax = std::uint64_t{64} << 20;

}  // namespace

Segment::Segment(fs::Disk& disk, std::string dir, std::int64_t base_offset)
    : disk_(disk),
      dir_(std::move(dir)),
      base_offset_(base_offset),
      offsets_(disk, fs::join(dir_, segment_file(base_offset, kIndexSuffix)), base_offset),
      times_(disk, fs::join(dir_, segment_file(base_offset, kTimeIndexSuffix)), base_offset) {}

std::string Segment::path(std::string_view suffix) const {
  return fs::join(dir_, segment_file(base_offset_, suffix)) + suffix_;
}

Result<std::unique_ptr<Segment>> Segment::create(fs::Disk& disk, const std::string& dir,
                                                 std::int64_t base_offset, std::int64_t now_ms) {
  auto segment = std::make_unique<Segment>(disk, dir, base_offset);
  auto file = disk.open(segment->path(kLogSuffix), fs::OpenMode::create);
  if (!file) return file.error();
  if (auto status = (*file)->truncate(0); !status) return status.error();
  (*file)->set_append_position(0);
  segment->active_ = std::move(*file);
  segment->created_ms_ = segment->modified_ms_ = now_ms;
  if (auto status = segment->reset_indexes(); !status) return status.error();
  return segment;
}

Status Segment::reset_indexes() {
  if (auto status = offsets_.create(); !status) return status;
  bytes_since_index_ = 0;
  max_ = {};
  return times_.create();
}

Status Segment::open_log_file() {
  const auto info = disk_.info(path(kLogSuffix));
  if (!info) return info.error();
  size_ = info->size;
  written_back_ = found_ = size_;
  modified_ms_ = created_ms_ = info->modified_ms;
  if (size_ > INT32_MAX) return make_error(Errc::corrupt, "{} has {} bytes", path(kLogSuffix), size_);
  return {};
}

Status Segment::open() {
  if (auto status = open_log_file(); !status) return status;
  if (auto status = offsets_.open(); !status) return status;
  if (auto status = times_.open(); !status) return status;
  if (auto aborted = read_aborted(disk_, txn_index_path()); !aborted) return aborted.error();
  return load_max_timestamp();
}

Status Segment::load_max_timestamp() {
  max_ = times_.last().value_or(TimestampOffset{});
  return {};
}

Status Segment::make_active() {
  if (active_ != nullptr) return {};
  auto file = disk_.open(path(kLogSuffix), fs::OpenMode::write);
  if (!file) return file.error();
  (*file)->set_append_position(size_);
  active_ = std::move(*file);
  BatchScan first(*active_, 0, size_, BatchScan::Mode::headers);
  if (first.next()) first_timestamp_ = first.batch().max_timestamp();
  return {};
}

Result<std::shared_ptr<fs::File>> Segment::file() {
  if (active_ != nullptr) return active_;
  if (reader_ == nullptr) {
    auto file = disk_.open(path(kLogSuffix), fs::OpenMode::read);
    if (!file) return file.error();
    reader_ = std::move(*file);
  }
  return reader_;
}

void Segment::release_readers() {
  reader_.reset();
  offsets_.file().release_reader();
  times_.file().release_reader();
}

Status Segment::index_append(std::int64_t last_offset, std::uint64_t position) {
  if (auto status = offsets_.append(last_offset, static_cast<std::int64_t>(position)); !status) return status;
  bytes_since_index_ = 0;
  return times_.maybe_append(max_);
}

Status Segment::append(const Append& append, const LogConfig& config) {
  ENSURE(active_ != nullptr, "append to an inactive segment {}", base_offset_);
  const std::uint64_t position = size_;
  if (append.stage) {
    stage(append.pieces);
  } else if (auto status = write(append.pieces, config); !status) {
    return status;
  }
  if (size_ == 0) first_timestamp_ = append.max_timestamp;
  size_ += append.bytes;
  modified_ms_ = append.now_ms;
  if (append.max_timestamp > max_.timestamp) max_ = {append.max_timestamp, append.offset_of_max};
  if (bytes_since_index_ > static_cast<std::uint64_t>(config.index_interval_bytes)) {
    if (auto status = index_append(append.last_offset, position); !status) return status;
  }
  bytes_since_index_ += append.bytes;
  return {};
}

void Segment::stage(std::span<const std::string_view> pieces) {
  ENSURE(pieces.size() == 2 && pieces[0].size() == record::kBatchHeaderSize, "no batch that is kept as sent");
  Staged& batch = staged_.emplace_back();
  std::copy(pieces[0].begin(), pieces[0].end(), batch.header.begin());
  batch.rest = pieces[1];
}

// Writes the pieces behind what is staged, in one call; where there are none of either, nothing.
Status Segment::write(std::span<const std::string_view> pieces, const LogConfig& config) {
  std::vector<std::string_view> gathered;
  gathered.reserve(2 * staged_.size() + pieces.size());
  for (const Staged& batch : staged_)
    gathered.insert(gathered.end(), {{batch.header.data(), batch.header.size()}, batch.rest});
  gathered.insert(gathered.end(), pieces.begin(), pieces.end());
  if (gathered.empty()) return {};
  reserve(config);
  const auto status = active_->append(gathered);
  staged_ = {};
  if (!status) return status;
  const std::uint64_t end = active_->append_position();
  if (end - written_back_ >= kWriteBackStep) {
    active_->write_back(written_back_, end - written_back_);
    written_back_ = end;
  }
  return {};
}

// A segment that grows doubles its blocks ahead: far fewer and larger ones, set aside at less than half the
// cost of finding them write by write.
void Segment::reserve(const LogConfig& config) {
  const std::uint64_t end = active_->append_position();
  if (end < std::max(kReserveFrom, reserved_)) return;
  const auto limit = static_cast<std::uint64_t>(config.segment_bytes);
  reserved_ = std::min(end + std::min(end, kReserveMax), std::max(end, limit));
  if (reserved_ > end) active_->reserve(end, reserved_ - end);
}

// Gives back the blocks past the end; the time of change, which retention may count from, stays. Where it
// cannot be set back, a segment without timestamps is kept for longer.
Status Segment::release_reserved(std::vector<std::string>& notes) {
  if (active_ == nullptr || reserved_ <= size_) return {};
  reserved_ = 0;
  if (auto status = active_->truncate(size_); !status) return status;
  if (const auto status = disk_.set_modified(path(kLogSuffix), modified_ms_); !status)
    notes.push_back(fmt::format("The time of change of {} could not be set back: {}", path(kLogSuffix),
                                status.error().context));
  return {};
}

bool Segment::time_to_roll(std::int64_t max_timestamp, std::int64_t now_ms, const LogConfig& config) const {
  const std::int64_t limit = config.segment_ms - config.segment_jitter_ms;
  // With a first timestamp the records' own time counts; else the time since the segment was made.
  if (first_timestamp_ && *first_timestamp_ >= 0) return max_timestamp - *first_timestamp_ > limit;
  return now_ms - created_ms_ > limit;
}

bool Segment::should_roll(const Append& append, const LogConfig& config) const {
  if (append.last_offset - base_offset_ > INT32_MAX) return true;
  if (static_cast<std::int64_t>(size_) > config.segment_bytes - static_cast<std::int64_t>(append.bytes))
    return true;
  if (offsets_.full(config.index_bytes_max) || times_.full(config.index_bytes_max)) return true;
  return size_ > 0 && time_to_roll(append.max_timestamp, append.now_ms, config);
}

Result<std::optional<FoundBatch>> Segment::find(std::int64_t offset) {
  auto start = offsets_.lookup(offset);
  if (!start) return start.error();
  const auto position = static_cast<std::uint64_t>(start->position);
  // One entry earlier, so that a base offset that rotted is seen beside what is before it.
  if (position < found_ && (position < checked_from_ || position >= checked_to_)) {
    start = offsets_.lookup(start->offset - 1);
    if (!start) return start.error();
  }
  const auto file = this->file();
  if (!file) return file.error();
  BatchScan scan(**file, static_cast<std::uint64_t>(start->position), size_, BatchScan::Mode::headers);
  std::int64_t next = base_offset_;
  while (scan.next()) {
    const record::BatchView& batch = scan.batch();
    if ((batch.magic() >= 2 ? batch.offset_field() : batch.last_offset()) < next)
      return make_error(Errc::corrupt, "{} has no offset from {} on at position {}", path(kLogSuffix), next,
                        scan.position());
    next = scan.batch().next_offset();
    if (scan.batch().last_offset() >= offset)
      return std::optional<FoundBatch>{{scan.batch().offset_field(), scan.position(), scan.size()}};
  }
  if (scan.error()) return *scan.error();
  if (scan.broken())
    return make_error(Errc::corrupt, "{} has no batch at position {}", path(kLogSuffix),
                      scan.next_position());
  return std::optional<FoundBatch>{};
}

Result<std::uint64_t> Segment::checked(std::uint64_t position, std::uint64_t size,
                                       const LeaderEpochs& epochs) {
  const std::uint64_t end = std::min(position + size, found_);
  if (position >= end) return size;
  if (position < checked_from_ || position > checked_to_) {
    checked_from_ = checked_to_ = position;
    checked_next_ = base_offset_;
    checked_epoch_.reset();
  }
  if (checked_to_ >= end) return size;
  const auto file = this->file();
  if (!file) return file.error();
  BatchScan scan(**file, checked_to_, found_, BatchScan::Mode::whole);
  while (checked_to_ < end && scan.next() && scan.batch().is_valid()) {
    const auto fit = fits(scan, checked_next_, checked_epoch_, epochs);
    if (!fit) return fit.error();
    if (!*fit) break;
    checked_to_ = scan.next_position();
    checked_next_ = scan.batch().next_offset();
    checked_epoch_ = scan.batch().leader_epoch();
  }
  if (scan.error()) return *scan.error();
  if (checked_to_ >= end) return size;
  if (checked_to_ > position) return checked_to_ - position;
  return make_error(Errc::corrupt, "{} has no valid batch at position {}", path(kLogSuffix), position);
}

Result<bool> Segment::fits(const BatchScan& scan, std::int64_t expected, std::optional<std::int32_t> before,
                           const LeaderEpochs& epochs) {
  const auto file = this->file();
  if (!file) return file.error();
  const auto ordered = in_order(**file, scan, size_, expected);
  if (!ordered || !*ordered) return ordered;
  return of_its_epoch(**file, scan, size_, before, epochs);
}

Result<Segment::Sound> Segment::sound(const LeaderEpochs& epochs) {
  const auto file = this->file();
  if (!file) return file.error();
  Sound sound{0, base_offset_};
  BatchScan scan(**file, 0, size_, BatchScan::Mode::whole);
  std::optional<std::int32_t> epoch;
  while (scan.next() && scan.batch().is_valid()) {
    const auto fit = fits(scan, sound.next_offset, epoch, epochs);
    if (!fit) return fit.error();
    if (!*fit) break;
    sound = {scan.next_position(), scan.batch().next_offset()};
    epoch = scan.batch().leader_epoch();
  }
  if (scan.error()) return *scan.error();
  return sound;
}

Result<std::int64_t> Segment::read_next_offset() {
  if (size_ == 0) return base_offset_;
  const auto start = offsets_.last() ? offsets_.last()->position : 0;
  const auto file = this->file();
  if (!file) return file.error();
  BatchScan scan(**file, static_cast<std::uint64_t>(start), size_, BatchScan::Mode::headers);
  std::int64_t next = base_offset_;
  while (scan.next()) {
    next = scan.batch().next_offset();
    if (!first_timestamp_ && scan.position() == 0) first_timestamp_ = scan.batch().max_timestamp();
    if (scan.batch().max_timestamp() > max_.timestamp)
      max_ = {scan.batch().max_timestamp(), scan.batch().last_offset()};
  }
  if (scan.error()) return *scan.error();
  if (scan.broken() || next < base_offset_)
    return make_error(Errc::corrupt, "{} has no batch at position {}", path(kLogSuffix),
                      scan.next_position());
  return next;
}

Result<std::optional<TimestampFound>> Segment::find_timestamp(std::int64_t timestamp, std::int64_t from) {
  const auto hint = times_.lookup(timestamp);
  if (!hint) return hint.error();
  // An entry says that no batch up to its offset has a larger timestamp than it; one that reaches the target
  // may itself hold the record.
  const auto start = offsets_.lookup(std::max(hint->offset, from));
  if (!start) return start.error();
  const auto file = this->file();
  if (!file) return file.error();
  BatchScan scan(**file, static_cast<std::uint64_t>(start->position), size_, BatchScan::Mode::whole);
  while (scan.next()) {
    if (scan.batch().max_timestamp() < timestamp || scan.batch().last_offset() < from) continue;
    record::RecordReader reader(scan.batch());
    record::RecordView record;
    while (reader.next(record)) {
      if (record.timestamp >= timestamp && record.offset >= from)
        return std::optional<TimestampFound>{{record.timestamp, record.offset, scan.batch().leader_epoch()}};
    }
  }
  if (scan.error()) return *scan.error();
  if (scan.broken())
    return make_error(Errc::corrupt, "{} has no batch at position {}", path(kLogSuffix),
                      scan.next_position());
  return std::optional<TimestampFound>{};
}

void Segment::note_batch(const record::BatchView& batch, std::uint64_t position, std::uint64_t size,
                         const LogConfig& config, Status& status) {
  if (position == 0) first_timestamp_ = batch.max_timestamp();
  if (batch.max_timestamp() > max_.timestamp) max_ = {batch.max_timestamp(), batch.last_offset()};
  if (bytes_since_index_ > static_cast<std::uint64_t>(config.index_interval_bytes))
    status = index_append(batch.last_offset(), position);
  bytes_since_index_ += size;
}

Status Segment::truncate_bytes(std::uint64_t size) {
  if (size == size_) return {};
  if (active_ == nullptr) {
    auto file = disk_.open(path(kLogSuffix), fs::OpenMode::write);
    if (!file) return file.error();
    if (auto status = (*file)->truncate(size); !status) return status;
  } else {
    if (auto status = active_->truncate(size); !status) return status;
    active_->set_append_position(size);
  }
  reserved_ = 0;  // went with what was cut
  size_ = size;
  for (std::uint64_t* end : {&written_back_, &found_, &checked_from_, &checked_to_})
    *end = std::min(*end, size_);
  return {};
}

Result<std::uint64_t> Segment::truncate_to(std::int64_t offset) {
  const auto found = find(offset);
  if (!found) return found.error();
  const std::uint64_t keep = *found ? (*found)->position : size_;
  // The batch that holds the offset goes whole, and with it index entries of its last offset.
  const std::int64_t first_cut = *found ? std::min(offset, (*found)->base_offset) : offset;
  if (auto status = offsets_.truncate_to(std::max(first_cut, base_offset_)); !status) return status.error();
  if (auto status = times_.truncate_to(std::max(first_cut, base_offset_)); !status) return status.error();
  const std::uint64_t removed = size_ - keep;
  if (auto status = truncate_bytes(keep); !status) return status.error();
  bytes_since_index_ = 0;
  if (size_ == 0) first_timestamp_.reset();
  if (auto status = load_max_timestamp(); !status) return status.error();
  if (const auto next = read_next_offset(); !next)
    return next.error();  // takes up the largest timestamp again
  return removed;
}

Status Segment::finish_indexes() { return times_.maybe_append(max_); }

Status Segment::flush_indexes(bool sync) {
  if (auto status = offsets_.file().flush(sync); !status) return status;
  if (auto status = times_.file().flush(sync); !status || !sync) return status;
  const auto aborted = disk_.open(txn_index_path(), fs::OpenMode::read);
  if (!aborted) return aborted.error().code == Errc::not_found ? Status{} : Status{aborted.error()};
  return (*aborted)->datasync();
}

Status Segment::close(std::vector<std::string>& notes) {
  if (auto status = release_reserved(notes); !status) return status;
  if (auto status = finish_indexes(); !status) return status;
  return flush_indexes(false);
}

Status Segment::add_suffix(std::string_view suffix) {
  for (const std::string_view name : {kLogSuffix, kIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
    const std::string from = path(name);
    const auto status = disk_.rename(from, from + std::string(suffix));
    if (!status && status.error().code != Errc::not_found) return status;
  }
  suffix_ += suffix;
  offsets_.file().moved(path(kIndexSuffix));
  times_.file().moved(path(kTimeIndexSuffix));
  return {};
}

Status Segment::unlink_files() {
  for (const std::string_view name : {kLogSuffix, kIndexSuffix, kTimeIndexSuffix, kTxnIndexSuffix}) {
    const auto status = disk_.unlink(path(name));
    if (!status && status.error().code != Errc::not_found) return status;
  }
  return {};
}

void Segment::moved(std::string dir) {
  dir_ = std::move(dir);
  offsets_.file().moved(path(kIndexSuffix));
  times_.file().moved(path(kTimeIndexSuffix));
}

}  // namespace tandem::broker::log
