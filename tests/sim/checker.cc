#include "tests/sim/checker.h"

#include <fmt/format.h>

#include <algorithm>

#include "bytes/reader.h"
#include "coord/records/quorum_packet.h"
#include "coord/records/txn.h"
#include "jute/codec.h"
#include "tests/sim/node.h"

namespace tandem::sim {

using coord::records::counter_of;
using coord::records::epoch_of;
using coord::records::PacketType;

namespace {

Zxid last_of(const NodeDisk& disk) { return disk.history().empty() ? Zxid(0) : disk.history().back().zxid; }

}  // namespace

void Checker::violate(const std::string& invariant, const std::string& text) {
  if (!violation_) violation_ = fmt::format("{}: {}", invariant, text);
}

void Checker::judge(const char* invariant, const Finding& finding) {
  if (finding) violate(invariant, *finding);
}

void Checker::judge(const Judgement& judgement) {
  if (judgement) violate(judgement->invariant, judgement->text);
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
  if (status.serving && zxid != seen_[node.number()].delivered) check_delivery(node);
}

void Checker::check_leader(const Node& node, std::int64_t epoch) {
  const bool first = !leaders_.is_led(epoch);
  judge("Z1", leaders_.leads(epoch, node.number()));
  if (!first) return;
  times_[node.number()].leads(node.time());
  const auto has = [&node](std::int64_t zxid) { return node.disk().find(Zxid(zxid)) != nullptr; };
  judge("Z9", acked_.leads(node.number(), epoch, has));
  judge("Z16", epochs_.leads(node.number(), epoch, voters_));
  const Zxid last = last_of(node.disk());
  judge(order_.leads(node.number(), epoch, last.value));
  // Its own transactions come behind all of its history, applied.
  const bool begins = counter_of(node.tree().last_zxid()) == 0;
  if (begins && last != Zxid(0) && last >= node.disk().comparable_from())
    judge("Z8", trees_.holds(node.number(), last.value, node.tree().digest()));
}

// What a server that serves has applied is committed. At the zero of an epoch that is what its leader began
// with.
void Checker::check_delivery(const Node& node) {
  const Zxid zxid = seen_[node.number()].delivered = node.tree().last_zxid();
  const bool begins = counter_of(zxid) == 0;
  if (!begins) judge(order_.delivers(node.number(), zxid.value));
  const Zxid applied = begins ? Zxid(order_.begins_behind(epoch_of(zxid))) : zxid;
  logs_.delivers(node.number(), applied.value);
  if (order_.any_committed()) check_nodes(node, applied);
}

// By who has applied just what is committed, if its tree is one state.
void Checker::check_nodes(const Node& node, Zxid applied) {
  for (const auto& payload : order_.take_committed()) judge(rules_.applies(payload.view()));
  if (applied < node.disk().comparable_from()) return rules_.forget();
  const auto& tree = node.tree();
  const auto find = [&tree](const std::string& path) -> NodeRules::Found {
    const auto id = tree.find(path);
    if (id == coord::tree::kNoNode) return {};
    return tree.persisted_stat(id);
  };
  judge(rules_.holds(node.number(), tree.node_count(), find));
}

void Checker::has_log(const Node& node) { seen_[node.number()].log_end = last_of(node.disk()); }

void Checker::logs(const Node& node, const std::shared_ptr<const coord::records::TxnBatch>& batch,
                   bool leads) {
  Zxid& behind = seen_[node.number()].log_end;
  for (const TxnRef& txn : refs_of(batch)) {
    if (leads) proposed(node, txn.payload.view());
    // Its last proposals are logged when it leads no more.
    const bool own =
        leads || (!order_.knows(txn.zxid.value) && leaders_.leads_it(epoch_of(txn.zxid), node.number()));
    judge(own ? order_.proposed(node.number(), txn.zxid.value, behind.value, txn.payload)
              : order_.logged(node.number(), txn.zxid.value, behind.value, txn.payload.view()));
    behind = txn.zxid;
  }
}

void Checker::counts(const Node& leader, Zxid durable) { logs_.acknowledges(leader.number(), durable.value); }

// A follower that serves an observer may know less than the one before did: nobody counts an observer, and
// its clients find no server that is behind what they have seen.
void Checker::cuts(const Node& node, Zxid zxid) {
  const Finding finding = logs_.is_cut(node.number(), zxid.value, seen_[node.number()].log_end.value);
  if (!node.is_at_master()) judge("Z12", finding);
}

// Who gives no vote names nobody. Apache's servers keep no such mark, and say on a new connection what they
// said last on the old one, whatever they do by then.
void Checker::votes(const Node& node, const coord::election::Vote& vote) {
  if (vote.leader == coord::quorum::kNoServer || node.is_apache()) return;
  const bool itself = vote.leader.value == node.number();
  const Zxid holds = node.tree().last_zxid();
  judge("Z15", logs_.votes(node.number(), (itself ? std::min(holds, vote.zxid) : holds).value));
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
    logs_.acknowledges(node.number(), zxid.value);
    return judge("Z11", accepts_transaction(node.number(), zxid.value, state));
  }
  // Apache's answers UPTODATE so too, and applies what is committed before it is durable.
  const bool serves = node.is_apache() && node.peer().serving() != nullptr;
  const Zxid holds = node.tree().last_zxid();
  state.history = serves || counter_of(holds) == 0 || durable(holds);
  const Zxid history_end = counter_of(holds) != 0 ? holds : last_of(node.disk());
  logs_.accepts_leader(node.number(), history_end.value);
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
