#include "fs/page_cache.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

namespace tandem::fs {

void read_ahead(const File& file, std::uint64_t offset, std::uint64_t size) {
  if (file.fd() < 0) return;
  ::posix_fadvise(file.fd(), static_cast<off_t>(offset), static_cast<off_t>(size), POSIX_FADV_WILLNEED);
}

Status finish_write_back(File& file, std::uint64_t offset, std::uint64_t size) {
  constexpr unsigned kAll = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  if (file.fd() < 0) return {};
  for (;;) {
    if (::sync_file_range(file.fd(), static_cast<off64_t>(offset), static_cast<off64_t>(size), kAll) == 0)
      return {};
    if (errno == EINTR) continue;
    const int error = errno;
    return base::make_error(error == ENOSPC || error == EDQUOT ? base::Errc::no_space : base::Errc::io,
                            "writing {} back failed: {}", file.path(), std::strerror(error));
  }
}

}  // namespace tandem::fs
