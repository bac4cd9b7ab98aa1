#include "tests/sim/mutations.h"

#include <utility>
#include <vector>

#include "base/check.h"
#include "bytes/reader.h"
#include "bytes/writer.h"
#include "coord/records/txn.h"
#include "coord/records/txn_batch.h"
#include "jute/codec.h"
#include "tests/sim/client_frames.h"

namespace tandem::sim {

using coord::records::PacketType;
using coord::records::QuorumPacket;
namespace records = coord::records;

namespace {

constexpr std::size_t kRequestHeaderBytes = 8;
constexpr std::size_t kVersionBytes = 4;
constexpr std::size_t kInjectedHeaderBytes = 16;
constexpr double kDropped = 0.05;
constexpr double kLostEvents = 0.2;
constexpr double kShortDiffs = 0.5;

// `each` says whether it has written the packet, in its own way.
template <class Each>
std::string rewritten(std::string_view packets, Each&& each) {
  std::string out;
  records::QuorumPacketDecoder decoder(1U << 24);
  decoder.feed(packets);
  for (auto packet = decoder.next(); packet && *packet; packet = decoder.next()) {
    if (!each(**packet, out)) put_packet(out, **packet);
    if (decoder.in_snapshot()) decoder.end_snapshot();
  }
  return out;
}

bool is_transaction(const QuorumPacket& packet) {
  return packet.type == PacketType::proposal || packet.type == PacketType::inform;
}

// A payload with another body; nothing when there is nothing to spoil.
template <class Spoil>
std::string spoilt(const QuorumPacket& packet, Spoil&& spoil) {
  auto txn = records::decode_payload(packet.data.value_or(""));
  std::string payload;
  if (txn && spoil(*txn)) records::encode_payload(payload, txn->header, txn->body, nullptr);
  return payload;
}

std::string spoilt_for(Mutant mutant, const QuorumPacket& packet) {
  if (mutant == Mutant::half_multi)
    return spoilt(packet, [](records::LoggedTxn& txn) {
      auto* multi = std::get_if<records::MultiTxn>(&txn.body);
      if (multi == nullptr || multi->txns.size() < 2) return false;
      multi->txns.pop_back();
      return true;
    });
  return spoilt(packet, [](records::LoggedTxn& txn) {
    const auto* close = std::get_if<records::CloseSessionTxn>(&txn.body);
    if (close == nullptr || close->paths_to_delete.empty()) return false;
    txn.header.type = jute::OpCode::error;
    txn.body = records::ErrorTxn();
    return true;
  });
}

}  // namespace

// The last transaction before NEWLEADER is the one that nobody would miss before the next leader.
void Mutation::skip_last_of_diff(std::uint64_t connection, const Packet& packet, std::string& out) {
  std::string& held = held_[connection];
  if (packet.type == PacketType::proposal) {
    out += held;
    held.clear();
    put_packet(held, packet);
  } else if (packet.type == PacketType::commit && !held.empty()) {
    put_packet(held, packet);
  } else {
    const bool skipped = packet.type == PacketType::new_leader && random_.chance(kShortDiffs);
    if (!skipped) out += held;
    held.clear();
    put_packet(out, packet);
  }
  if (packet.type == PacketType::new_leader) in_sync_[connection] = true;
}

// A COMMIT waits for the next packet that is neither one nor the answer of a sync.
void Mutation::put_late_commit(std::uint64_t connection, const Packet& packet, std::string& out) {
  std::string& held = held_[connection];
  if (packet.type == PacketType::commit) return put_packet(held, packet);
  if (packet.type != PacketType::sync) out += std::exchange(held, {});
  put_packet(out, packet);
}

std::string Mutation::to_learner(std::uint64_t connection, std::string_view packets) {
  switch (mutant_) {
    case Mutant::dropped_proposal:
      return rewritten(packets, [&](const Packet& packet, std::string&) {
        return packet.type == PacketType::proposal && random_.chance(kDropped);
      });
    case Mutant::early_commit:
      return rewritten(packets, [&](const Packet& packet, std::string& out) {
        if (packet.type == PacketType::commit && in_sync_[connection]) return true;
        put_packet(out, packet);
        if (packet.type == PacketType::new_leader) in_sync_[connection] = true;
        if (packet.type == PacketType::proposal && in_sync_[connection])
          put_packet(out, PacketType::commit, packet.zxid);
        return true;
      });
    case Mutant::early_uptodate:
      return rewritten(packets, [&](const Packet& packet, std::string& out) {
        if (packet.type != PacketType::new_leader) return packet.type == PacketType::up_to_date;
        put_packet(out, packet);
        put_packet(out, PacketType::up_to_date, jute::Zxid(-1));
        return true;
      });
    case Mutant::short_diff: {
      if (in_sync_[connection]) return std::string(packets);
      return rewritten(packets, [&](const Packet& packet, std::string& out) {
        if (in_sync_[connection]) return false;
        skip_last_of_diff(connection, packet, out);
        return true;
      });
    }
    case Mutant::untold_trunc:
      return rewritten(packets, [](const Packet& packet, std::string& out) {
        if (packet.type != PacketType::trunc) return false;
        put_packet(out, PacketType::diff, packet.zxid);
        return true;
      });
    case Mutant::deep_trunc:
      return rewritten(packets, [](const Packet& packet, std::string& out) {
        if (packet.type != PacketType::trunc || records::counter_of(packet.zxid) < 2) return false;
        put_packet(out, packet.type, jute::Zxid(packet.zxid.value - 1));
        return true;
      });
    case Mutant::early_syncs:
      return rewritten(packets, [&](const Packet& packet, std::string& out) {
        put_late_commit(connection, packet, out);
        return true;
      });
    case Mutant::immortal_sessions:
      return rewritten(packets, [](const Packet& packet, std::string& out) {
        if (packet.type != PacketType::revalidate) return false;
        const auto answer = records::decode_revalidated(packet.data);
        if (!answer) return false;
        records::put_revalidated(out, answer->first, true);
        return true;
      });
    case Mutant::half_multi:
    case Mutant::left_ephemerals:
      return rewritten(packets, [&](const Packet& packet, std::string& out) {
        if (!is_transaction(packet)) return false;
        const std::string payload = spoilt_for(mutant_, packet);
        if (payload.empty()) return false;
        put_packet(out, packet.type, packet.zxid, payload);
        return true;
      });
    default:
      return std::string(packets);
  }
}

std::string Mutation::to_leader(std::string_view packets) {
  if (mutant_ != Mutant::untold_touches) return std::string(packets);
  return rewritten(packets, [](const Packet& packet, std::string& out) {
    if (packet.type != PacketType::ping) return false;
    records::put_ping(out, packet.zxid, {});
    return true;
  });
}

void Mutation::notification(coord::election::Notification& notification) const {
  auto& vote = notification.vote;
  switch (mutant_) {
    case Mutant::blind_votes:
      vote.zxid = jute::Zxid(0);
      vote.peer_epoch = 0;
      break;
    case Mutant::votes_without_zxid:
      vote.zxid = jute::Zxid(0);
      break;
    case Mutant::zxid_before_epoch:  // an old epoch's long history beats a new epoch's short one
      vote.peer_epoch = 0;
      vote.zxid = jute::Zxid(records::counter_of(vote.zxid));
      break;
    case Mutant::always_looking:
      vote.state = coord::election::ServerState::looking;
      break;
    default:
      break;
  }
}

std::string Mutation::to_client(std::uint64_t connection, std::string_view frames) {
  if (mutant_ != Mutant::late_watches && mutant_ != Mutant::lost_watches &&
      mutant_ != Mutant::double_watches && mutant_ != Mutant::swapped_replies)
    return std::string(frames);
  std::string out;
  std::string& held = held_[connection];
  for (const std::string_view frame : frames_of(frames)) {
    const std::int32_t xid = xid_of(frame);
    if (mutant_ == Mutant::swapped_replies && xid > 0) {
      if (held.empty()) {
        held = frame;
        continue;
      }
      out.append(frame).append(held);
      held.clear();
      continue;
    }
    if (xid == -1 && mutant_ == Mutant::lost_watches && random_.chance(kLostEvents)) continue;
    if (xid == -1 && mutant_ == Mutant::late_watches) {
      held += frame;
      continue;
    }
    out += frame;
    if (xid == -1 && mutant_ == Mutant::double_watches) out += frame;
    if (xid > 0 && mutant_ == Mutant::late_watches) {
      out += held;
      held.clear();
    }
  }
  if (mutant_ == Mutant::swapped_replies) {  // one that came alone is not kept waiting
    out += held;
    held.clear();
  }
  return out;
}

void Mutation::from_client(std::string& frame) const {
  if (mutant_ != Mutant::ignored_versions || frame.size() < kRequestHeaderBytes + kVersionBytes) return;
  bytes::Reader reader(frame);
  reader.i32();  // xid
  if (static_cast<jute::OpCode>(reader.i32()) != jute::OpCode::set_data) return;
  bytes::Writer(frame).patch_i32(frame.size() - kVersionBytes, -1);
}

bool Mutation::swallows(std::string_view frame, std::string& reply) const {
  bytes::Reader reader(frame);
  const std::int32_t xid = reader.i32();
  const auto code = static_cast<jute::OpCode>(reader.i32());
  const bool sets_watches = code == jute::OpCode::set_watches || code == jute::OpCode::set_watches2;
  const bool forgets = mutant_ == Mutant::forgotten_watches && sets_watches;
  const bool syncs = mutant_ == Mutant::local_sync && code == jute::OpCode::sync && xid > 0;
  if (!forgets && !syncs) return false;
  const std::string_view body = syncs ? frame.substr(kRequestHeaderBytes) : std::string_view();  // the path
  bytes::Writer writer(reply);
  writer.i32(static_cast<std::int32_t>(kInjectedHeaderBytes + body.size()));
  writer.i32(xid);
  writer.i64(0);
  writer.i32(0);
  writer.bytes(body);
  return true;
}

}  // namespace tandem::sim
