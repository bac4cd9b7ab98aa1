#include "tests/sim/ensemble_histories.h"

#include <fmt/format.h>

#include <algorithm>

#include "coord/records/txn_batch.h"

namespace tandem::sim {

namespace {

std::int64_t epoch_of(std::int64_t zxid) { return coord::records::epoch_of(jute::Zxid(zxid)); }

bool is_epoch_start(std::int64_t zxid) { return coord::records::counter_of(jute::Zxid(zxid)) == 0; }

}  // namespace

Finding OneLeader::leads(std::int64_t epoch, int server) {
  const auto [it, first] = leaders_.emplace(epoch, server);
  if (it->second == server) return {};
  return fmt::format("servers {} and {} both lead epoch {}", it->second, server, epoch);
}

Finding EqualTrees::holds(int server, std::int64_t zxid, std::uint64_t digest) {
  const auto [it, first] = digests_.emplace(zxid, digest);
  if (it->second == digest) return {};
  return fmt::format("server {} has another tree at 0x{:x}", server, zxid);
}

Finding VersionedValues::wrote(const std::string& path, std::int32_t version, const std::string& value) {
  const auto [it, first] = written_.emplace(std::pair(path, version), value);
  if (first) return {};
  return fmt::format("version {} of {} was acknowledged to '{}' and to '{}'", version, path, it->second,
                     value);
}

Finding VersionedValues::read(const std::string& path, std::int32_t version, const std::string& value) const {
  const auto it = written_.find({path, version});
  if (it == written_.end() || it->second == value) return {};
  return fmt::format("version {} of {} is '{}' and was acknowledged as '{}'", version, path, value,
                     it->second);
}

Finding AcknowledgedWrites::leads(int server, std::int64_t epoch, const Has& has) const {
  for (const auto& [zxid, what] : writes_)
    if (epoch_of(zxid) < epoch && !has(zxid))
      return fmt::format("server {} leads epoch {} without 0x{:x} ({})", server, epoch, zxid, what);
  return {};
}

Finding DiskEpochs::found(int server, std::int64_t accepted, std::int64_t current) {
  const auto before = std::exchange(epochs_[server], {accepted, current});
  if (accepted < before.first || current < before.second)
    return fmt::format("server {} went back from epochs {}/{} to {}/{}", server, before.first, before.second,
                       accepted, current);
  if (current > accepted)
    return fmt::format("server {} has current epoch {} and accepted only {}", server, current, accepted);
  return {};
}

Judgement TransactionOrder::proposed(int server, std::int64_t zxid, std::int64_t behind,
                                     const bytes::Slice& payload) {
  const bool same_epoch = epoch_of(zxid) == epoch_of(behind);
  if (zxid <= behind)
    return Breach{"Z7", fmt::format("server {} proposes 0x{:x} behind 0x{:x}", server, zxid, behind)};
  if (same_epoch ? zxid != behind + 1 : !is_epoch_start(zxid - 1))
    return Breach{"Z6",
                  fmt::format("server {} proposes 0x{:x} behind 0x{:x}, with a hole", server, zxid, behind)};
  const auto [it, first] = proposals_.try_emplace(zxid, Proposal{payload, behind});
  if (first) return {};
  return logged(server, zxid, behind, payload.view());
}

Judgement TransactionOrder::logged(int server, std::int64_t zxid, std::int64_t behind,
                                   std::string_view payload) const {
  const auto it = proposals_.find(zxid);
  if (it == proposals_.end())
    return Breach{"Z3", fmt::format("server {} logs 0x{:x}, which no leader proposed", server, zxid)};
  if (it->second.payload.view() != payload)
    return Breach{"Z3", fmt::format("server {} logs 0x{:x} with bytes that were not proposed", server, zxid)};
  if (it->second.behind == behind) return {};
  return Breach{"Z4", fmt::format("server {} logs 0x{:x} behind 0x{:x}, it was proposed behind 0x{:x}",
                                  server, zxid, behind, it->second.behind)};
}

Judgement TransactionOrder::leads(int server, std::int64_t epoch, std::int64_t last) {
  const bool newest = begins_.empty() || begins_.rbegin()->first < epoch;
  if (last != 0)
    if (auto judgement = delivers(server, last)) return judgement;
  begins_.emplace(epoch, last);
  if (!newest || last == last_) return {};
  return Breach{"Z9", fmt::format("server {} leads epoch {} with 0x{:x}, 0x{:x} is committed", server, epoch,
                                  last, last_)};
}

Judgement TransactionOrder::delivers(int server, std::int64_t zxid) {
  const auto it = proposals_.find(zxid);
  if (it == proposals_.end())
    return Breach{"Z3", fmt::format("server {} delivers 0x{:x}, which no leader proposed", server, zxid)};
  if (it->second.committed) return {};
  return commit(server, zxid, it->second);
}

Judgement TransactionOrder::commit(int server, std::int64_t zxid, Proposal& proposal) {
  if (!begins_.empty() && epoch_of(zxid) < begins_.rbegin()->first)
    return Breach{"Z16", fmt::format("server {} commits 0x{:x}, and epoch {} has a leader", server, zxid,
                                     begins_.rbegin()->first)};
  const std::size_t known = committed_.size();
  std::int64_t at = zxid;
  for (Proposal* each = &proposal; each != nullptr && !each->committed;) {
    each->committed = true;
    committed_.push_back(each->payload);
    at = each->behind;
    const auto before = proposals_.find(at);
    each = before == proposals_.end() ? nullptr : &before->second;
  }
  std::reverse(committed_.begin() + static_cast<std::ptrdiff_t>(known), committed_.end());
  const std::int64_t last = std::exchange(last_, zxid);
  if (at == last) return {};
  return Breach{
      "Z5", fmt::format("server {} delivers 0x{:x}, which is behind 0x{:x}; 0x{:x} is committed too", server,
                        zxid, at, last)};
}

std::int64_t TransactionOrder::begins_behind(std::int64_t epoch) const {
  const auto it = begins_.find(epoch);
  return it == begins_.end() ? 0 : it->second;
}

void ServerLogs::acknowledges(int server, std::int64_t zxid) {
  std::int64_t& acknowledged = logs_[server].acknowledged;
  acknowledged = std::max(acknowledged, zxid);
}

Finding ServerLogs::is_cut(int server, std::int64_t to, std::int64_t log_end) {
  Log& log = logs_[server];
  const std::int64_t kept = std::min(log.delivered, log_end);
  log.acknowledged = std::min(log.acknowledged, to);
  log.delivered = std::min(log.delivered, to);
  if (to >= kept) return {};
  return fmt::format("server {} is told to go back to 0x{:x}, it has delivered 0x{:x}", server, to, kept);
}

Finding ServerLogs::votes(int server, std::int64_t log_end) {
  const std::int64_t acknowledged = logs_[server].acknowledged;
  if (log_end >= acknowledged) return {};
  return fmt::format("server {} votes with 0x{:x}, it has acknowledged 0x{:x}", server, log_end,
                     acknowledged);
}

Finding DiskEpochs::leads(int server, std::int64_t epoch, int voters) const {
  const auto follows = [&](const auto& entry) {
    return entry.first <= voters && entry.second.second >= epoch;
  };
  const auto followers = std::count_if(epochs_.begin(), epochs_.end(), follows);
  if (2 * followers > voters) return {};
  return fmt::format("server {} leads epoch {}, which is that of {} of {} voters", server, epoch, followers,
                     voters);
}

Finding accepts_epoch(int server, std::int64_t epoch, const DurableState& durable) {
  if (durable.accepted >= epoch) return {};
  return fmt::format("server {} accepts epoch {} before it is durable", server, epoch);
}

Finding accepts_leader(int server, std::int64_t epoch, const DurableState& durable) {
  if (!durable.history)
    return fmt::format("server {} acknowledges NEWLEADER of epoch {} before its history is durable", server,
                       epoch);
  if (durable.current < epoch)
    return fmt::format("server {} acknowledges NEWLEADER of epoch {} with current epoch {}", server, epoch,
                       durable.current);
  return {};
}

Finding accepts_transaction(int server, std::int64_t zxid, const DurableState& durable) {
  if (durable.history) return {};
  return fmt::format("server {} acknowledges 0x{:x} before it is durable", server, zxid);
}

Finding rests_alike(const Rest& one, const Rest& other, bool unwritten_alike) {
  const bool unwritten = unwritten_alike && is_epoch_start(std::max(one.zxid, other.zxid));
  if (one.digest == other.digest && (one.zxid == other.zxid || unwritten)) return {};
  return fmt::format("servers {} and {} rest at 0x{:x} and 0x{:x}, their trees are {}", one.server,
                     other.server, one.zxid, other.zxid,
                     one.digest == other.digest ? "the same" : "different");
}

Finding rests_alone(const Rest& rest) {
  if (rest.ephemerals == 0) return {};
  return fmt::format("server {} has {} nodes of sessions that are over", rest.server, rest.ephemerals);
}

}  // namespace tandem::sim
