// A disk in memory that forgets, when its power is cut, what was not synced: contents that no sync of their
// file followed, names that no sync of their directory followed. Of what is forgotten any part may be there
// all the same, as on a real one: each choice is drawn. A sync that fails leaves its bytes in the cache,
// taken for clean: no later one writes them, unless they are written again. `fault` makes calls fail. Any
// thread; a renamed directory counts as synced.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "base/random.h"
#include "fs/disk.h"

namespace tandem::fs {

class ForgetfulDisk final : public Disk {
 public:
  // The error that the call ("open", "write", "sync", "sync_dir", "rename", "unlink", "make_dirs") gets on
  // that path; called under the disk's lock.
  std::function<std::optional<base::Errc>(std::string_view call, const std::string& path)> fault;

  // With `random`, parts of what was not synced survive.
  void cut_power(base::Random* random = nullptr) {
    const std::lock_guard lock(mutex_);
    const auto spared = [random] { return random != nullptr && random->below(2) == 0; };
    ++life_;
    for (auto it = dirs_.begin(); it != dirs_.end();)
      it = durable_dirs_.contains(*it) || spared() ? std::next(it) : dirs_.erase(it);
    auto names = durable_names_;
    for (const auto& [name, node] : names_)
      if (!durable_names_.contains(name) && spared()) names[name] = node;
    for (const auto& [name, node] : durable_names_)
      if (!names_.contains(name) && spared()) names.erase(name);  // an unlink that reached the disk
    std::erase_if(names, [this](const auto& entry) { return !reachable(parent(entry.first)); });
    names_ = durable_names_ = std::move(names);
    durable_dirs_ = dirs_;
    for (auto& [name, node] : names_) {
      if (node->now != node->synced && spared()) node->keep_part(*random);
      node->now = node->synced;
      node->dropped.clear();
    }
  }

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Status rename(const std::string& from, const std::string& to) override {
    const std::lock_guard lock(mutex_);
    if (const auto error = failure("rename", from)) return *error;
    if (dirs_.contains(from)) {
      move_dir(from, to);
      return {};
    }
    auto node = names_.extract(from);
    if (node.empty()) return missing("rename", from);
    names_[to] = std::move(node.mapped());
    return {};
  }
  Status unlink(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (const auto error = failure("unlink", path)) return *error;
    if (names_.erase(path) == 0) return missing("unlink", path);
    return {};
  }
  Status make_dirs(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (const auto error = failure("make_dirs", path)) return *error;
    for (std::string at = path; at != "/" && at != "." && dirs_.insert(at).second;) at = parent(at);
    return {};
  }
  Status remove_dir(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (dirs_.erase(path) == 0) return missing("rmdir", path);
    return {};
  }
  Status sync_dir(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (const auto error = failure("sync_dir", path)) return *error;
    if (path != "/" && path != "." && !dirs_.contains(path)) return missing("fsync", path);
    const auto within = [&path](const auto& name) { return parent(name) == path; };
    std::erase_if(durable_names_, [&](const auto& entry) { return within(entry.first); });
    for (const auto& [name, node] : names_)
      if (within(name)) durable_names_[name] = node;
    std::erase_if(durable_dirs_, within);
    for (const auto& name : dirs_)
      if (within(name)) durable_dirs_.insert(name);
    return {};
  }
  Result<std::vector<DirEntry>> list(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (!dirs_.contains(path)) return missing("opendir", path);
    std::map<std::string, bool> found;
    for (const auto& [name, node] : names_)
      if (parent(name) == path) found[base_name(name)] = false;
    for (const auto& name : dirs_)
      if (parent(name) == path) found[base_name(name)] = true;
    std::vector<DirEntry> entries;
    for (const auto& [name, directory] : found) entries.push_back({name, directory});
    return entries;
  }
  Result<FileInfo> info(const std::string& path) override {
    const std::lock_guard lock(mutex_);
    if (dirs_.contains(path)) return FileInfo{0, 0, true};
    const auto it = names_.find(path);
    if (it == names_.end()) return missing("stat", path);
    return FileInfo{it->second->now.size(), 0, false};
  }
  Result<DiskSpace> space(const std::string&) override { return DiskSpace{1U << 30, 1U << 30}; }
  Status set_modified(const std::string&, std::int64_t) override { return {}; }
  Result<std::unique_ptr<Lock>> lock(const std::string&) override { return std::make_unique<Lock>(); }

 private:
  friend class ForgetfulFile;
  struct Node {
    std::string now;
    std::string synced;
    std::set<std::size_t> dropped;  // bytes of `now` that a failed sync left behind

    // Up to some place what is there now, behind it what was synced, or zeros.
    void keep_part(base::Random& random) {
      const auto same =
          std::mismatch(now.begin(), now.end(), synced.begin(), synced.end()).first - now.begin();
      const auto from = static_cast<std::size_t>(same);
      const std::size_t up_to = from + random.below(std::max(now.size(), synced.size()) - from + 1);
      const std::string behind = up_to < synced.size() ? synced.substr(up_to) : std::string();
      synced = now.substr(0, up_to);
      if (!behind.empty()) {
        synced.resize(up_to, '\0');
        synced += behind;
      } else if (random.below(2) == 0) {
        synced.resize(synced.size() + random.below(50), '\0');
      }
    }
    void drop() {
      for (std::size_t at = 0; at < now.size(); ++at)
        if (at >= synced.size() || now[at] != synced[at]) dropped.insert(at);
    }
    void sync() {
      std::string all = now;
      for (const std::size_t at : dropped)
        if (at < all.size()) all[at] = at < synced.size() ? synced[at] : '\0';
      synced = std::move(all);
    }
  };

  static base::Error missing(std::string_view call, const std::string& path) {
    return base::make_error(base::Errc::not_found, "{} of {} failed: no such file", call, path);
  }
  std::optional<base::Error> failure(std::string_view call, const std::string& path) const {
    const auto code = fault ? fault(call, path) : std::nullopt;
    if (!code) return std::nullopt;
    return base::make_error(*code, "{} of {} failed: as the test wants it", call, path);
  }
  bool reachable(const std::string& directory) const {
    return directory == "/" || directory == "." ||
           (dirs_.contains(directory) && reachable(parent(directory)));
  }
  void move_dir(const std::string& from, const std::string& to) {
    for (auto* names : {&names_, &durable_names_}) {
      std::map<std::string, std::shared_ptr<Node>> moved;
      for (auto& [name, node] : *names)
        moved[name.starts_with(from + "/") ? to + name.substr(from.size()) : name] = node;
      *names = std::move(moved);
    }
    for (auto* dirs : {&dirs_, &durable_dirs_})
      if (dirs->erase(from) > 0) dirs->insert(to);
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Node>> names_;
  std::map<std::string, std::shared_ptr<Node>> durable_names_;
  std::set<std::string> dirs_;
  std::set<std::string> durable_dirs_;
  std::uint64_t life_ = 0;  // power cuts so far: files opened before are dead
};

class ForgetfulFile final : public File {
 public:
  ForgetfulFile(ForgetfulDisk& disk, std::string path, std::shared_ptr<ForgetfulDisk::Node> node)
      : disk_(disk), path_(std::move(path)), node_(std::move(node)), life_(disk.life_) {
    end_ = node_->now.size();
  }

  const std::string& path() const override { return path_; }
  int fd() const override { return -1; }
  Status append(std::string_view bytes) override {
    if (auto status = pwrite(end_, bytes); !status) return status;
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
    const std::lock_guard lock(disk_.mutex_);
    if (const auto error = failure("write")) return *error;
    if (node_->now.size() < offset + bytes.size()) node_->now.resize(offset + bytes.size());
    node_->now.replace(offset, bytes.size(), bytes);
    node_->dropped.erase(node_->dropped.lower_bound(offset),
                         node_->dropped.lower_bound(offset + bytes.size()));
    return {};
  }
  Result<std::size_t> pread(std::uint64_t offset, std::span<char> out) const override {
    const std::lock_guard lock(disk_.mutex_);
    if (const auto error = failure("read")) return *error;
    if (offset >= node_->now.size()) return std::size_t{0};
    return node_->now.copy(out.data(), out.size(), offset);
  }
  Status datasync() override {
    const std::lock_guard lock(disk_.mutex_);
    if (const auto error = failure("sync")) {
      node_->drop();
      return *error;
    }
    node_->sync();
    return {};
  }
  Status sync() override { return datasync(); }
  Result<std::uint64_t> size() const override {
    const std::lock_guard lock(disk_.mutex_);
    return std::uint64_t{node_->now.size()};
  }
  Status truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_.mutex_);
    if (const auto error = failure("write")) return *error;
    node_->now.resize(size);
    node_->dropped.erase(node_->dropped.lower_bound(size), node_->dropped.end());
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
  std::optional<base::Error> failure(std::string_view call) const {
    if (life_ != disk_.life_) return base::make_error(base::Errc::io, "{}: the power is off", path_);
    return disk_.failure(call, path_);
  }

  ForgetfulDisk& disk_;
  std::string path_;
  std::shared_ptr<ForgetfulDisk::Node> node_;
  std::uint64_t life_;
  std::uint64_t end_ = 0;
};

inline Result<std::unique_ptr<File>> ForgetfulDisk::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(mutex_);
  if (const auto error = failure("open", path)) return *error;
  auto it = names_.find(path);
  const bool makes = mode == OpenMode::create || mode == OpenMode::create_new;
  if (it != names_.end() && mode == OpenMode::create_new)
    return base::make_error(base::Errc::already_exists, "open of {} failed: it is there", path);
  if (it == names_.end() && (!makes || !dirs_.contains(parent(path)))) return missing("open", path);
  if (it == names_.end()) it = names_.emplace(path, std::make_shared<Node>()).first;
  return std::unique_ptr<File>(new ForgetfulFile(*this, path, it->second));
}

}  // namespace tandem::fs
