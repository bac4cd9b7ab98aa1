#include "coord/storage/log_range.h"

#include <algorithm>
#include <utility>

#include "bytes/reader.h"
#include "coord/records/txn.h"
#include "jute/codec.h"

namespace tandem::coord::storage {

using base::Result;
using records::TxnRef;

namespace {

// Log that is sent rather than even the smallest snapshot.
constexpr std::uint64_t kShareFloor = 4U << 20;

}  // namespace

std::uint64_t log_share_of_snapshot(std::uint64_t snapshot_bytes, double factor) {
  return std::max(kShareFloor, static_cast<std::uint64_t>(static_cast<double>(snapshot_bytes) * factor));
}

Result<std::unique_ptr<LogRange>> LogRange::open(fs::Disk& disk, const std::string& log_directory,
                                                 Zxid loaded, Zxid from, std::uint64_t bytes_max) {
  if (records::epoch_of(from) < records::epoch_of(loaded)) return std::unique_ptr<LogRange>();
  std::unique_ptr<LogRange> range(new LogRange(disk, log_directory, loaded, from));
  const auto found = range->find(bytes_max);
  if (!found) return found.error();
  if (!*found) range.reset();
  return range;
}

// Leaves ahead_ at the last transaction at or before the learner's.
Result<bool> LogRange::find(std::uint64_t bytes_max) {
  auto files = list_logs(disk_, directory_);
  if (!files) return files.error();
  const auto behind =
      std::find_if(files->begin(), files->end(), [&](const auto& f) { return f.zxid > from_; });
  if (behind == files->begin()) return false;
  files_.assign(behind - 1, files->end());
  std::uint64_t bytes = 0;
  for (std::size_t i = 1; i < files_.size(); ++i) {
    const auto info = disk_.info(fs::join(directory_, files_[i].name));
    if (!info) return info.error();
    bytes += info->size;
  }
  std::optional<TxnRef> anchor;
  for (;;) {
    auto txn = read_one();
    if (!txn) return txn.error();
    if (!*txn || (*txn)->zxid > from_) {
      if (anchor) ahead_.push_back(std::move(*anchor));
      if (*txn) ahead_.push_back(std::move(**txn));
      break;
    }
    anchor = std::move(*txn);
  }
  if (!anchor) return false;
  if (at_ == 0 && reader_ != nullptr) bytes += reader_->size() - std::min(reader_->size(), reader_->offset());
  return bytes <= bytes_max;
}

// Whoever reads sees a hole within an epoch.
base::Status LogRange::follow(Zxid zxid) {
  const auto last = std::exchange(last_, zxid);
  if (!last || records::epoch_of(*last) == records::epoch_of(zxid)) return {};
  if (std::max(*last, from_) >= loaded_) return {};
  return base::make_error(
      base::Errc::corrupt,
      "nothing shows that 0x{:x} was the last of its epoch in {}, beneath snapshot 0x{:x}", bits(*last),
      directory_, bits(loaded_));
}

Result<std::optional<TxnRef>> LogRange::read_one() {
  for (;;) {
    if (reader_ == nullptr) {
      if (at_ >= files_.size()) return std::optional<TxnRef>();
      auto reader = TxnLogReader::open(disk_, fs::join(directory_, files_[at_].name));
      if (!reader) return reader.error();
      reader_ = std::move(*reader);
    }
    const auto payload = reader_->next();
    if (!payload) return payload.error();
    if (payload->has_value()) {
      const auto header = jute::decoded<records::TxnHeader>(**payload);
      if (!header) return header.error();
      if (auto status = follow(header->zxid); !status) return status.error();
      return std::optional<TxnRef>(TxnRef{header->zxid, bytes::Slice::own(std::string(**payload))});
    }
    // Where the next file begins a new epoch its zxids do not show what is missing before it.
    if (reader_->end() != LogEnd::clean && at_ + 1 < files_.size())
      return base::make_error(base::Errc::corrupt, "{} at offset {}: {}, and another file follows",
                              fs::join(directory_, files_[at_].name), reader_->offset(),
                              to_string(reader_->end()));
    reader_.reset();
    ++at_;
  }
}

Result<std::vector<TxnRef>> LogRange::next(std::size_t bytes, Zxid through) {
  std::vector<TxnRef> txns;
  for (std::size_t taken = 0; taken < bytes;) {
    if (ahead_.empty()) {
      auto txn = read_one();
      if (!txn) return txn.error();
      if (!*txn) break;
      ahead_.push_back(std::move(**txn));
    }
    if (ahead_.front().zxid > through) break;
    taken += ahead_.front().payload.size();
    txns.push_back(std::move(ahead_.front()));
    ahead_.pop_front();
  }
  return txns;
}

}  // namespace tandem::coord::storage
