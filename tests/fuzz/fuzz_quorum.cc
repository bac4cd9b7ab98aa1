// What comes over a learner port, as a leader and as a learner hear it: any bytes are taken or refused in
// bounded memory, packets encode back to the bytes they came from, and the cores' promises hold: nothing is
// acknowledged or applied that is not durable, and no epoch is promised before that is. First byte: which
// role hears the rest.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "coord/zab/leader.h"
#include "coord/zab/learner.h"

using namespace tandem;
using namespace tandem::coord;

namespace {

constexpr std::size_t kDataMax = 1 << 16;

struct Packets {
  explicit Packets(std::string_view bytes) : decoder(kDataMax) { decoder.feed(bytes); }
  std::optional<records::QuorumPacket> next() {
    const std::string_view before = decoder.raw();
    const auto packet = decoder.next();
    if (!packet || !*packet) return std::nullopt;
    std::string again;
    records::put_packet(again, **packet);
    ENSURE(before.starts_with(again), "{} encodes to other bytes", records::printed(**packet));
    static_cast<void>(records::decode_authinfo(**packet));
    if (decoder.in_snapshot()) decoder.end_snapshot();
    return **packet;
  }
  records::QuorumPacketDecoder decoder;
};

quorum::QuorumConfig three_voters() {
  std::vector<quorum::ServerSpec> members;
  for (int i = 1; i <= 3; ++i) {
    quorum::ServerSpec spec;
    spec.id = quorum::ServerId(i);
    spec.addresses.push_back({"127.0.0.1", 2888, 3888});
    members.push_back(spec);
  }
  return quorum::QuorumConfig::of(members);
}

void hear_as_learner(std::string_view input, bool observer) {
  zab::CommitLog log;
  base::Instant now{std::chrono::seconds(1)};
  const zab::LearnerStart start{
      .accepted_epoch = 1, .current_epoch = 1, .last_zxid = records::make_zxid(1, 2)};
  zab::Learner learner({.self = quorum::ServerId(1), .observer = observer}, start, log, now);
  learner.on_connected(now);
  jute::Zxid asked = start.last_zxid;    // to be made durable
  jute::Zxid durable = start.last_zxid;  // every second time
  jute::Zxid applied = start.last_zxid;
  Packets packets(input);
  for (int turn = 0; learner.phase() != zab::LearnerPhase::over; ++turn) {
    if (learner.reading()) {
      const auto packet = packets.next();
      if (!packet) return;
      learner.on_packet(*packet, now);
    }
    for (const zab::LearnerEffect& effect : learner.take_effects()) {
      static_cast<void>(zab::printed(effect));
      if (const auto* epoch = std::get_if<zab::PersistAcceptedEpoch>(&effect))
        learner.on_accepted_epoch_durable(epoch->epoch, now);
      if (const auto* epoch = std::get_if<zab::PersistCurrentEpoch>(&effect))
        learner.on_current_epoch_durable(epoch->epoch, now);
      if (const auto* persist = std::get_if<zab::Persist>(&effect)) asked = persist->batch->last;
      if (const auto* cut = std::get_if<zab::Truncate>(&effect)) {
        asked = durable = applied = cut->zxid;
        learner.on_truncated(cut->zxid, now);
      }
      if (const auto* install = std::get_if<zab::InstallSnapshot>(&effect)) {
        asked = durable = applied = install->zxid;
        learner.on_snapshot_installed(install->zxid, now);
      }
      if (const auto* apply = std::get_if<zab::Apply>(&effect)) {
        for (const auto& txn : apply->txns) {
          ENSURE(records::follows(txn.zxid, applied) && txn.zxid <= durable, "0x{:x} applied",
                 txn.zxid.value);
          applied = txn.zxid;
        }
      }
      if (const auto* send = std::get_if<zab::SendToLeader>(&effect)) {
        Packets sent(send->bytes);
        while (const auto packet = sent.next()) {
          const bool proposal =
              packet->type == records::PacketType::ack && records::counter_of(packet->zxid) != 0;
          ENSURE(!proposal || packet->zxid <= durable, "0x{:x} acknowledged", packet->zxid.value);
        }
      }
    }
    if (turn % 2 == 1 && durable < asked) {
      durable = asked;
      learner.on_durable(durable, now);
    }
    now += std::chrono::milliseconds(1);
  }
}

void hear_as_leader(std::string_view input) {
  zab::CommitLog log;
  base::Instant now{std::chrono::seconds(1)};
  const quorum::QuorumConfig config = three_voters();
  zab::Leader leader({.self = quorum::ServerId(3)}, {}, config, log, now);
  const zab::LearnerId learner = leader.open_learner(now);
  std::int64_t promised = 0;
  Packets packets(input);
  while (leader.phase() != zab::LeaderPhase::over) {
    for (const zab::LeaderEffect& effect : leader.take_effects()) {
      static_cast<void>(zab::printed(effect));
      if (const auto* epoch = std::get_if<zab::PersistAcceptedEpoch>(&effect)) {
        promised = epoch->epoch;
        leader.on_accepted_epoch_durable(epoch->epoch, now);
      }
      if (const auto* epoch = std::get_if<zab::PersistCurrentEpoch>(&effect)) {
        ENSURE(promised == epoch->epoch);
        leader.on_current_epoch_durable(epoch->epoch, now);
      }
      if (std::holds_alternative<zab::ReadLog>(effect))
        leader.on_log_chunk(learner, {.available = false, .last = true, .txns = {}}, now);
    }
    const auto packet = packets.next();
    if (!packet) return;
    leader.on_packet(learner, *packet, now);
    now += std::chrono::milliseconds(1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 3 == 0) hear_as_leader(input);
  if (data[0] % 3 != 0) hear_as_learner(input, data[0] % 3 == 2);
  return 0;
}
