// The rules of nodes are shown histories that are right and such that are broken.
#include "tests/sim/node_rules.h"

#include <doctest/doctest.h>

using namespace tandem;
using namespace tandem::sim;
namespace records = coord::records;
using jute::OpCode;

namespace {

constexpr std::int64_t kSession = 0x77;
constexpr std::int64_t kFirst = 0x100000001;  // zxid

struct History {
  NodeRules rules;
  std::int64_t zxid = kFirst - 1;

  Judgement applies(OpCode type, const records::Txn& body) {
    std::string payload;
    const records::TxnHeader header{jute::SessionId(kSession), 1, jute::Zxid(++zxid), 5, type};
    records::encode_payload(payload, header, body, nullptr);
    return rules.applies(payload);
  }
  Judgement creates(const std::string& path, std::int32_t parent_cversion, bool ephemeral = false) {
    return applies(OpCode::create2, records::CreateTxn{path, "x", {}, ephemeral, parent_cversion});
  }
  Judgement sets(const std::string& path, std::int32_t version) {
    return applies(OpCode::set_data, records::SetDataTxn{path, "y", version});
  }
  Judgement removes(const std::string& path) { return applies(OpCode::remove, records::DeleteTxn{path}); }
};

jute::StatPersisted stat_of(std::int64_t czxid, std::int64_t mzxid, std::int64_t pzxid, std::int32_t version,
                            std::int32_t cversion) {
  jute::StatPersisted stat;
  stat.czxid = jute::Zxid(czxid);
  stat.mzxid = jute::Zxid(mzxid);
  stat.pzxid = jute::Zxid(pzxid);
  stat.version = version;
  stat.cversion = cversion;
  return stat;
}

// A tree with these numbers of /a, and so many nodes, after /a was made, changed, and given a child that is
// gone.
Judgement judged(const jute::StatPersisted& of_a, std::size_t nodes) {
  History history;
  CHECK_FALSE(history.creates("/a", 1));
  CHECK_FALSE(history.sets("/a", 1));
  CHECK_FALSE(history.creates("/a/b", 1));
  CHECK_FALSE(history.removes("/a/b"));
  return history.rules.holds(1, nodes, [&](const std::string& path) -> NodeRules::Found {
    if (path.empty()) return stat_of(0, 0, kFirst, 0, 1);
    if (path == "/a") return of_a;
    return {};
  });
}

bool breaks(const Judgement& judgement, const std::string& invariant) {
  return judgement && judgement->invariant == invariant;
}

}  // namespace

TEST_CASE("S7 rejects a version that does not follow from the one before") {
  History history;
  CHECK_FALSE(history.creates("/a", 1));
  CHECK_FALSE(history.sets("/a", 1));
  CHECK(breaks(history.sets("/a", 3), "S7"));
  CHECK(breaks(history.sets("/a", 1), "S7"));
  CHECK_FALSE(history.sets("/a", 2));
  CHECK(breaks(history.sets("/b", 1), "S7"));
}

TEST_CASE("S7 rejects a cversion that does not follow from the one before, and counts nodes that are gone") {
  History history;
  CHECK_FALSE(history.creates("/a", 1));
  CHECK_FALSE(history.creates("/a/b", 1));
  CHECK_FALSE(history.removes("/a/b"));
  CHECK(breaks(history.creates("/a/b", 1), "S7"));
  CHECK(breaks(history.creates("/a/b", 3), "S7"));
  CHECK_FALSE(history.creates("/a/b", 2));
}

TEST_CASE("S7 rejects what is made twice, without a parent, or removed too early or twice") {
  History history;
  CHECK_FALSE(history.creates("/a", 1));
  CHECK_FALSE(history.creates("/a/b", 1));
  CHECK(breaks(history.creates("/a", 2), "S7"));
  CHECK(breaks(history.creates("/x/y", 1), "S7"));
  CHECK(breaks(history.removes("/a"), "S7"));
  CHECK_FALSE(history.removes("/a/b"));
  CHECK(breaks(history.removes("/a/b"), "S7"));
}

TEST_CASE("S7 lets a multi that failed do nothing, and one that did not do all") {
  History history;
  CHECK_FALSE(history.creates("/a", 1));
  const std::string set = records::encoded_body(records::SetDataTxn{"/a", "z", 1});
  const std::string error = records::encoded_body(records::ErrorTxn{-101});
  CHECK_FALSE(
      history.applies(OpCode::multi, records::MultiTxn{{{OpCode::set_data, set}, {OpCode::error, error}}}));
  CHECK_FALSE(history.applies(OpCode::multi, records::MultiTxn{{{OpCode::set_data, set}}}));
  CHECK(breaks(history.applies(OpCode::multi, records::MultiTxn{{{OpCode::set_data, set}}}), "S7"));
}

TEST_CASE("S7 rejects a tree whose numbers are not those of the transactions") {
  CHECK_FALSE(judged(stat_of(kFirst, kFirst + 1, kFirst + 3, 1, 1), 6));
  CHECK(breaks(judged(stat_of(kFirst + 1, kFirst + 1, kFirst + 3, 1, 1), 6), "S7"));
  CHECK(breaks(judged(stat_of(kFirst, kFirst, kFirst + 3, 1, 1), 6), "S7"));
  CHECK(breaks(judged(stat_of(kFirst, kFirst + 1, kFirst + 2, 1, 1), 6), "S7"));
  CHECK(breaks(judged(stat_of(kFirst, kFirst + 1, kFirst + 3, 0, 1), 6), "S7"));
  CHECK(breaks(judged(stat_of(kFirst, kFirst + 1, kFirst + 3, 1, 2), 6), "S7"));
  CHECK(breaks(judged(stat_of(kFirst, kFirst + 1, kFirst + 3, 1, 1), 7), "S7"));
}

TEST_CASE("S4 rejects a node of a session that does not live, and one below a session's node") {
  History history;
  CHECK_FALSE(history.applies(OpCode::create_session, records::CreateSessionTxn{1000}));
  CHECK_FALSE(history.creates("/e", 1, true));
  CHECK(breaks(history.creates("/e/f", 1), "S4"));
  CHECK_FALSE(history.applies(OpCode::close_session, records::CloseSessionTxn{{"/e"}}));
  CHECK(breaks(history.creates("/e", 2, true), "S4"));
}

TEST_CASE("S4 rejects a tree in which a node outlives its session") {
  for (const bool outlives : {false, true}) {
    History history;
    CHECK_FALSE(history.applies(OpCode::create_session, records::CreateSessionTxn{1000}));
    CHECK_FALSE(history.creates("/e", 1, true));
    CHECK_FALSE(history.applies(OpCode::close_session, records::CloseSessionTxn{{"/e"}}));
    const Judgement judgement =
        history.rules.holds(1, outlives ? 6 : 5, [outlives](const std::string& path) -> NodeRules::Found {
          if (path.empty()) return stat_of(0, 0, kFirst + 2, 0, 1);
          if (outlives) return stat_of(kFirst + 1, kFirst + 1, kFirst + 1, 0, 0);
          return {};
        });
    CHECK(breaks(judgement, "S4") == outlives);
    CHECK(judgement.has_value() == outlives);
  }
}
