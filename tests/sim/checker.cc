#include "tests/sim/checker.h"

#include <fmt/format.h>

#include "coord/records/quorum_packet.h"
#include "tests/sim/node.h"

namespace tandem::sim {

using coord::records::PacketType;
using jute::Zxid;

void Checker::violate(const std::string& invariant, const std::string& text) {
  if (!violation_) violation_ = fmt::format("{}: {}", invariant, text);
}

void Checker::look_at(const Node& node) {
  const auto status = node.peer().status();
  const auto& tree = node.tree();
  const Zxid zxid = tree.last_zxid();
  mix(static_cast<std::uint64_t>(zxid.value) ^ tree.digest());

  // Z10: epochs on disk.
  auto& [accepted, current] = epochs_[node.number()];
  if (node.disk().accepted() < accepted || node.disk().current() < current)
    violate("Z10", fmt::format("server {} went back from epochs {}/{} to {}/{}", node.number(), accepted,
                               current, node.disk().accepted(), node.disk().current()));
  accepted = node.disk().accepted();
  current = node.disk().current();
  if (current > accepted)
    violate("Z10", fmt::format("server {} has current epoch {} and accepted only {}", node.number(), current,
                               accepted));

  // Z2, Z13: the same zxid is the same tree everywhere. The zero of an epoch is no transaction.
  if (coord::records::counter_of(zxid) != 0) {
    const auto [it, first] = digests_.emplace(zxid.value, tree.digest());
    if (!first && it->second != tree.digest())
      violate("Z13", fmt::format("server {} has another tree at 0x{:x}", node.number(), zxid.value));
  }
  if (node.digest_mismatches() != 0)
    violate("Z13",
            fmt::format("server {} applied a transaction whose digest is not its tree's", node.number()));

  if (status.leading && status.leading->phase == coord::zab::LeaderPhase::broadcast)
    check_new_leader(node, status.leading->epoch);
}

// Z1: one leader of an epoch. Z9: it has everything that any client was told is done.
void Checker::check_new_leader(const Node& node, std::int64_t epoch) {
  const auto [it, first] = leaders_.emplace(epoch, coord::quorum::ServerId(node.number()));
  if (!first) {
    if (it->second.value != node.number())
      violate("Z1", fmt::format("servers {} and {} both lead epoch {}", it->second, node.number(), epoch));
    return;
  }
  for (const auto& [zxid, what] : acked_)
    if (coord::records::epoch_of(Zxid(zxid)) < epoch && node.disk().find(Zxid(zxid)) == nullptr)
      return violate("Z9", fmt::format("server {} leads epoch {} without 0x{:x} ({})", node.number(), epoch,
                                       zxid, what));
}

void Checker::acknowledged(Zxid zxid, const std::string& what) { acked_.emplace(zxid.value, what); }

// Z11: nothing is acknowledged that is not durable.
void Checker::acking(const Node& node, std::string_view packet_bytes) {
  coord::records::QuorumPacketDecoder decoder(1U << 24);
  decoder.feed(packet_bytes);
  while (true) {
    const auto packet = decoder.next();
    if (!packet || !*packet) return;
    const auto& one = **packet;
    if (one.type == PacketType::ack_epoch &&
        node.disk().accepted() < coord::records::epoch_of(node.promised()))
      violate("Z11", fmt::format("server {} accepts epoch {} before it is durable", node.number(),
                                 coord::records::epoch_of(node.promised())));
    if (one.type != PacketType::ack) continue;
    if (coord::records::counter_of(one.zxid) == 0) {
      if (node.disk().current() < coord::records::epoch_of(one.zxid))
        violate("Z11", fmt::format("server {} acknowledges NEWLEADER of epoch {} with current epoch {}",
                                   node.number(), coord::records::epoch_of(one.zxid), node.disk().current()));
    } else if (node.disk().find(one.zxid) == nullptr && node.disk().snapshot_zxid() < one.zxid) {
      violate("Z11", fmt::format("server {} acknowledges 0x{:x} before it is durable", node.number(),
                                 one.zxid.value));
    }
  }
}

}  // namespace tandem::sim
