#include "broker/log/leader_epochs.h"

#include <algorithm>

#include "broker/log/text_checkpoint.h"
#include "fs/checkpoint.h"

namespace tandem::broker::log {

using base::Errc;
using base::make_error;
using base::Status;

Status LeaderEpochs::load() {
  entries_.clear();
  unsaved_ = false;
  forgotten_.clear();
  const auto contents = fs::read_file(*disk_, path_);
  if (!contents) return contents.error().code == Errc::not_found ? Status{} : Status{contents.error()};
  const auto lines = parse_text_checkpoint(*contents, path_);
  if (!lines) return lines.error();
  for (const auto& line : *lines) {
    const auto fields = numbers_of(line);
    if (fields.size() != 2 || fields[0] < 0 || fields[0] > INT32_MAX)
      return make_error(Errc::corrupt, "{}: malformed line '{}'", path_, line);
    const EpochStart entry{static_cast<std::int32_t>(fields[0]), fields[1]};
    // A later line that does not ascend replaces what it contradicts, as it does when assigned.
    while (!entries_.empty() &&
           (entries_.back().epoch >= entry.epoch || entries_.back().start_offset >= entry.start_offset))
      entries_.pop_back();
    entries_.push_back(entry);
  }
  return {};
}

Status LeaderEpochs::save() {
  std::vector<std::string> lines;
  for (const auto& entry : entries_) lines.push_back(fmt::format("{} {}", entry.epoch, entry.start_offset));
  if (auto status = fs::write_checkpoint(*disk_, path_, format_text_checkpoint(lines)); !status)
    return status;
  unsaved_ = false;
  forgotten_.clear();
  return {};
}

Status LeaderEpochs::assign(std::int32_t epoch, std::int64_t start_offset) {
  if (epoch < 0 || remembers({epoch, start_offset})) return {};
  // Behind an entry that only the file has, batches of an older epoch would be taken for that one's.
  const bool now = !forgotten_.empty() && epoch <= forgotten_.back().epoch;
  if (!entries_.empty() && entries_.back().epoch == epoch) return now ? save() : Status{};
  while (!entries_.empty() &&
         (entries_.back().epoch >= epoch || entries_.back().start_offset >= start_offset))
    entries_.pop_back();
  entries_.push_back({epoch, start_offset});
  unsaved_ = true;
  return now ? save() : Status{};
}

// Whether it is all that the file has behind the entries, and memory from now on again: a leader that starts
// with the epoch that it ended with.
bool LeaderEpochs::remembers(const EpochStart& entry) {
  if (forgotten_.size() != 1 || !(forgotten_.front() == entry)) return false;
  const bool behind = entries_.empty() || (entries_.back().epoch < entry.epoch &&
                                           entries_.back().start_offset < entry.start_offset);
  if (!behind) return false;
  entries_.push_back(entry);
  forgotten_.clear();
  return true;
}

Status LeaderEpochs::confirm(std::int32_t epoch, std::int64_t offset) {
  if (epoch < 0 || epoch_of(offset) == epoch) return {};
  while (!entries_.empty() && entries_.back().start_offset >= offset) entries_.pop_back();
  return assign(epoch, offset);
}

void LeaderEpochs::learn_before(const std::vector<EpochStart>& earlier) {
  if (entries_.empty() || earlier.empty() || earlier.back().epoch > entries_.front().epoch) return;
  if (earlier.back().epoch == entries_.front().epoch) entries_.erase(entries_.begin());
  entries_.insert(entries_.begin(), earlier.begin(), earlier.end());
  unsaved_ = true;
}

std::optional<std::int32_t> LeaderEpochs::latest() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.back().epoch;
}

std::optional<std::int32_t> LeaderEpochs::epoch_of(std::int64_t offset) const {
  std::optional<std::int32_t> found;
  for (const auto& entry : entries_)
    if (entry.start_offset <= offset) found = entry.epoch;
  return found;
}

EpochEnd LeaderEpochs::end_of(std::int32_t epoch, std::int64_t log_end_offset) const {
  if (epoch < 0 || entries_.empty() || epoch > entries_.back().epoch) return {};
  if (epoch == entries_.back().epoch) return {epoch, log_end_offset};
  const auto higher = std::find_if(entries_.begin(), entries_.end(),
                                   [&](const EpochStart& entry) { return entry.epoch > epoch; });
  if (higher == entries_.begin()) return {epoch, higher->start_offset};
  return {std::prev(higher)->epoch, higher->start_offset};
}

Status LeaderEpochs::truncate_from_end(std::int64_t end_offset) {
  const std::size_t before = entries_.size();
  while (!entries_.empty() && entries_.back().start_offset >= end_offset) entries_.pop_back();
  return entries_.size() == before ? Status{} : save();
}

void LeaderEpochs::forget_from(std::int64_t end_offset) {
  while (!entries_.empty() && entries_.back().start_offset >= end_offset) {
    forgotten_.insert(forgotten_.begin(), entries_.back());
    entries_.pop_back();
  }
}

Status LeaderEpochs::truncate_from_start(std::int64_t start_offset) {
  // The epoch that `start_offset` lies in stays and now begins there.
  const auto keep = std::find_if(entries_.begin(), entries_.end(),
                                 [&](const EpochStart& entry) { return entry.start_offset > start_offset; });
  if (keep == entries_.begin()) return {};
  const auto floor = std::prev(keep);
  if (floor == entries_.begin() && floor->start_offset >= start_offset) return {};
  floor->start_offset = std::max(floor->start_offset, start_offset);
  entries_.erase(entries_.begin(), floor);
  return save();
}

Status LeaderEpochs::clear() {
  if (entries_.empty() && !unsaved()) return {};
  entries_.clear();
  return save();
}

}  // namespace tandem::broker::log
