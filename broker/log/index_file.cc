#include "broker/log/index_file.h"

#include <cstring>

namespace tandem::broker::log {

using base::Errc;
using base::make_error;
using base::Result;
using base::Status;

Status IndexFile::open() {
  const auto info = disk_.info(path_);
  if (!info) return info.error();
  if (info->size % entry_size_ != 0)
    return make_error(Errc::corrupt, "{} has {} bytes, not a multiple of {}", path_, info->size, entry_size_);
  written_ = info->size / entry_size_;
  pending_.clear();
  return {};
}

Status IndexFile::create() {
  written_ = 0;
  pending_.clear();
  const auto file = disk_.open(path_, fs::OpenMode::create);
  if (!file) return file.error();
  return (*file)->truncate(0);
}

Status IndexFile::append(std::string_view entry) {
  ENSURE(entry.size() == entry_size_);
  pending_.append(entry);
  return pending_.size() < kBlockBytes ? Status{} : flush();
}

Status IndexFile::flush(bool sync) {
  if (pending_.empty() && !sync) return {};
  const auto file = disk_.open(path_, fs::OpenMode::create);
  if (!file) return file.error();
  if (!pending_.empty()) {
    if (auto status = (*file)->pwrite(written_ * entry_size_, pending_); !status) return status;
    written_ += pending_.size() / entry_size_;
    pending_.clear();
    pending_.shrink_to_fit();
  }
  return sync ? (*file)->datasync() : Status{};
}

Status IndexFile::truncate(std::size_t count) {
  if (count >= this->count()) return {};
  if (count >= written_) {
    pending_.resize((count - written_) * entry_size_);
    return {};
  }
  pending_.clear();
  const auto file = disk_.open(path_, fs::OpenMode::write);
  if (!file) return file.error();
  if (auto status = (*file)->truncate(count * entry_size_); !status) return status;
  written_ = count;
  return {};
}

Status IndexFile::read(std::size_t index, char* out) const {
  if (index >= written_) {
    std::memcpy(out, pending_.data() + (index - written_) * entry_size_, entry_size_);
    return {};
  }
  if (reader_ == nullptr) {
    auto opened = disk_.open(path_, fs::OpenMode::read);
    if (!opened) return opened.error();
    reader_ = std::move(*opened);
  }
  const auto count = reader_->pread(index * entry_size_, std::span<char>(out, entry_size_));
  if (!count) return count.error();
  if (*count != entry_size_) return make_error(Errc::corrupt, "{} ends before entry {}", path_, index);
  return {};
}

Result<std::string> IndexFile::entry(std::size_t index) const {
  ENSURE(index < count(), "entry {} of {} in {}", index, count(), path_);
  std::string out(entry_size_, '\0');
  if (auto status = read(index, out.data()); !status) return status.error();
  return out;
}

Result<std::size_t> IndexFile::partition_point(const std::function<bool(std::string_view)>& is_before) const {
  std::string entry(entry_size_, '\0');
  std::size_t low = 0;
  std::size_t high = count();
  // Most look-ups are near the end: whether memory alone answers is one comparison.
  if (written_ > 0 && high > written_) {
    if (auto status = read(written_, entry.data()); !status) return status.error();
    if (is_before(entry)) low = written_ + 1;
  }
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (auto status = read(middle, entry.data()); !status) return status.error();
    if (is_before(entry)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace tandem::broker::log
