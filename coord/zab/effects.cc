#include "coord/zab/effects.h"

#include <fmt/format.h>

namespace tandem::coord::zab {

namespace {

std::string packets(std::string_view bytes) {
  records::QuorumPacketDecoder decoder(bytes.size());
  decoder.feed(bytes);
  std::string out;
  for (;;) {
    const auto packet = decoder.next();
    if (!packet || !*packet) return out;
    if (!out.empty()) out += ", ";
    out += records::printed(**packet);
  }
}

// Overloads for every effect; std::visit picks.
struct Line {
  std::string operator()(const PersistAcceptedEpoch& e) const {
    return fmt::format("PersistAcceptedEpoch {}", e.epoch);
  }
  std::string operator()(const PersistCurrentEpoch& e) const {
    return fmt::format("PersistCurrentEpoch {}", e.epoch);
  }
  std::string operator()(const Persist& e) const {
    if (e.batch->first == e.batch->last) return fmt::format("Persist 0x{:x}", bits(e.batch->first));
    return fmt::format("Persist 0x{:x}..0x{:x}", bits(e.batch->first), bits(e.batch->last));
  }
  std::string operator()(const SendToLearner& e) const {
    return fmt::format("Send to {}: {}", e.to, packets(e.bytes));
  }
  std::string operator()(const SendSnapshot& e) const {
    return fmt::format("SendSnapshot to {}: 0x{:x}", e.to, bits(e.zxid));
  }
  std::string operator()(const ReadLog& e) const {
    return fmt::format("ReadLog for {}: 0x{:x}..0x{:x}", e.to, bits(e.from), bits(e.through));
  }
  std::string operator()(const CloseLearner& e) const {
    return fmt::format("CloseLearner {}: {}", e.learner, e.reason);
  }
  std::string operator()(const StartLeading& e) const {
    return fmt::format("StartLeading 0x{:x}", bits(e.epoch_start));
  }
  std::string operator()(const Commit& e) const { return fmt::format("Commit 0x{:x}", bits(e.through)); }
  std::string operator()(const StepDown& e) const { return "StepDown: " + e.reason; }
  std::string operator()(const LearnerRequest& e) const {
    return fmt::format("LearnerRequest from {}: session=0x{:x} cxid={} {}", e.from, bits(e.session), e.cxid,
                       jute::to_string(e.type));
  }
  std::string operator()(const LearnerRevalidate& e) const {
    return fmt::format("LearnerRevalidate from {}: session=0x{:x}", e.from, bits(e.session.session));
  }
  std::string operator()(const LearnerTouches& e) const {
    return fmt::format("LearnerTouches from {}: {}", e.from, e.touches.size());
  }
  std::string operator()(const Confirmed& e) const { return fmt::format("Confirmed {}", e.token); }
  std::string operator()(const SendToLeader& e) const { return "Send: " + packets(e.bytes); }
  std::string operator()(const Truncate& e) const { return fmt::format("Truncate 0x{:x}", bits(e.zxid)); }
  std::string operator()(const InstallSnapshot& e) const {
    return fmt::format("InstallSnapshot 0x{:x}", bits(e.zxid));
  }
  std::string operator()(const Apply& e) const {
    if (e.txns.size() == 1) return fmt::format("Apply 0x{:x}", bits(e.txns.front().zxid));
    return fmt::format("Apply 0x{:x}..0x{:x}", bits(e.txns.front().zxid), bits(e.txns.back().zxid));
  }
  std::string operator()(const StartFollowing& e) const {
    return fmt::format("StartFollowing 0x{:x}", bits(e.epoch_start));
  }
  std::string operator()(const PingAsked& e) const { return fmt::format("PingAsked 0x{:x}", bits(e.zxid)); }
  std::string operator()(const Revalidated& e) const {
    return fmt::format("Revalidated session=0x{:x} {}", bits(e.session), e.valid);
  }
  std::string operator()(const Synced&) const { return "Synced"; }
  std::string operator()(const Reconnect&) const { return "Reconnect"; }
  std::string operator()(const Abandon& e) const { return "Abandon: " + e.reason; }
};

}  // namespace

std::string printed(const LeaderEffect& effect) { return std::visit(Line{}, effect); }
std::string printed(const LearnerEffect& effect) { return std::visit(Line{}, effect); }

}  // namespace tandem::coord::zab
