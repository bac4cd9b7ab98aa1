#include "tests/sim/brokers/log_dirs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "broker/log/file_names.h"

namespace tandem::sim::brokers {

namespace {

constexpr std::array kTroubles = {Trouble::writes, Trouble::all, Trouble::reads, Trouble::full};
constexpr std::int64_t kTroubleMax = 8000;  // ms
constexpr double kShortTroubles = 0.3;
constexpr std::int64_t kShortTroubleMax = 300;  // ms
constexpr double kLastStrikes = 0.4;
constexpr double kReplacements = 0.4;

std::string_view name_of(Trouble trouble) {
  switch (trouble) {
    case Trouble::none:
      return "well";
    case Trouble::writes:
      return "writes fail";
    case Trouble::reads:
      return "reads fail";
    case Trouble::all:
      return "all fails";
    case Trouble::full:
      return "full";
  }
  return "";
}

}  // namespace

void LogDirs::add(int broker, SimDisk& disk) {
  disks_[broker] = &disk;
  if (options_.disks) disk.remember_cache();
}

// ---- what goes wrong -------------------------------------------------------------------------------------

void LogDirs::strike() {
  const int broker = static_cast<int>(random_.between(1, options_.brokers));
  const auto dirs = options_.dirs();
  const std::string& dir = dirs[random_.below(dirs.size())];
  SimDisk& disk = *disks_.at(broker);
  if (disk.trouble(dir) != Trouble::none) return;
  set(broker, dir, kTroubles[random_.below(kTroubles.size())]);
  const bool is_short = random_.chance(kShortTroubles);
  end_after(disk, dir, milliseconds(random_.between(1, is_short ? kShortTroubleMax : kTroubleMax)));
}

void LogDirs::set(int broker, const std::string& dir, Trouble trouble) {
  disks_.at(broker)->set_trouble(dir, trouble);
  note(broker, fmt::format("{}: {}", dir, name_of(trouble)));
  ++counts_[fmt::format("log directory: {}", name_of(trouble))];
}

void LogDirs::end_strikes() {
  ended_ = true;
  const auto dirs = options_.dirs();
  if (dirs.size() == 1) return;
  for (int broker = 1; broker <= options_.brokers; ++broker)
    if (!is_wrong(broker) && random_.chance(kLastStrikes))
      set(broker, dirs[random_.below(dirs.size())], random_.chance(0.5) ? Trouble::writes : Trouble::all);
}

void LogDirs::end_after(SimDisk& disk, const std::string& dir, Duration time) {
  scheduler_.after(time, [this, &disk, dir] {
    if (!ended_) disk.set_trouble(dir, Trouble::none);
  });
}

// ---- what a broker may do --------------------------------------------------------------------------------

void LogDirs::judge(SimBroker& broker) {
  const int number = broker.number();
  const SimDisk& disk = *disks_.at(number);
  const auto& end = broker.fatal();
  if (end && end->cause == End::Cause::disk && !all_failed(number))
    checker_.violate("L1", fmt::format("broker {} ends itself, and has a log directory that works: {}",
                                       number, end->text));
  if (!broker.serving()) return;
  look_at_places(broker);
  for (const auto& dir : broker.replicas().dir_status()) {
    if (dir.online) continue;
    if (!disk.has_failed(dir.path))
      checker_.violate("L1", fmt::format("broker {} has given up {}, which works", number, dir.path));
    if (!offline_.insert({number, dir.path}).second) continue;
    ++counts_["log directory offline"];
    ++counts_[fmt::format("log directory offline, {}", name_of(disk.trouble(dir.path)))];
  }
}

void LogDirs::look_at_places(SimBroker& broker) {
  for (const auto& dir : broker.replicas().dir_status()) {
    for (const auto& known : dir.logs) {
      Place& place = places_[{broker.number(), broker::log::partition_dir(known.topic, known.partition)}];
      if (known.future) continue;
      if (!place.dir.empty() && place.dir != dir.path) {
        place.moved = true;
        ++counts_["replica in another directory"];
      }
      place.dir = dir.path;
    }
  }
}

bool LogDirs::all_failed(int broker) const {
  const auto dirs = options_.dirs();
  const SimDisk& disk = *disks_.at(broker);
  return std::all_of(dirs.begin(), dirs.end(), [&](const std::string& dir) { return disk.has_failed(dir); });
}

std::size_t LogDirs::wrong(int broker) const {
  const auto dirs = options_.dirs();
  const SimDisk& disk = *disks_.at(broker);
  return static_cast<std::size_t>(std::count_if(dirs.begin(), dirs.end(), [&](const std::string& dir) {
    return disk.has_failed(dir) || disk.trouble(dir) != Trouble::none;
  }));
}

// ---- the operator ----------------------------------------------------------------------------------------

bool LogDirs::calls_operator(int broker) {
  const auto dirs = options_.dirs();
  const bool failed = std::any_of(dirs.begin(), dirs.end(),
                                  [&](const std::string& dir) { return disks_.at(broker)->has_failed(dir); });
  return failed && called_.insert(broker).second;
}

void LogDirs::repair(int broker) {
  called_.erase(broker);
  note(broker, "is repaired");
  for (const std::string& dir : options_.dirs()) {
    disks_.at(broker)->set_trouble(dir, Trouble::none);
    offline_.erase({broker, dir});
    if (disks_.at(broker)->has_failed(dir) && random_.chance(kReplacements)) to_replace_[broker] = {dir};
  }
}

void LogDirs::choose(int broker) {
  SimDisk& disk = *disks_.at(broker);
  const SimDisk::Calm calm(disk);
  for (const auto& [where, place] : places_) {
    const auto& [number, name] = where;
    if (number != broker || !place.moved || !fs::exists(disk, fs::join(place.dir, name))) continue;
    for (const std::string& dir : options_.dirs()) {
      const std::string left = fs::join(dir, name);
      if (dir != place.dir && fs::exists(disk, left) && fs::remove_tree(disk, left))
        ++counts_["directory left by a move"];
    }
  }
}

bool LogDirs::in_sync_by(int broker, const std::string& dir) {
  const auto entries = disks_.at(broker)->list(dir);
  return !entries || std::any_of(entries->begin(), entries->end(), [&](const fs::DirEntry& entry) {
    const auto name = broker::log::parse_partition_dir(entry.name);
    return name && name->kind == broker::log::DirKind::partition &&
           checker_.is_in_sync({name->topic, name->partition}, broker);
  });
}

bool LogDirs::replace(int broker) {
  const auto at = to_replace_.find(broker);
  if (at == to_replace_.end()) return true;
  Wish& wish = at->second;
  const bool needed = in_sync_by(broker, wish.dir);
  if (needed && --wish.patience > 0) return false;
  if (!needed) {
    disks_.at(broker)->replace(wish.dir);
    note(broker, wish.dir + " is replaced by an empty device");
    ++counts_["log directory replaced"];
  }
  to_replace_.erase(at);
  return true;
}

}  // namespace tandem::sim::brokers
