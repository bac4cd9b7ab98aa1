// The request pipeline: any frames of two clients, the first of which may be a ConnectRequest of any kind.
// Nothing they send may fail the server, every transaction it proposes must be readable, and replaying all of
// them must give the tree that it has: what was accepted once must not keep a server from starting. Input:
// per frame a byte (link in the low bit, "only half of this is durable yet" in the next), a byte of length,
// the bytes.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/clock.h"
#include "coord/pipeline/pipeline.h"
#include "coord/server/tree_restore.h"

using namespace tandem;
using namespace tandem::coord;

namespace {

struct Sink final : pipeline::Outputs {
  std::string& output(pipeline::LinkId link) override {
    std::string& out = bytes[link.value];
    if (out.size() > 1 << 20) out.clear();
    return out;
  }
  std::map<std::uint64_t, std::string> bytes;
};

struct Server {
  explicit Server(std::int64_t timeout)
      : tree({.extended_types = true}),
        sessions(base::milliseconds(timeout), jute::SessionId(0x100)),
        authorizer({.super_digest = "super:x"}),
        core(pipeline::PipelineOptions{.prepare = {.enforce_quota = true, .reconfig_enabled = true}}, tree,
             sessions, authorizer, sink, now()),
        replayed({.extended_types = true}) {}

  pipeline::Now now() const { return {clock.now(), clock.wall()}; }

  // Logs what was proposed; a real log would answer later.
  void turn() {
    while (core.has_effects()) {
      for (const pipeline::Effect& effect : core.take_effects()) {
        if (const auto* persist = std::get_if<pipeline::Persist>(&effect)) log(*persist->batch);
        if (const auto* close = std::get_if<pipeline::CloseLink>(&effect)) core.on_link_closed(close->link);
      }
    }
  }
  void log(const pipeline::TxnBatch& batch) {
    batch.for_each([this](std::string_view payload) {
      const auto txn = records::decode_payload(payload);
      ENSURE(txn.has_value(), "a proposal cannot be read: {}", txn.error().context);
      const auto status = replayed.apply(txn->header, payload);
      ENSURE(status.has_value(), "a proposal cannot be replayed: {}", status.error().context);
      ENSURE(!replayed.first_mismatch(), "the digest of a proposal is not that of the tree it makes: {}",
             records::printed(*txn));
    });
    waiting = batch.last;
  }
  void settle() {
    while (waiting != jute::Zxid()) {
      const jute::Zxid zxid = std::exchange(waiting, jute::Zxid());
      core.on_committed(zxid, now());
      turn();
    }
  }

  base::ManualClock clock;
  tree::DataTree tree;
  session::SessionTracker sessions;
  auth::Authorizer authorizer;
  Sink sink;
  pipeline::Pipeline core;
  server::TreeRestore replayed;
  jute::Zxid waiting;
};

// protocolVersion, lastZxidSeen, timeOut, sessionId, 16 bytes of password.
const std::string kConnect = std::string(12, '\0') + std::string("\0\0\x27\x10", 4) + std::string(8, '\0') +
                             std::string("\0\0\0\x10", 4) + std::string(16, '\0');

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Server server(2000);
  pipeline::LinkId links[2] = {server.core.open_link("127.0.0.1", 1, server.now()),
                               server.core.open_link("10.0.0.1", 2, server.now())};
  server.core.on_frame(links[0], kConnect, server.now());
  server.turn();
  server.settle();
  while (input.size() >= 2) {
    const auto flags = static_cast<std::uint8_t>(input[0]);
    const std::size_t length = std::min<std::size_t>(static_cast<std::uint8_t>(input[1]), input.size() - 2);
    server.core.on_frame(links[flags & 1], input.substr(2, length), server.now());
    input.remove_prefix(2 + length);
    server.turn();
    if ((flags & 2) == 0) server.settle();
    if ((flags & 4) != 0) server.clock.advance(std::chrono::seconds(flags >> 3));
    server.core.on_deadline(server.now());
    server.turn();
  }
  server.settle();
  const auto replayed = server.replayed.take_tree();
  ENSURE(replayed->digest() == server.tree.digest(), "replaying gives another tree");
  return 0;
}
