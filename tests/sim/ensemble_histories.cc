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
