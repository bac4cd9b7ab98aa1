// What the files of recovery points may say while cuts wait and while they are replaced.
#include "broker/api/recovery_points.h"

#include <doctest/doctest.h>

namespace tandem::broker::api {

namespace {

const RecoveryPoints::Where kFirst{"t", 0};
const RecoveryPoints::Where kSecond{"t", 1};

RecoveryPoints::Said said(log::OffsetCheckpoint offsets) {
  return std::make_shared<log::OffsetCheckpoint>(std::move(offsets));
}

}  // namespace

TEST_CASE("a file that is being replaced may say what it said and what it is going to say") {
  RecoveryPoints points(2);
  CHECK_FALSE(points.may_exceed(0, kFirst, 0));
  points.begin(0, said({{kFirst, 10}}));
  points.end(0);
  CHECK(points.may_exceed(0, kFirst, 9));
  CHECK_FALSE(points.may_exceed(0, kFirst, 10));
  CHECK_FALSE(points.may_exceed(1, kFirst, 0));
  points.begin(0, said({{kFirst, 4}, {kSecond, 7}}));
  CHECK(points.may_exceed(0, kFirst, 9));
  CHECK(points.may_exceed(0, kSecond, 6));
  points.end(0);
  CHECK_FALSE(points.may_exceed(0, kFirst, 4));
  CHECK(points.may_exceed(0, kSecond, 6));
}

TEST_CASE("while cuts of a log wait nothing is written beyond the lowest of them") {
  RecoveryPoints points(1);
  CHECK(points.bounded(kFirst, 100) == 100);
  points.wait(kFirst, 30);
  points.wait(kFirst, 50);
  CHECK(points.bounded(kFirst, 100) == 30);
  CHECK(points.bounded(kFirst, 20) == 20);
  CHECK(points.bounded(kSecond, 100) == 100);
  points.end_wait(kFirst);
  CHECK(points.bounded(kFirst, 100) == 30);
  points.end_wait(kFirst);
  CHECK(points.bounded(kFirst, 100) == 100);
}

TEST_CASE("what stands is lowered for cuts, and nothing is added to it") {
  RecoveryPoints points(1);
  points.wait(kFirst, 3);
  points.wait(kSecond, 3);
  points.wait({"u", 0}, 3);
  const auto lowered = RecoveryPoints::lowered(said({{kFirst, 10}, {kSecond, 2}}), points.cuts());
  CHECK(*lowered == log::OffsetCheckpoint{{kFirst, 3}, {kSecond, 2}});
}

}  // namespace tandem::broker::api
