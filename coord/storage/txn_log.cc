#include "coord/storage/txn_log.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/checksum.h"
#include "bytes/writer.h"

namespace tandem::coord::storage {

using base::Errc;
using base::Status;

namespace {

// Zeroed at a time: the first part of a file, and further ones. Larger steps would delay a batch that comes
// meanwhile; smaller ones make more syncs change the file's size.
constexpr std::uint64_t kFirstZeroStep = 256U << 10;
constexpr std::uint64_t kZeroStep = 1U << 20;
// Zeroing starts when fewer than this many bytes are ready.
constexpr std::uint64_t kZeroReserve = 64U << 10;
// The part of the free space that zeroing may take: the rest is for snapshots and others.
constexpr std::uint64_t kFreeShare = 8;

}  // namespace

void frame_entry(std::string& out, std::string_view payload) {
  bytes::Writer writer(out);
  writer.i64(base::adler32(payload));
  writer.i32(static_cast<std::int32_t>(payload.size()));
  writer.bytes(payload);
  writer.u8(kEndOfRecord);
}

Status TxnLog::open(Zxid first) {
  const std::string path = fs::join(options_.directory, log_name(first));
  if (auto status = mark_.begin(disk_, options_.directory, first, options_.sync); !status) return status;
  // A file of this name can only hold a transaction that never became whole: recovery read it.
  auto file = disk_.open(path, fs::OpenMode::create);
  if (!file) return file.error();
  if ((*file)->append_position() > 0) {
    if (auto status = (*file)->truncate(0); !status) return status;
  }
  path_ = path;
  file_first_ = first;
  position_ = zeroed_ = 0;
  may_zero_ = true;
  directory_synced_ = mark_set_ = false;
  if (auto status = (*file)->pwrite(0, encode_file_header(kLogMagic, kLogDbId)); !status) {
    file->reset();
    static_cast<void>(disk_.unlink(path));  // best effort: an empty last file is tolerated at start
    return status;
  }
  file_ = std::move(*file);
  position_ = zeroed_ = kFileHeaderSize;
  return {};
}

Status TxnLog::zero_ahead() {
  if (!may_zero_ || options_.preallocate_bytes == 0 || position_ + kZeroReserve <= zeroed_) return {};
  const std::uint64_t wanted = position_ < kFirstZeroStep - kZeroReserve ? kFirstZeroStep : kZeroStep;
  const std::uint64_t step = std::min(wanted, options_.preallocate_bytes);
  if (const auto space = disk_.space(options_.directory); space && space->usable_bytes / kFreeShare < step) {
    may_zero_ = false;
    return {};
  }
  // The file ends where a step ends, as a preallocated file of Apache's does.
  const std::uint64_t target = (zeroed_ / step + 1) * step;
  auto status = file_->preallocate_zeroed(zeroed_, target - zeroed_);
  if (!status && status.error().code == Errc::no_space) {
    may_zero_ = false;
    return file_->truncate(position_);
  }
  if (!status) return status;
  zeroed_ = target;
  return options_.sync ? file_->datasync() : Status();
}

bool TxnLog::has_room(std::uint64_t bytes) const {
  return file_ != nullptr && mark_set_ && position_ + bytes + kZeroReserve <= zeroed_;
}

Status TxnLog::cut_back(const base::Error& cause) {
  if (cause.code != Errc::no_space) return cause;
  if (auto status = file_->truncate(position_); !status) return status;
  zeroed_ = position_;
  may_zero_ = false;
  return cause;
}

Status TxnLog::write(Zxid first, std::string_view entries) {
  ENSURE(!entries.empty());
  if (file_ == nullptr) {
    if (auto status = open(first); !status) return status;
  }
  if (auto status = file_->pwrite(position_, entries); !status) return cut_back(status.error());
  position_ += entries.size();
  zeroed_ = std::max(zeroed_, position_);
  return {};
}

Status TxnLog::make_durable() {
  ENSURE(file_ != nullptr);
  if (!options_.sync) return {};
  if (auto status = file_->datasync(); !status) return status;
  if (directory_synced_) return {};
  if (auto status = disk_.sync_dir(options_.directory); !status) return status;
  directory_synced_ = true;
  return {};
}

Status TxnLog::settle() {
  ENSURE(file_ != nullptr);
  if (options_.sync) {
    const bool first = !std::exchange(mark_set_, true);
    mark_.set({file_first_, position_});
    if (first) mark_.sync();
  }
  return zero_ahead();
}

Status TxnLog::sync() {
  if (auto status = make_durable(); !status) return status;
  return settle();
}

void TxnLog::roll() {
  rolled_bytes_ += position_;
  file_.reset();
  path_.clear();
  position_ = zeroed_ = 0;
}

}  // namespace tandem::coord::storage
