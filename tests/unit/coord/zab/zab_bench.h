// What the tests of leader and learner share: payloads, batches, packets, and effects as lines of text. The
// lines are what printed() gives, so that a test reads like a transcript.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "bytes/writer.h"
#include "coord/quorum/config.h"
#include "coord/zab/leader.h"
#include "coord/zab/learner.h"

namespace tandem::coord::zab::test {

using records::make_zxid;
using records::PacketType;
using Lines = std::vector<std::string>;

inline constexpr base::Duration kTick = std::chrono::milliseconds(2000);

// A transaction of any kind: the cores look at the zxid of its header only.
inline std::string payload_of(Zxid zxid, std::size_t body = 4) {
  std::string out;
  bytes::Writer writer(out);
  writer.i64(0x77);  // session
  writer.i32(1);     // cxid
  writer.i64(zxid.value);
  writer.i64(1'700'000'000'000);
  writer.i32(-11);
  return out + std::string(body, 'x');
}

inline std::shared_ptr<TxnBatch> batch_of(Zxid first, int count = 1) {
  auto batch = std::make_shared<TxnBatch>();
  batch->first = batch->last = first;
  for (int i = 0; i < count; ++i) {
    batch->last = Zxid(first.value + i);
    const std::string payload = payload_of(batch->last);
    batch->bytes += payload;
    batch->sizes.push_back(static_cast<std::uint32_t>(payload.size()));
  }
  return batch;
}

inline TxnRef txn_of(Zxid zxid) { return TxnRef{zxid, bytes::Slice::own(payload_of(zxid))}; }

inline quorum::QuorumConfig voters(int count) {
  std::vector<quorum::ServerSpec> members;
  for (int i = 1; i <= count; ++i) {
    quorum::ServerSpec spec;
    spec.id = ServerId(i);
    spec.addresses.push_back(
        {"127.0.0.1", static_cast<std::uint16_t>(2000 + i), static_cast<std::uint16_t>(3000 + i)});
    members.push_back(spec);
  }
  return quorum::QuorumConfig::of(members);
}

template <class Effects>
Lines lines_of(const Effects& effects) {
  Lines lines;
  for (const auto& effect : effects) lines.push_back(printed(effect));
  return lines;
}

inline std::string learner_info(std::int64_t server, std::int64_t config_version = 0) {
  return records::encode_learner_info({server, records::kProtocolVersion, config_version});
}

// Time that moves when told to.
struct Time {
  base::Instant now{std::chrono::seconds(100)};
};

}  // namespace tandem::coord::zab::test
