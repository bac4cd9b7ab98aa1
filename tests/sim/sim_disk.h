// A disk that forgets: fs::Disk in memory as the storage code sees it, with what a power cut, a failing sync,
// a full, failing or rotting disk do to it, or to one of its directories. A write is in the cache until its
// file is synced, a new, renamed or removed name until its directory is. A kill loses nothing; after a power
// cut any subset of the sectors, of the sizes and of the names that were not synced is there. Owned by one
// simulated server; one thread; its random numbers are its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "fs/disk.h"

namespace tandem::sim {

enum class Crash { kill, power };

// How a disk lies to those who sync: what careless code would do, and a run must notice.
struct DiskLies {
  bool no_file_syncs = false;
  bool no_directory_syncs = false;
  bool forgiven_syncs = false;  // those that failed
};

// What is wrong with the device below a directory.
enum class Trouble {
  none,
  writes,  // nothing can be changed or synced, what is there can be read
  reads,   // of what is not in the system's cache, if that is remembered
  all,
  full,
};

class SimDisk final : public fs::Disk {
 public:
  struct Inode {
    std::string now;              // as the cache has it
    std::string durable;          // as the platter has it
    std::set<std::size_t> dirty;  // sectors that differ, or may
    std::set<std::size_t> warm;   // that were written or read since the last crash, where that is remembered
  };

  SimDisk(base::Random random, DiskLies lies) : random_(random), lies_(lies) {}

  // ---- faults ---------------------------------------------------------------------------------------------
  // Ends dead(), full disks and armed errors too.
  void crash(Crash kind);
  // The process dies within its `changes`-th change of the disk from now on: that one is done in part,
  // nothing afterwards; `died` is called once.
  void die_after(std::uint64_t changes, std::function<void()> died);
  bool dead() const { return dead_; }
  // The system then takes what was to be synced for clean: it is in the cache and never written.
  void fail_next_sync() { fail_sync_ = true; }
  void fail_next_read() { fail_read_ = true; }
  void set_full(bool full) { full_ = full; }
  bool full() const { return full_; }
  void remember_cache() { remembers_cache_ = true; }
  // Of all below a directory ("/d"), over crashes too, until it is told none.
  void set_trouble(const std::string& dir, Trouble trouble);
  Trouble trouble(const std::string& dir) const;
  // Whether something below it has failed, or was found full, since the last crash.
  bool has_failed(const std::string& dir) const {
    return failed_.contains(dir) || failed_.contains(fs::parent(dir));
  }
  // An empty device in its place; nobody has a file of it open.
  void replace(const std::string& dir);
  // For one who looks at what is there: while it lives nothing fails, and what is armed stays armed.
  class Calm {
   public:
    explicit Calm(SimDisk& disk) : disk_(disk) { ++disk_.calm_; }
    ~Calm() { --disk_.calm_; }
    Calm(const Calm&) = delete;
    Calm& operator=(const Calm&) = delete;

   private:
    SimDisk& disk_;
  };
  // Turns bits of a byte of a file at rest.
  bool rot(const std::string& path, std::uint64_t offset, char mask = 1);
  // Other bytes of the same number, at rest.
  bool put(const std::string& path, std::uint64_t offset, std::string_view bytes);
  void set_lies(DiskLies lies) { lies_ = lies; }

  // ---- fs::Disk -------------------------------------------------------------------------------------------
  fs::Result<std::unique_ptr<fs::File>> open(const std::string& path, fs::OpenMode mode) override;
  fs::Status rename(const std::string& from, const std::string& to) override;
  fs::Status unlink(const std::string& path) override;
  fs::Status make_dirs(const std::string&) override { return {}; }
  fs::Status remove_dir(const std::string&) override { return {}; }
  fs::Status sync_dir(const std::string& path) override;
  fs::Result<std::vector<fs::DirEntry>> list(const std::string& path) override;
  fs::Result<fs::FileInfo> info(const std::string& path) override;
  fs::Result<fs::DiskSpace> space(const std::string& path) override;
  fs::Status set_modified(const std::string&, std::int64_t) override { return {}; }
  fs::Result<std::unique_ptr<fs::Lock>> lock(const std::string&) override {
    return std::make_unique<fs::Lock>();
  }

 private:
  friend class SimFile;
  using InodePtr = std::shared_ptr<Inode>;
  struct NameChange {
    std::string name;  // taken away, unless it is of a new file
    std::string to;    // gets `inode`; empty: an unlink
    InodePtr inode;
    bool directory = false;  // all that is below the name moves below the other
  };

  // Whether a change may be made at all, and how much of it: all, or less when the process dies in it.
  fs::Status change(const char* call, const std::string& path, double* share = nullptr);
  Trouble trouble_at(const std::string& path) const;
  bool fails(const std::string& path, bool is_change);  // by a trouble
  base::Error failure(const char* call, const std::string& path);
  base::Error no_room(const char* call, const std::string& path);
  fs::Status write(Inode& inode, const std::string& path, std::uint64_t offset, std::string_view bytes);
  fs::Status truncate(Inode& inode, const std::string& path, std::uint64_t size);
  fs::Status sync(Inode& inode, const std::string& path);
  bool is_warm(const Inode& inode, std::uint64_t offset, std::uint64_t end) const;
  void warm(Inode& inode, std::uint64_t offset, std::uint64_t end) const;
  fs::Result<std::size_t> read(Inode& inode, const std::string& path, std::uint64_t offset,
                               std::span<char> out);
  bool is_directory(const std::string& path) const;
  void rename_directory(const std::string& from, const std::string& to);
  static void apply(std::map<std::string, InodePtr>& names, const NameChange& change);
  void lose_names();
  void lose_sectors(Inode& inode);

  base::Random random_;
  DiskLies lies_;
  std::map<std::string, InodePtr> names_;
  std::map<std::string, InodePtr> durable_names_;
  std::vector<NameChange> changes_;  // of names, not synced

  std::uint64_t changes_left_ = 0;  // until death; 0: it is not armed
  std::function<void()> died_;
  bool dead_ = false;
  bool fail_sync_ = false;
  bool fail_read_ = false;
  bool full_ = false;
  std::map<std::string, Trouble> troubles_;  // by directory
  std::set<std::string> failed_;             // directories
  bool remembers_cache_ = false;
  int calm_ = 0;
};

}  // namespace tandem::sim
