#include "tests/sim/checker.h"

#include <fmt/format.h>

#include "bytes/reader.h"
#include "coord/records/quorum_packet.h"
#include "coord/records/txn.h"
#include "jute/codec.h"
#include "tests/sim/node.h"

namespace tandem::sim {

using coord::records::counter_of;
using coord::records::epoch_of;
using coord::records::PacketType;

void Checker::violate(const std::string& invariant, const std::string& text) {
  if (!violation_) violation_ = fmt::format("{}: {}", invariant, text);
}

void Checker::judge(const char* invariant, const Finding& finding) {
  if (finding) violate(invariant, *finding);
}

void Checker::look_at(const Node& node) {
  const auto status = node.peer().status();
  const auto& tree = node.tree();
  const Zxid zxid = tree.last_zxid();
  mix(bits(zxid) ^ tree.digest());
  judge("Z10", epochs_.found(node.number(), node.disk().accepted(), node.disk().current()));
  // The zero of an epoch is no transaction.
  if (counter_of(zxid) != 0 && zxid >= node.disk().comparable_from())
    judge("Z13", trees_.holds(node.number(), zxid.value, tree.digest()));
  if (node.digest_mismatches() != 0)
    violate("Z13",
            fmt::format("server {} applied a transaction whose digest is not its tree's", node.number()));
  if (status.leading && status.leading->phase == coord::zab::LeaderPhase::broadcast)
    check_leader(node, status.leading->epoch);
}

void Checker::check_leader(const Node& node, std::int64_t epoch) {
  const bool first = !leaders_.is_led(epoch);
  judge("Z1", leaders_.leads(epoch, node.number()));
  if (!first) return;
  times_[node.number()].leads(node.time());
  const auto has = [&node](std::int64_t zxid) { return node.disk().find(Zxid(zxid)) != nullptr; };
  judge("Z9", acked_.leads(node.number(), epoch, has));
}

void Checker::acknowledged(Zxid zxid, const std::string& what) { acked_.acknowledged(zxid.value, what); }

void Checker::acking(const Node& node, std::string_view packet_bytes) {
  coord::records::QuorumPacketDecoder decoder(1U << 24);
  decoder.feed(packet_bytes);
  for (auto packet = decoder.next(); packet && *packet; packet = decoder.next()) {
    const auto& one = **packet;
    if (one.type == PacketType::ack_epoch)
      judge("Z11",
            accepts_epoch(node.number(), epoch_of(node.promised()), {.accepted = node.disk().accepted()}));
    if (one.type == PacketType::ack) check_ack(node, one.zxid);
  }
}

void Checker::check_ack(const Node& node, Zxid zxid) {
  const auto durable = [&disk = node.disk()](Zxid what) {
    return disk.find(what) != nullptr || disk.snapshot_zxid() >= what;
  };
  DurableState state{node.disk().accepted(), node.disk().current(), true};
  if (counter_of(zxid) != 0) {
    state.history = durable(zxid);
    return judge("Z11", accepts_transaction(node.number(), zxid.value, state));
  }
  // Apache's answers UPTODATE so too, and applies what is committed before it is durable.
  const bool serves = node.is_apache() && node.peer().serving() != nullptr;
  const Zxid holds = node.tree().last_zxid();
  state.history = serves || counter_of(holds) == 0 || durable(holds);
  judge("Z11", accepts_leader(node.number(), epoch_of(zxid), state));
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
  judge("S5", times.expired(session, timeout, leader.time()));
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
