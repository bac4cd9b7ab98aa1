#include "broker/log/producer_state.h"

#include <doctest/doctest.h>

using namespace tandem::broker;
using namespace tandem::broker::log;

namespace {

std::string batch(std::int64_t offset, std::int64_t id, std::int16_t epoch, std::int32_t sequence,
                  int count = 1, bool transactional = false) {
  record::BatchBuilder builder({.base_offset = offset,
                                .producer_id = id,
                                .producer_epoch = epoch,
                                .base_sequence = sequence,
                                .transactional = transactional});
  for (int i = 0; i < count; ++i) builder.append(offset + i, 1000, "k", "v");
  return *builder.finish();
}

ProducerReject verdict(const ProducerState& state, const std::string& bytes) {
  return state.check(record::BatchView(bytes)).reject;
}

void put(ProducerState& state, const std::string& bytes) {
  (void)state.apply(record::BatchView(bytes), bytes);
}

}  // namespace

TEST_CASE("sequences go up by the records of a batch, repeats of the last five are duplicates") {
  ProducerState state;
  CHECK(verdict(state, batch(0, 1, 0, 77)) == ProducerReject::none);  // unknown producer: any sequence
  for (int i = 0; i < 7; ++i) put(state, batch(2 * i, 1, 0, 2 * i, 2));
  for (int i = 0; i < 7; ++i) {
    const auto again = state.check(record::BatchView(batch(0, 1, 0, 2 * i, 2)));
    CHECK(again.duplicate.has_value() == (i >= 2));
    if (again.duplicate) CHECK(again.duplicate->first_offset() == 2 * i);
  }
  CHECK(verdict(state, batch(0, 1, 0, 14)) == ProducerReject::none);
  CHECK(verdict(state, batch(0, 1, 0, 15)) == ProducerReject::out_of_order_sequence_number);
  CHECK(verdict(state, batch(0, 1, 0, 0)) == ProducerReject::out_of_order_sequence_number);
}

TEST_CASE("a new epoch starts at 0, an old one is fenced") {
  ProducerState state;
  put(state, batch(0, 1, 3, 0));
  CHECK(verdict(state, batch(1, 1, 4, 0)) == ProducerReject::none);
  CHECK(verdict(state, batch(1, 1, 4, 1)) == ProducerReject::out_of_order_sequence_number);
  CHECK(verdict(state, batch(1, 1, 2, 1)) == ProducerReject::invalid_producer_epoch);
}

TEST_CASE("the sequence turns over from INT_MAX to 0") {
  ProducerState state;
  put(state, batch(0, 1, 0, INT32_MAX));
  CHECK(verdict(state, batch(1, 1, 0, 0)) == ProducerReject::none);
  const auto wide = batch(1, 2, 0, INT32_MAX - 1, 4);
  put(state, wide);
  CHECK(state.check(record::BatchView(wide)).duplicate.has_value());
  CHECK(verdict(state, batch(5, 2, 0, 2)) == ProducerReject::none);
}

TEST_CASE("a snapshot keeps the last batch of each producer and open transactions, and its CRC is checked") {
  ProducerState state;
  put(state, batch(0, 1, 3, 0, 5));
  put(state, batch(5, 2, 0, 0, 2, true));
  const std::string bytes = state.snapshot();
  CHECK(bytes.size() == 10 + 2 * 46);
  ProducerState again;
  REQUIRE(again.load(bytes, 7, 2000, 1000000).has_value());
  CHECK(again.producers().at(1).last_sequence() == 4);
  CHECK(again.first_unstable_offset() == 5);
  CHECK(again.snapshot().size() == bytes.size());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string bad = bytes;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    CHECK(!again.load(bad, 7, 2000, 1000000).has_value());
  }
  CHECK(!again.load(bytes.substr(0, 55), 7, 2000, 1000000).has_value());
  REQUIRE(again.load(bytes, 7, 5000, 1000).has_value());  // producer 1 is expired, 2 has a transaction open
  CHECK(again.size() == 1);
}

TEST_CASE("a marker ends the transaction and the stable offset waits for the watermark") {
  ProducerState state;
  put(state, batch(0, 1, 0, 0, 2, true));
  put(state, batch(2, 2, 0, 0, 2, true));
  const std::string marker = record::write_end_marker(
      {.base_offset = 4, .producer_id = 1, .producer_epoch = 0}, 9, {record::ControlType::abort, 1});
  const auto txn = state.apply(record::BatchView(marker), marker);
  REQUIRE(txn.has_value());
  CHECK(txn->aborted);
  CHECK(txn->first_offset == 0);
  CHECK(state.stable_offset_after(*txn) == 2);
  state.complete(*txn);
  CHECK(state.first_unstable_offset() == 0);
  state.on_high_watermark(5);
  CHECK(state.first_unstable_offset() == 2);
}
