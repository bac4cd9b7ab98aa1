#include "tests/sim/checker.h"

#include <fmt/format.h>

#include "bytes/reader.h"
#include "coord/records/quorum_packet.h"
#include "coord/records/txn.h"
#include "jute/codec.h"
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
  mix(bits(zxid) ^ tree.digest());

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
  if (coord::records::counter_of(zxid) != 0 && zxid >= node.disk().comparable_from()) {
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
  times_[node.number()].leads(node.time());
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
      const Zxid holds = node.tree().last_zxid();
      // Apache's answers UPTODATE so too, and applies what is committed before it is durable.
      const bool serves = node.is_apache() && node.peer().serving() != nullptr;
      if (!serves && coord::records::counter_of(holds) != 0 && node.disk().find(holds) == nullptr &&
          node.disk().snapshot_zxid() < holds)
        violate("Z11",
                fmt::format("server {} acknowledges NEWLEADER of epoch {} before its 0x{:x} is durable",
                            node.number(), coord::records::epoch_of(one.zxid), holds.value));
      if (node.disk().current() < coord::records::epoch_of(one.zxid))
        violate("Z11", fmt::format("server {} acknowledges NEWLEADER of epoch {} with current epoch {}",
                                   node.number(), coord::records::epoch_of(one.zxid), node.disk().current()));
    } else if (node.disk().find(one.zxid) == nullptr && node.disk().snapshot_zxid() < one.zxid) {
      violate("Z11", fmt::format("server {} acknowledges 0x{:x} before it is durable", node.number(),
                                 one.zxid.value));
    }
  }
}

// ---- sessions ---------------------------------------------------------------------------------------------

void Checker::heard_on(const Node& leader, std::uint64_t connection) {
  const auto it = sessions_.find(connection);
  if (it != sessions_.end() && it->second != 0) heard(leader, it->second);
}

void Checker::heard(const Node& leader, std::int64_t session) {
  times_[leader.number()].heard(session, leader.time());
}

void Checker::touching(std::uint64_t connection, std::string_view packets) {
  coord::records::QuorumPacketDecoder decoder(1U << 24);
  decoder.feed(packets);
  for (auto packet = decoder.next(); packet && *packet; packet = decoder.next()) {
    if ((*packet)->type != PacketType::ping) continue;
    auto& sessions = touches_[connection].emplace_back();
    if (const auto touches = coord::records::decode_touches((*packet)->data))
      for (const auto& touch : *touches) sessions.push_back(touch.session.value);
  }
}

void Checker::touched(const Node& leader, std::uint64_t connection) {
  auto& waiting = touches_[connection];
  if (waiting.empty()) return;
  for (const std::int64_t session : waiting.front()) heard(leader, session);
  waiting.pop_front();
}

// What no client asked for, the leader did.
void Checker::proposed(const Node& leader, std::string_view payload) {
  SessionTimes& times = times_[leader.number()];
  bytes::Reader reader(payload);
  coord::records::TxnHeader header;
  jute::decode(reader, header);
  const std::int64_t session = header.client_id.value;
  if (header.type == jute::OpCode::create_session) {
    timeouts_[session] = reader.i32();
    times.heard(session, leader.time());
  }
  if (header.type != jute::OpCode::close_session) return;
  closings_.emplace(session, header.zxid.value);
  if (header.cxid != 0) return;
  const auto timeout = std::chrono::milliseconds(timeouts_[session]);
  if (const Finding finding = times.expired(session, timeout, leader.time())) violate("S5", *finding);
}

// What a leader proposed may have come to nothing: what counts is what this server has.
Finding Checker::resumed(std::int64_t session, const Node& node) {
  if (!node.up()) return {};
  const std::int64_t known = node.tree().last_zxid().value;
  const auto [first, last] = closings_.equal_range(session);
  for (auto it = first; it != last; ++it)
    if (it->second <= known && node.disk().find(Zxid(it->second)) != nullptr)
      closed_.closed(session, it->second);
  return closed_.resumed(session, known);
}

}  // namespace tandem::sim
