#include "coord/election/vote.h"

#include <doctest/doctest.h>

#include "votes.h"

namespace tandem::coord::election {

using quorum::GroupId;
using quorum::QuorumVerifier;

TEST_CASE("epoch beats zxid beats number, and the round does not matter") {
  const auto verifier = QuorumVerifier::majority({ServerId(1), ServerId(2), ServerId(3)});
  CHECK(beats(vote(1, 5, 2), vote(3, 9, 1), verifier));
  CHECK(beats(vote(1, 9, 1), vote(3, 5, 1), verifier));
  CHECK(beats(vote(3, 5, 1), vote(1, 5, 1), verifier));
  CHECK_FALSE(beats(vote(3, 5, 1), vote(3, 5, 1, 7), verifier));
  CHECK(beats(vote(1, 0, 0), Vote{}, verifier));  // an observer proposes nobody
  CHECK_FALSE(beats(vote(4, 9, 9), vote(1, 0, 0), verifier));
}

TEST_CASE("a server of weight 0 wins against nobody") {
  const auto verifier = QuorumVerifier::hierarchical(
      {ServerId(1), ServerId(2)}, {{ServerId(1), GroupId(1)}, {ServerId(2), GroupId(1)}}, {{ServerId(2), 0}});
  CHECK_FALSE(beats(vote(2, 9, 9), vote(1, 0, 0), verifier));
  CHECK(beats(vote(1, 9, 9), vote(2, 0, 0), verifier));
}

TEST_CASE(
    "votes of an election count together only when equal, those of settled servers by leader and epoch") {
  CHECK(counts_with(vote(3, 5, 1, 4), vote(3, 5, 1, 4)));
  CHECK_FALSE(counts_with(vote(3, 5, 1, 4), vote(3, 5, 1, 5)));
  CHECK_FALSE(counts_with(vote(3, 5, 1, 4), vote(3, 6, 1, 4, ServerState::following)));
  CHECK(counts_with(vote(3, 5, 1, 4, ServerState::leading), vote(3, 9, 1, 7, ServerState::following)));
  CHECK_FALSE(counts_with(vote(3, 5, 1, 4, ServerState::leading), vote(3, 5, 2, 4, ServerState::following)));
  // One of the two is from before 3.4.6 and may not know the epoch.
  CHECK(counts_with(vote(3, 5, 1, 4, ServerState::leading, 0), vote(3, 5, 2, 4, ServerState::following, 1)));
  CHECK_FALSE(
      counts_with(vote(3, 5, 1, 4, ServerState::leading, 0), vote(3, 5, 2, 4, ServerState::following, 0)));
}

}  // namespace tandem::coord::election
