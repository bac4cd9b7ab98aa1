// Recorded conversations of Apache's servers (tests/golden/quorum-3.9.5): every packet encodes back to its
// bytes, and our learner, hearing what theirs heard, says what theirs said.
#include <fstream>
#include <iterator>

#include "coord/storage/snapshot_body.h"
#include "zab_bench.h"

namespace tandem::coord::zab::test {
namespace {

const char* const kConversations[] = {"fresh-to2-1", "fresh-to2-2",     "diff-to2-1",
                                      "trunc-to2-1", "long_diff-to2-1", "observer-to2-1"};

std::string recorded(const std::string& name) {
  std::ifstream in("tests/golden/quorum-3.9.5/" + name, std::ios::binary);
  REQUIRE_MESSAGE(in.good(), name);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Writes down what it is told as it would be sent.
class Rewriter final : public storage::SnapshotVisitor {
 public:
  void on_session(jute::SessionId id, std::int32_t timeout_ms) override {
    storage::encode_session(sessions_, id, timeout_ms);
    ++session_count_;
  }
  void on_acl(std::int64_t id, std::vector<jute::ACL> acl) override {
    storage::encode_acl(acls_, id, acl);
    ++acl_count_;
  }
  base::Status on_node(const storage::SnapshotNode& node) override {
    storage::encode_node(nodes_, node);
    return {};
  }
  std::string body() const {
    std::string out;
    storage::encode_session_count(out, session_count_);
    out += sessions_;
    storage::encode_acl_count(out, acl_count_);
    out += acls_ + nodes_;
    storage::encode_body_end(out);
    return out;
  }

 private:
  std::string sessions_, acls_, nodes_;
  std::size_t session_count_ = 0;
  std::size_t acl_count_ = 0;
};

// Takes the tree out of the stream; returns it as we would send it.
std::string take_tree(records::QuorumPacketDecoder& decoder) {
  Rewriter rewriter;
  storage::SnapshotBodyReader reader(rewriter, 1 << 20);
  const auto taken = reader.read(decoder.raw());
  REQUIRE((taken.has_value() && reader.done()));
  decoder.consume_raw(taken->total);
  decoder.end_snapshot();
  return rewriter.body();
}

struct Said {
  PacketType type;
  Zxid zxid;
  std::string data;
  bool operator==(const Said&) const = default;
};

// Introductions, acknowledgements and answered pings: what does not depend on clients. Behind an introduction
// follows what only servers of ours read.
std::vector<Said> promises(std::string_view bytes) {
  std::vector<Said> said;
  records::QuorumPacketDecoder decoder(1 << 20);
  decoder.feed(bytes);
  while (const auto packet = *decoder.next()) {
    if (packet->type == PacketType::request || packet->type == PacketType::revalidate) continue;
    const bool ping = packet->type == PacketType::ping;  // the sessions in it are the clients'
    std::string data(ping ? "" : packet->data.value_or(""));
    const bool info = packet->type == PacketType::follower_info || packet->type == PacketType::observer_info;
    if (info && data.size() > records::kLearnerInfoBytes) data.resize(records::kLearnerInfoBytes);
    said.push_back({packet->type, packet->zxid, std::move(data)});
  }
  return said;
}

}  // namespace

TEST_CASE("every recorded packet and tree encodes back to its bytes") {
  for (const std::string name : kConversations) {
    for (const char* direction : {".up", ".down"}) {
      const std::string bytes = recorded(name + direction);
      records::QuorumPacketDecoder decoder(1 << 20);
      decoder.feed(bytes);
      std::string again;
      for (;;) {
        const auto packet = decoder.next();
        REQUIRE(packet.has_value());
        if (!*packet) break;
        records::put_packet(again, **packet);
        CHECK(decode_authinfo(**packet).has_value());
        if (decoder.in_snapshot()) again += take_tree(decoder);
      }
      CHECK_MESSAGE(decoder.buffered() == 0, name << direction);
      CHECK_MESSAGE(again == bytes, name << direction);
    }
  }
}

TEST_CASE("our learner promises and acknowledges what Apache's did, in the same order") {
  for (const std::string name : kConversations) {
    const std::string up = recorded(name + ".up");
    const std::vector<Said> theirs = promises(up);
    REQUIRE(theirs.size() > 2);
    const LearnerStart start{.accepted_epoch = records::epoch_of(theirs[0].zxid),
                             .current_epoch = *records::decode_i32(theirs[1].data) == -1
                                                  ? records::epoch_of(theirs[0].zxid)
                                                  : *records::decode_i32(theirs[1].data),
                             .last_zxid = theirs[1].zxid};
    const auto info = records::decode_learner_info(theirs[0].data);
    LearnerOptions options;
    options.self = ServerId(info->server_id);
    options.observer = theirs[0].type == PacketType::observer_info;
    CommitLog log;
    base::Instant now{std::chrono::seconds(1)};
    Learner learner(options, start, log, now);
    learner.on_connected(now);
    records::QuorumPacketDecoder decoder(1 << 20);
    decoder.feed(recorded(name + ".down"));
    std::string said;
    for (bool more = true; more || learner.has_effects();) {
      const auto effects = learner.take_effects();
      for (const LearnerEffect& effect : effects) {
        if (const auto* epoch = std::get_if<PersistAcceptedEpoch>(&effect))
          learner.on_accepted_epoch_durable(epoch->epoch, now);
        if (const auto* epoch = std::get_if<PersistCurrentEpoch>(&effect))
          learner.on_current_epoch_durable(epoch->epoch, now);
        if (const auto* persist = std::get_if<Persist>(&effect))
          learner.on_durable(persist->batch->last, now);
        if (const auto* cut = std::get_if<Truncate>(&effect)) learner.on_truncated(cut->zxid, now);
        if (const auto* install = std::get_if<InstallSnapshot>(&effect))
          learner.on_snapshot_installed(install->zxid, now);
        if (const auto* ping = std::get_if<PingAsked>(&effect)) learner.answer_ping(ping->zxid, {});
        if (const auto* send = std::get_if<SendToLeader>(&effect)) said += send->bytes;
        if (const auto* over = std::get_if<Abandon>(&effect)) FAIL_CHECK(name << ": " << over->reason);
      }
      more = !effects.empty();
      if (more || !learner.reading()) continue;
      if (const auto packet = *decoder.next()) {
        learner.on_packet(*packet, now);
        if (decoder.in_snapshot()) take_tree(decoder);
        more = true;
      }
    }
    const std::vector<Said> ours = promises(said);
    // Where a recording was cut off, one direction is a packet ahead of the other.
    const std::size_t common = std::min(ours.size(), theirs.size());
    CHECK_MESSAGE(common + 3 >= std::max(ours.size(), theirs.size()), name);
    for (std::size_t i = 0; i < common; ++i) {
      CHECK_MESSAGE(ours[i] == theirs[i], name << " " << i << ": " << to_string(ours[i].type) << " 0x"
                                               << std::hex << ours[i].zxid.value << ", theirs "
                                               << to_string(theirs[i].type) << " 0x" << theirs[i].zxid.value);
    }
  }
}

}  // namespace tandem::coord::zab::test
