#include "tests/sim/histories.h"

#include <fmt/format.h>

#include <charconv>

namespace tandem::sim {

namespace {

constexpr std::size_t kNumberDigits = 10;
constexpr int kEpochShift = 32;

std::int64_t epoch(std::int64_t zxid) { return zxid >> kEpochShift; }

std::int64_t in_ms(base::Duration time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

}  // namespace

Finding ReplyOrder::replied(std::int32_t xid) {
  if (sent_.empty()) return fmt::format("request {} is answered and was not sent", xid);
  const std::int32_t next = sent_.front();
  sent_.pop_front();
  if (next != xid) return fmt::format("request {} is answered before {}", xid, next);
  return {};
}

Finding SessionView::replied(const std::string& what, std::int64_t zxid) {
  if (zxid <= 0) return {};
  if (zxid < last_zxid_) return fmt::format("{} answered at 0x{:x} after 0x{:x}", what, zxid, last_zxid_);
  last_zxid_ = zxid;
  return {};
}

Finding SessionView::read(const std::string& path, std::int64_t mzxid) {
  std::int64_t& seen = seen_[path];
  if (mzxid < seen) return fmt::format("{} is read as of 0x{:x} after 0x{:x}", path, mzxid, seen);
  seen = mzxid;
  return {};
}

void SessionView::wrote(const std::string& path, std::int64_t mzxid) {
  std::int64_t& seen = seen_[path];
  seen = std::max(seen, mzxid);
}

Finding SessionTimes::expired(std::int64_t session, base::Duration timeout, base::Instant now) const {
  const auto it = heard_.find(session);
  const base::Instant last = it == heard_.end() ? leads_ : std::max(it->second, leads_);
  if (now - last >= timeout) return {};
  return fmt::format("session 0x{:x} of {} ms is expired {} ms after it was heard of", session,
                     in_ms(timeout), in_ms(now - last));
}

Finding SessionTimes::resumed(std::int64_t session, std::int64_t zxid) const {
  const auto it = closed_.find(session);
  if (it == closed_.end() || zxid < it->second) return {};
  return fmt::format("session 0x{:x} is taken up at 0x{:x}, it was closed at 0x{:x}", session, zxid,
                     it->second);
}

Finding SequenceNumbers::created(const std::string& path, std::int64_t czxid) {
  std::int64_t number = -1;
  if (path.size() > kNumberDigits)
    std::from_chars(path.data() + path.size() - kNumberDigits, path.data() + path.size(), number);
  if (number < 0) return fmt::format("{} has no number", path);
  const auto [it, first] = numbers_.emplace(czxid, number);
  if (!first) return fmt::format("{} was made by 0x{:x}, and number {} too", path, czxid, it->second);
  if (it != numbers_.begin() && std::prev(it)->second >= number)
    return fmt::format("{} of 0x{:x} comes behind number {}", path, czxid, std::prev(it)->second);
  if (std::next(it) != numbers_.end() && std::next(it)->second <= number)
    return fmt::format("{} of 0x{:x} comes before number {}", path, czxid, std::next(it)->second);
  return {};
}

void SyncedReads::wrote(const std::string& path, std::int64_t mzxid) {
  std::int64_t& newest = written_[path];
  newest = std::max(newest, mzxid);
}

SyncedReads::Began SyncedReads::begin(const std::string& path) const {
  const auto it = written_.find(path);
  return {newest_, it == written_.end() ? 0 : it->second};
}

Finding SyncedReads::read(const std::string& path, const Began& began, std::int64_t zxid, std::int64_t mzxid,
                          bool verified) {
  const auto counts = [&](std::int64_t known) { return verified || epoch(known) <= epoch(zxid); };
  if (mzxid < began.of_node && counts(began.of_node))
    return fmt::format("{} behind a sync is of 0x{:x}, 0x{:x} was acknowledged before", path, mzxid,
                       began.of_node);
  if (zxid < began.newest && counts(began.newest))
    return fmt::format("{} is read behind a sync at 0x{:x}, 0x{:x} was acknowledged before", path, zxid,
                       began.newest);
  return {};
}

Finding follows_version(const std::string& path, std::int32_t asked, std::int32_t made, std::int32_t any) {
  if (asked == any || made == asked + 1) return {};
  return fmt::format("version {} of {} was written on the condition of {}", made, path, asked);
}

Finding DataWatches::fired(const std::string& path) {
  if (left_.erase(path) == 0) return fmt::format("an event of {}, on which no watch is left", path);
  return {};
}

Finding DataWatches::read(const std::string& path, std::int64_t mzxid) const {
  const auto it = left_.find(path);
  if (it == left_.end() || mzxid <= it->second) return {};
  return fmt::format("{} is read as of 0x{:x}, the watch left at 0x{:x} has not fired", path, mzxid,
                     it->second);
}

Finding EventOrder::event(const std::string& path, std::int64_t zxid) const {
  if (zxid <= 0 || zxid > shown_) return {};
  return fmt::format("an event of {} at 0x{:x} comes behind a reply of 0x{:x}", path, zxid, shown_);
}

Finding HiddenNodes::event(const std::string& path) const {
  if (!hidden_.contains(path)) return {};
  return fmt::format("an event tells of {}, which the session may not read", path);
}

Finding MultiWrites::succeeded(const std::string& value, std::int64_t zxid) { return read(value, zxid); }

Finding MultiWrites::read(const std::string& value, std::int64_t mzxid) {
  if (failed_.contains(value)) return fmt::format("'{}' is read, its multi failed", value);
  const auto it = asked_.find(value);
  if (it == asked_.end()) return {};
  if (!it->second) it->second = mzxid;
  if (*it->second == mzxid) return {};
  return fmt::format("'{}' of one multi is of 0x{:x} and of 0x{:x}", value, *it->second, mzxid);
}

}  // namespace tandem::sim
