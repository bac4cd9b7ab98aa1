#include "tests/sim/sim_disk.h"

#include <algorithm>
#include <utility>

namespace tandem::sim {

using base::Errc;
using base::make_error;
using fs::Result;
using fs::Status;

namespace {

constexpr std::size_t kSector = 512;
constexpr std::size_t kSectorsOfAPage = 8;
constexpr std::uint64_t kSpace = 1U << 30;

// "/d" of "/d/t0-0/1.log".
std::string top_of(const std::string& path) { return path.substr(0, path.find('/', 1)); }

}  // namespace

class SimFile final : public fs::File {
 public:
  SimFile(SimDisk& disk, std::string path, SimDisk::InodePtr inode)
      : disk_(disk), path_(std::move(path)), inode_(std::move(inode)), end_(inode_->now.size()) {}

  const std::string& path() const override { return path_; }
  int fd() const override { return -1; }
  Status append(std::string_view bytes) override {
    if (auto status = disk_.write(*inode_, path_, end_, bytes); !status) return status;
    end_ += bytes.size();
    return {};
  }
  Status append(std::span<const std::string_view> pieces) override {
    std::string all;
    for (const std::string_view piece : pieces) all += piece;
    return append(all);
  }
  std::uint64_t append_position() const override { return end_; }
  void set_append_position(std::uint64_t offset) override { end_ = offset; }
  Status pwrite(std::uint64_t offset, std::string_view bytes) override {
    return disk_.write(*inode_, path_, offset, bytes);
  }
  Result<std::size_t> pread(std::uint64_t offset, std::span<char> out) const override {
    return disk_.read(*inode_, path_, offset, out);
  }
  Status datasync() override { return disk_.sync(*inode_, path_); }
  Status sync() override { return disk_.sync(*inode_, path_); }
  Result<std::uint64_t> size() const override { return std::uint64_t{inode_->now.size()}; }
  Status truncate(std::uint64_t size) override {
    if (auto status = disk_.truncate(*inode_, path_, size); !status) return status;
    end_ = size;
    return {};
  }
  Status preallocate_zeroed(std::uint64_t offset, std::uint64_t size) override {
    return pwrite(offset, std::string(size, '\0'));
  }
  void reserve(std::uint64_t, std::uint64_t) override {}
  void write_back(std::uint64_t, std::uint64_t) override {}
  void drop_cache(std::uint64_t, std::uint64_t) override {}

 private:
  SimDisk& disk_;
  std::string path_;
  SimDisk::InodePtr inode_;
  std::uint64_t end_;
};

// ---- faults -----------------------------------------------------------------------------------------------

void SimDisk::die_after(std::uint64_t changes, std::function<void()> died) {
  changes_left_ = changes;
  died_ = std::move(died);
}

Status SimDisk::change(const char* call, const std::string& path, double* share) {
  if (dead_) return make_error(Errc::io, "{} of {} failed: the process is gone", call, path);
  if (fails(path, true)) return failure(call, path);
  if (changes_left_ == 0 || --changes_left_ != 0) return {};
  dead_ = true;
  if (const auto died = std::exchange(died_, nullptr)) died();
  if (share == nullptr) return make_error(Errc::io, "{} of {} failed: the process is gone", call, path);
  *share = static_cast<double>(random_.below(1001)) / 1000;
  return {};
}

void SimDisk::set_trouble(const std::string& dir, Trouble trouble) {
  troubles_.erase(dir);
  if (trouble != Trouble::none) troubles_[dir] = trouble;
}

Trouble SimDisk::trouble(const std::string& dir) const {
  const auto at = troubles_.find(dir);
  return at == troubles_.end() ? Trouble::none : at->second;
}

Trouble SimDisk::trouble_at(const std::string& path) const {
  return troubles_.empty() || calm_ > 0 ? Trouble::none : trouble(top_of(path));
}

bool SimDisk::fails(const std::string& path, bool is_change) {
  const Trouble trouble = trouble_at(path);
  return trouble == Trouble::all || trouble == (is_change ? Trouble::writes : Trouble::reads);
}

base::Error SimDisk::failure(const char* call, const std::string& path) {
  failed_.insert(top_of(path));
  return make_error(Errc::io, "{} of {} failed: input/output error", call, path);
}

base::Error SimDisk::no_room(const char* call, const std::string& path) {
  failed_.insert(top_of(path));
  return make_error(Errc::no_space, "{} of {} failed: no space left on device", call, path);
}

void SimDisk::replace(const std::string& dir) {
  const auto below = [&dir](const std::string& name) { return name.starts_with(dir + "/"); };
  std::erase_if(names_, [&](const auto& each) { return below(each.first); });
  std::erase_if(durable_names_, [&](const auto& each) { return below(each.first); });
  std::erase_if(changes_, [&](const NameChange& each) { return below(each.name); });
}

bool SimDisk::is_warm(const Inode& inode, std::uint64_t offset, std::uint64_t end) const {
  for (std::uint64_t sector = offset / kSector; sector * kSector < end; ++sector)
    if (!inode.warm.contains(sector)) return false;
  return remembers_cache_;
}

void SimDisk::warm(Inode& inode, std::uint64_t offset, std::uint64_t end) const {
  if (!remembers_cache_) return;
  for (std::uint64_t sector = offset / kSector; sector * kSector < end; ++sector) inode.warm.insert(sector);
}

void SimDisk::crash(Crash kind) {
  failed_.clear();
  dead_ = fail_sync_ = fail_read_ = full_ = false;
  changes_left_ = 0;
  died_ = nullptr;
  if (remembers_cache_)
    for (const auto& [name, inode] : names_) inode->warm.clear();
  if (kind == Crash::kill) return;
  lose_names();
  for (const auto& [name, inode] : names_) lose_sectors(*inode);
}

// What a name became later cannot be there when what it was before is not.
void SimDisk::lose_names() {
  const double share = static_cast<double>(random_.below(5)) / 4;
  std::set<std::string> held;
  for (const NameChange& change : changes_) {
    const bool gone = change.to.empty();
    const auto is_held = [&held](const std::string& name) {
      return held.contains(name) || held.contains(fs::parent(name));
    };
    if (!is_held(change.name) && (gone || !is_held(change.to)) && random_.chance(share)) {
      apply(durable_names_, change);
      continue;
    }
    held.insert(change.name);
    if (!gone) held.insert(change.to);
  }
  changes_.clear();
  names_ = durable_names_;
}

// None, all, those up to one, or any; by sectors or by pages.
void SimDisk::lose_sectors(Inode& inode) {
  std::uint64_t size = inode.durable.size();
  if (size != inode.now.size() && random_.chance(0.6)) {
    const std::uint64_t low = std::min<std::uint64_t>(size, inode.now.size());
    const std::uint64_t high = std::max<std::uint64_t>(size, inode.now.size());
    size = random_.chance(0.5) ? inode.now.size() : low + random_.below(high - low + 1);
  }
  inode.durable.resize(size);
  const std::size_t unit = random_.chance(0.5) ? 1 : kSectorsOfAPage;
  const std::uint64_t way = random_.below(4);
  const std::size_t first = inode.dirty.empty() ? 0 : *inode.dirty.begin() / unit;
  const std::size_t last = inode.dirty.empty() ? 0 : *inode.dirty.rbegin() / unit;
  const std::size_t up_to = first + random_.below(last - first + 2);
  std::map<std::size_t, bool> stays;
  for (const std::size_t sector : inode.dirty) {
    const std::size_t at = sector / unit;
    if (!stays.contains(at))
      stays[at] = way == 1 || (way == 2 && at < up_to) || (way == 3 && random_.chance(0.5));
    if (!stays[at] || sector * kSector >= std::min<std::size_t>(size, inode.now.size())) continue;
    const std::size_t count =
        std::min({kSector, size - sector * kSector, inode.now.size() - sector * kSector});
    inode.durable.replace(sector * kSector, count, inode.now, sector * kSector, count);
  }
  inode.dirty.clear();
  inode.now = inode.durable;
}

bool SimDisk::rot(const std::string& path, std::uint64_t offset, char mask) {
  const auto it = names_.find(path);
  if (it == names_.end() || offset >= it->second->now.size()) return false;
  it->second->now[offset] ^= mask;
  if (offset < it->second->durable.size()) it->second->durable[offset] ^= mask;
  return true;
}

bool SimDisk::put(const std::string& path, std::uint64_t offset, std::string_view bytes) {
  const auto it = names_.find(path);
  if (it == names_.end() || offset + bytes.size() > it->second->durable.size()) return false;
  it->second->now.replace(offset, bytes.size(), bytes);
  it->second->durable.replace(offset, bytes.size(), bytes);
  return true;
}

// ---- files ------------------------------------------------------------------------------------------------

Status SimDisk::write(Inode& inode, const std::string& path, std::uint64_t offset, std::string_view bytes) {
  double share = 1;
  if (auto status = change("write", path, &share); !status) return status;
  const bool full = full_ || trouble_at(path) == Trouble::full;
  const bool too_long = full && offset + bytes.size() > inode.now.size();
  if (too_long) share = static_cast<double>(random_.below(1001)) / 1000;
  const std::string_view part =
      bytes.substr(0, static_cast<std::size_t>(share * static_cast<double>(bytes.size())));
  const std::uint64_t from = std::min<std::uint64_t>(offset, inode.now.size());
  if (inode.now.size() < offset + part.size()) inode.now.resize(offset + part.size());
  inode.now.replace(offset, part.size(), part);
  for (std::size_t sector = from / kSector; sector * kSector < offset + part.size(); ++sector)
    inode.dirty.insert(sector);
  warm(inode, from, offset + part.size());
  if (too_long) return no_room("write", path);
  if (dead_) return make_error(Errc::io, "write of {} failed: the process is gone", path);
  return {};
}

Status SimDisk::truncate(Inode& inode, const std::string& path, std::uint64_t size) {
  if (auto status = change("truncate", path); !status) return status;
  const std::uint64_t low = std::min<std::uint64_t>(size, inode.now.size());
  const std::uint64_t high = std::max<std::uint64_t>(size, inode.now.size());
  for (std::size_t sector = low / kSector; sector * kSector < high; ++sector) inode.dirty.insert(sector);
  inode.now.resize(size);
  return {};
}

Status SimDisk::sync(Inode& inode, const std::string& path) {
  if (auto status = change("sync", path); !status) return status;
  if (std::exchange(fail_sync_, false)) {
    inode.dirty.clear();
    if (lies_.forgiven_syncs) return {};
    return failure("sync", path);
  }
  if (lies_.no_file_syncs) return {};
  inode.durable.resize(inode.now.size());
  for (const std::size_t sector : inode.dirty) {
    if (sector * kSector < inode.now.size())
      inode.durable.replace(sector * kSector, std::min(kSector, inode.now.size() - sector * kSector),
                            inode.now, sector * kSector, kSector);
  }
  inode.dirty.clear();
  return {};
}

Result<std::size_t> SimDisk::read(Inode& inode, const std::string& path, std::uint64_t offset,
                                  std::span<char> out) {
  if (dead_) return make_error(Errc::io, "read of {} failed: the process is gone", path);
  const std::uint64_t end = std::min<std::uint64_t>(inode.now.size(), offset + out.size());
  const bool fails_here = fails(path, false) && !is_warm(inode, offset, end);
  if (fails_here || (calm_ == 0 && std::exchange(fail_read_, false))) return failure("read", path);
  if (offset >= inode.now.size()) return std::size_t{0};
  if (calm_ == 0) warm(inode, offset, end);
  return inode.now.copy(out.data(), out.size(), offset);
}

// ---- names ------------------------------------------------------------------------------------------------

void SimDisk::apply(std::map<std::string, InodePtr>& names, const NameChange& change) {
  if (change.directory) {
    const std::string prefix = change.name + "/";
    for (auto it = names.lower_bound(prefix); it != names.end() && it->first.starts_with(prefix);) {
      auto node = names.extract(it++);
      node.key() = change.to + "/" + node.key().substr(prefix.size());
      names.insert(std::move(node));
    }
    return;
  }
  names.erase(change.name);
  if (!change.to.empty()) names[change.to] = change.inode;
}

Result<std::unique_ptr<fs::File>> SimDisk::open(const std::string& path, fs::OpenMode mode) {
  auto it = names_.find(path);
  const bool makes = mode == fs::OpenMode::create || mode == fs::OpenMode::create_new;
  if (dead_) return make_error(Errc::io, "open of {} failed: the process is gone", path);
  if (trouble_at(path) == Trouble::all) return failure("open", path);
  if (it == names_.end() && !makes)
    return make_error(Errc::not_found, "open of {} failed: no such file", path);
  if (it != names_.end() && mode == fs::OpenMode::create_new)
    return make_error(Errc::already_exists, "open of {} failed: file exists", path);
  if (it == names_.end()) {
    if (auto status = change("open", path); !status) return status.error();
    if ((full_ || trouble_at(path) == Trouble::full) && random_.chance(0.5)) return no_room("open", path);
    it = names_.emplace(path, std::make_shared<Inode>()).first;
    changes_.push_back({path, path, it->second});
  }
  return std::unique_ptr<fs::File>(new SimFile(*this, path, it->second));
}

Status SimDisk::rename(const std::string& from, const std::string& to) {
  if (auto status = change("rename", from); !status) return status;
  const auto it = names_.find(from);
  if (it == names_.end() && is_directory(from)) {
    rename_directory(from, to);
    return {};
  }
  if (it == names_.end()) return make_error(Errc::not_found, "rename of {} failed: no such file", from);
  changes_.push_back({from, to, it->second});
  apply(names_, changes_.back());
  return {};
}

// A directory is there while something is below it; its making counts as synced.
bool SimDisk::is_directory(const std::string& path) const {
  const auto it = names_.lower_bound(path + "/");
  return it != names_.end() && it->first.starts_with(path + "/");
}

// What was made in it and not synced goes along with it.
void SimDisk::rename_directory(const std::string& from, const std::string& to) {
  const auto moved = [&](std::string& name) {
    if (name.starts_with(from + "/")) name = to + name.substr(from.size());
  };
  for (NameChange& change : changes_) {
    moved(change.name);
    moved(change.to);
  }
  changes_.push_back({from, to, nullptr, true});
  apply(names_, changes_.back());
}

Status SimDisk::unlink(const std::string& path) {
  if (auto status = change("unlink", path); !status) return status;
  if (!names_.contains(path)) return make_error(Errc::not_found, "unlink of {} failed: no such file", path);
  changes_.push_back({path, "", nullptr});
  names_.erase(path);
  return {};
}

Status SimDisk::sync_dir(const std::string& path) {
  if (auto status = change("sync", path); !status) return status;
  if (std::exchange(fail_sync_, false)) return failure("sync", path);
  if (lies_.no_directory_syncs) return {};
  std::vector<NameChange> others;
  for (NameChange& change : changes_) {
    // A directory of this name that was renamed before is another one: its files are not those synced here.
    if (fs::parent(change.name) == path || (change.directory && change.name == path)) {
      apply(durable_names_, change);
    } else {
      others.push_back(std::move(change));
    }
  }
  changes_ = std::move(others);
  return {};
}

Result<std::vector<fs::DirEntry>> SimDisk::list(const std::string& path) {
  if (trouble_at(path) == Trouble::all) return failure("list", path);
  std::vector<fs::DirEntry> entries;
  for (auto it = names_.lower_bound(path + "/"); it != names_.end() && it->first.starts_with(path + "/");
       ++it) {
    const std::string below = it->first.substr(path.size() + 1);
    const auto slash = below.find('/');
    const std::string name = below.substr(0, slash);
    if (entries.empty() || entries.back().name != name) entries.push_back({name, slash != std::string::npos});
  }
  return entries;
}

Result<fs::FileInfo> SimDisk::info(const std::string& path) {
  if (trouble_at(path) == Trouble::all) return failure("stat", path);
  const auto it = names_.find(path);
  if (it == names_.end() && is_directory(path)) return fs::FileInfo{0, 0, true};
  if (it == names_.end()) return make_error(Errc::not_found, "stat of {} failed: no such file", path);
  return fs::FileInfo{it->second->now.size(), 0, false};
}

Result<fs::DiskSpace> SimDisk::space(const std::string& path) {
  const bool full = full_ || trouble_at(path) == Trouble::full;
  return fs::DiskSpace{kSpace, full ? 0 : kSpace};
}

}  // namespace tandem::sim
