#include "fs/posix_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace tandem::fs {

namespace {

base::Error errno_error(int error, const char* call, const std::string& path) {
  using base::Errc;
  Errc code = Errc::io;
  if (error == ENOSPC || error == EDQUOT) code = Errc::no_space;
  if (error == ENOENT) code = Errc::not_found;
  if (error == EEXIST) code = Errc::already_exists;
  std::array<char, 128> text{};
  const char* message = ::strerror_r(error, text.data(), text.size());
  return base::make_error(code, "{} of {} failed: {}", call, path, message);
}

// Repeats a call that a signal interrupted.
template <class Call>
auto retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class PosixFile final : public File {
 public:
  PosixFile(std::string path, int fd, std::uint64_t end) : path_(std::move(path)), fd_(fd), end_(end) {}
  ~PosixFile() override { ::close(fd_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  const std::string& path() const override { return path_; }
  int fd() const override { return fd_; }
  std::uint64_t append_position() const override { return end_; }
  void set_append_position(std::uint64_t offset) override { end_ = offset; }

  Status append(std::string_view bytes) override {
    if (auto status = pwrite(end_, bytes); !status) return status;
    end_ += bytes.size();
    return {};
  }

  Status append(std::span<const std::string_view> pieces) override;
  Status pwrite(std::uint64_t offset, std::string_view bytes) override;
  Result<std::size_t> pread(std::uint64_t offset, std::span<char> out) const override;

  Status datasync() override {
    return check(retry([&] { return ::fdatasync(fd_); }), "fdatasync");
  }
  Status sync() override {
    return check(retry([&] { return ::fsync(fd_); }), "fsync");
  }

  Result<std::uint64_t> size() const override {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return errno_error(errno, "fstat", path_);
    return static_cast<std::uint64_t>(info.st_size);
  }

  Status truncate(std::uint64_t size) override {
    if (auto status = check(retry([&] { return ::ftruncate(fd_, static_cast<off_t>(size)); }), "ftruncate");
        !status)
      return status;
    end_ = size;
    return {};
  }

  Status preallocate_zeroed(std::uint64_t offset, std::uint64_t size) override;

  void reserve(std::uint64_t offset, std::uint64_t size) override {
    ::fallocate(fd_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(size));
  }
  void write_back(std::uint64_t offset, std::uint64_t size) override {
    ::sync_file_range(fd_, static_cast<off64_t>(offset), static_cast<off64_t>(size), SYNC_FILE_RANGE_WRITE);
  }
  void drop_cache(std::uint64_t offset, std::uint64_t size) override {
    ::posix_fadvise(fd_, static_cast<off_t>(offset), static_cast<off_t>(size), POSIX_FADV_DONTNEED);
  }

 private:
  Status check(int result, const char* call) const {
    if (result < 0) return errno_error(errno, call, path_);
    return {};
  }

  std::string path_;
  int fd_;
  std::uint64_t end_;
};

Status PosixFile::pwrite(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count =
        retry([&] { return ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (count < 0) return errno_error(errno, "write", path_);
    offset += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Status PosixFile::append(std::span<const std::string_view> pieces) {
  constexpr std::size_t kGather = 64;
  std::uint64_t offset = end_;
  while (!pieces.empty()) {
    std::array<iovec, kGather> vectors{};
    const std::size_t count = std::min(pieces.size(), kGather);
    std::uint64_t wanted = 0;
    for (std::size_t i = 0; i < count; ++i) {
      vectors[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};  // writev reads only
      wanted += pieces[i].size();
    }
    const auto written = retry(
        [&] { return ::pwritev(fd_, vectors.data(), static_cast<int>(count), static_cast<off_t>(offset)); });
    if (written < 0) return errno_error(errno, "write", path_);
    auto rest = static_cast<std::uint64_t>(written);
    offset += rest;
    if (rest < wanted) {  // rare: finish this group piece by piece
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t done = std::min<std::uint64_t>(rest, pieces[i].size());
        rest -= done;
        const std::string_view left = pieces[i].substr(done);
        if (auto status = pwrite(offset, left); !status) return status;
        offset += left.size();
      }
    }
    pieces = pieces.subspan(count);
  }
  end_ = offset;
  return {};
}

Result<std::size_t> PosixFile::pread(std::uint64_t offset, std::span<char> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto count = retry([&] {
      return ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    });
    if (count < 0) return errno_error(errno, "read", path_);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Status PosixFile::preallocate_zeroed(std::uint64_t offset, std::uint64_t size) {
  static constexpr std::array<char, 65536> kZeros{};
  while (size > 0) {
    const auto part = std::min<std::uint64_t>(size, kZeros.size());
    if (auto status = pwrite(offset, {kZeros.data(), part}); !status) return status;
    offset += part;
    size -= part;
  }
  return {};
}

class PosixLock final : public Lock {
 public:
  explicit PosixLock(int fd) : fd_(fd) {}
  ~PosixLock() override { ::close(fd_); }  // releases the lock
  PosixLock(const PosixLock&) = delete;
  PosixLock& operator=(const PosixLock&) = delete;

 private:
  int fd_;
};

int open_flags(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::write:
      return O_RDWR;
    case OpenMode::create:
      return O_RDWR | O_CREAT;
    case OpenMode::create_new:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  UNREACHABLE("open mode {}", static_cast<int>(mode));
}

}  // namespace

Result<std::unique_ptr<File>> PosixDisk::open(const std::string& path, OpenMode mode) {
  const int fd = retry([&] { return ::open(path.c_str(), open_flags(mode) | O_CLOEXEC, 0644); });
  if (fd < 0) return errno_error(errno, "open", path);
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    const int error = errno;
    ::close(fd);
    return errno_error(error, "fstat", path);
  }
  return std::unique_ptr<File>(new PosixFile(path, fd, static_cast<std::uint64_t>(info.st_size)));
}

Status PosixDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return errno_error(errno, "rename", from + " to " + to);
  return {};
}

Status PosixDisk::unlink(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return errno_error(errno, "unlink", path);
  return {};
}

Status PosixDisk::make_dirs(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) return {};
  const int error = errno;
  struct stat info {};
  if (error == EEXIST && ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  const std::string above = parent(path);
  if (error != ENOENT || above == path || above == ".") return errno_error(error, "mkdir", path);
  if (auto status = make_dirs(above); !status) return status;
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return errno_error(errno, "mkdir", path);
  return {};
}

Status PosixDisk::remove_dir(const std::string& path) {
  if (::rmdir(path.c_str()) != 0) return errno_error(errno, "rmdir", path);
  return {};
}

Status PosixDisk::sync_dir(const std::string& path) {
  const int fd = retry([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (fd < 0) return errno_error(errno, "open", path);
  const int result = retry([&] { return ::fsync(fd); });
  const int error = errno;
  ::close(fd);
  if (result != 0) return errno_error(error, "fsync", path);
  return {};
}

Result<std::vector<DirEntry>> PosixDisk::list(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (directory == nullptr) return errno_error(errno, "opendir", path);
  std::vector<DirEntry> entries;
  errno = 0;
  while (const dirent* item = ::readdir(directory)) {
    const std::string name = item->d_name;
    if (name == "." || name == "..") continue;
    bool is_directory = item->d_type == DT_DIR;
    if (item->d_type == DT_UNKNOWN || item->d_type == DT_LNK) {
      struct stat info {};
      is_directory = ::stat(join(path, name).c_str(), &info) == 0 && S_ISDIR(info.st_mode);
    }
    entries.push_back({name, is_directory});
    errno = 0;
  }
  const int error = errno;
  ::closedir(directory);
  if (error != 0) return errno_error(error, "readdir", path);
  std::sort(entries.begin(), entries.end(),
            [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
  return entries;
}

Result<FileInfo> PosixDisk::info(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno_error(errno, "stat", path);
  return FileInfo{static_cast<std::uint64_t>(info.st_size),
                  std::int64_t{info.st_mtim.tv_sec} * 1000 + info.st_mtim.tv_nsec / 1'000'000,
                  S_ISDIR(info.st_mode)};
}

Result<DiskSpace> PosixDisk::space(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return errno_error(errno, "statvfs", path);
  return DiskSpace{std::uint64_t{info.f_blocks} * info.f_frsize,
                   std::uint64_t{info.f_bavail} * info.f_frsize};
}

Status PosixDisk::set_modified(const std::string& path, std::int64_t wall_ms) {
  const timespec time{wall_ms / 1000, (wall_ms % 1000) * 1'000'000};
  const std::array<timespec, 2> times{time, time};
  if (::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) != 0) return errno_error(errno, "utimensat", path);
  return {};
}

Result<std::unique_ptr<Lock>> PosixDisk::lock(const std::string& path) {
  const int fd = retry([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644); });
  if (fd < 0) return errno_error(errno, "open", path);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (retry([&] { return ::fcntl(fd, F_SETLK, &whole); }) != 0) {
    const int error = errno;
    ::close(fd);
    if (error == EACCES || error == EAGAIN) {
      return base::make_error(base::Errc::unavailable, "{} is locked by another process", path);
    }
    return errno_error(error, "lock", path);
  }
  return std::unique_ptr<Lock>(new PosixLock(fd));
}

}  // namespace tandem::fs
