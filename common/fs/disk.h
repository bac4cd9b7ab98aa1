// Disk and File: the only way to files, so that storage works the same on POSIX (posix_disk.h) and on a
// simulated disk that forgets what was not synced. Every error names call, file and errno text; ENOSPC and
// EDQUOT are Errc::no_space, ENOENT not_found, EEXIST already_exists, all else io.
// A File belongs to one thread for append/pwrite/truncate; pread and datasync may run on another meanwhile.
// A failed sync is final: the kernel may have dropped the pages, so a caller never retries it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tandem::fs {

using base::Result;
using base::Status;

enum class OpenMode {
  read,        // existing file, reading only
  write,       // existing file, reading and writing
  create,      // reading and writing, made when missing
  create_new,  // made here; already_exists when it is there
};

class File {
 public:
  virtual ~File() = default;

  virtual const std::string& path() const = 0;
  // The descriptor for sendfile, open as long as this File; -1 where there is none (simulation).
  virtual int fd() const = 0;

  // Writes at the append position: the end of the file when opened, moved by append and truncate. After an
  // error the bytes past the old position are undefined and the position is unchanged.
  virtual Status append(std::string_view bytes) = 0;
  virtual Status append(std::span<const std::string_view> pieces) = 0;  // one gathered write
  virtual std::uint64_t append_position() const = 0;
  virtual void set_append_position(std::uint64_t offset) = 0;  // for files preallocated past their data

  virtual Status pwrite(std::uint64_t offset, std::string_view bytes) = 0;
  // Fills `out`; fewer bytes only where the file ends.
  virtual Result<std::size_t> pread(std::uint64_t offset, std::span<char> out) const = 0;

  virtual Status datasync() = 0;
  virtual Status sync() = 0;
  virtual Result<std::uint64_t> size() const = 0;
  virtual Status truncate(std::uint64_t size) = 0;  // also grows, with a hole
  // Writes zeros over [offset, offset + size), so that later datasyncs there change no metadata.
  virtual Status preallocate_zeroed(std::uint64_t offset, std::uint64_t size) = 0;

  // Hints; failures do not matter. Set blocks aside for bytes past the end (the size stays, truncate gives
  // back what is past it); start writing the range back; drop it from the page cache.
  virtual void reserve(std::uint64_t offset, std::uint64_t size) = 0;
  virtual void write_back(std::uint64_t offset, std::uint64_t size) = 0;
  virtual void drop_cache(std::uint64_t offset, std::uint64_t size) = 0;
};

// Held until destroyed.
class Lock {
 public:
  virtual ~Lock() = default;
};

struct DirEntry {
  std::string name;
  bool is_directory = false;
};

struct FileInfo {
  std::uint64_t size = 0;
  std::int64_t modified_ms = 0;  // wall time of the last change
  bool is_directory = false;
};

struct DiskSpace {
  std::uint64_t total_bytes = 0;
  std::uint64_t usable_bytes = 0;  // what an unprivileged process can still write
};

class Disk {
 public:
  virtual ~Disk() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  virtual Status unlink(const std::string& path) = 0;                         // not_found when missing
  virtual Status make_dirs(const std::string& path) = 0;                      // with parents; fine when there
  virtual Status remove_dir(const std::string& path) = 0;                     // must be empty
  virtual Status sync_dir(const std::string& path) = 0;
  virtual Result<std::vector<DirEntry>> list(const std::string& path) = 0;  // sorted, without . and ..
  virtual Result<FileInfo> info(const std::string& path) = 0;
  virtual Result<DiskSpace> space(const std::string& path) = 0;
  virtual Status set_modified(const std::string& path, std::int64_t wall_ms) = 0;
  // Exclusive lock of the whole file as Java's FileChannel.tryLock takes it (fcntl F_SETLK), the file made
  // when missing; Errc::unavailable when another process holds it. Opening and closing the same path through
  // open() would release it (POSIX): lock files are only locked.
  virtual Result<std::unique_ptr<Lock>> lock(const std::string& path) = 0;
};

// The whole file; limit_exceeded past max_size bytes.
Result<std::string> read_file(Disk& disk, const std::string& path, std::uint64_t max_size = 64U << 20U);
bool exists(Disk& disk, const std::string& path);
// Everything below and the directory itself; missing is fine.
Status remove_tree(Disk& disk, const std::string& path);
std::string join(std::string_view directory, std::string_view name);
std::string parent(std::string_view path);     // "." when there is no slash
std::string base_name(std::string_view path);  // after the last slash

}  // namespace tandem::fs
