#include "broker/record/validate.h"

#include <doctest/doctest.h>

#include "base/checksum.h"

using namespace tandem::broker::record;

namespace {

std::string batch_of(BatchOptions options, int count = 3, std::int64_t timestamp = 1000) {
  BatchBuilder builder(options);
  for (int i = 0; i < count; ++i)
    builder.append(options.base_offset + i, timestamp + i, "key", "value " + std::to_string(i));
  return *builder.finish();
}

// Patches a number of a v2 batch and makes its CRC right again.
template <class T>
std::string patched(std::string batch, std::size_t at, T value) {
  store_be<T>(batch.data() + at, value);
  store_be(batch.data() + kCrcAt, tandem::base::crc32c(std::string_view(batch).substr(kAttributesAt)));
  return batch;
}

// What it gives refers to `records`: they must outlive it.
Validated run(std::string_view records, ValidateOptions options = {}) {
  Validated out;
  validate(records, options, out);
  return out;
}

std::string whole(const Validated& out) {
  if (out.many.empty()) return std::string(out.header.data(), kBatchHeaderSize) + std::string(out.one.rest);
  std::string bytes;
  for (const auto& piece : out.many) bytes.append(piece.head).append(piece.rest);
  return bytes;
}

}  // namespace

TEST_CASE("a v2 batch is kept as sent but for offset, epoch and a still valid CRC") {
  for (int codec = 0; codec <= 4; ++codec) {
    const std::string sent = batch_of({.codec = static_cast<Codec>(codec)});
    const Validated out = run(sent, {.next_offset = 40, .leader_epoch = 5});
    REQUIRE(out.ok());
    CHECK(out.first_offset == 40);
    CHECK(out.last_offset == 42);
    CHECK(out.max_timestamp == 1002);
    CHECK(out.offset_of_max_timestamp == 42);
    const std::string stored = whole(out);
    CHECK(stored.substr(kMagicAt) == sent.substr(kMagicAt));
    CHECK(BatchView(stored).is_valid());
    CHECK(BatchView(stored).offset_field() == 40);
    CHECK(BatchView(stored).leader_epoch() == 5);
    CHECK(out.one.rest.data() == sent.data() + kBatchHeaderSize);  // not copied
  }
}

TEST_CASE("LogAppendTime overwrites type and timestamp and mends the CRC") {
  const std::string sent = batch_of({});
  const Validated out = run(sent, {.now_ms = 777, .timestamp_type = TimestampType::log_append});
  REQUIRE(out.ok());
  const std::string stored = whole(out);
  CHECK(BatchView(stored).is_valid());
  CHECK(BatchView(stored).timestamp_type() == TimestampType::log_append);
  CHECK(BatchView(stored).max_timestamp() == 777);
  CHECK(out.log_append_time == 777);
}

TEST_CASE("damage is answered with Kafka's own code") {
  const std::string good = batch_of({});
  std::string flipped = good;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  CHECK(run(flipped).reject == Reject::corrupt_message);
  CHECK(run("").reject == Reject::invalid_record);
  CHECK(run(std::string_view(good).substr(0, 70)).reject == Reject::invalid_record);
  CHECK(run(std::string(30, '\xff')).reject == Reject::corrupt_message);
  CHECK(run(good + good).reject == Reject::invalid_record);
  CHECK(run(batch_of({.base_offset = 1})).reject == Reject::invalid_record);
  CHECK(run(good, {.batch_bytes_max = 50}).reject == Reject::message_too_large);
  CHECK(run(patched<std::int32_t>(good, kRecordCountAt, 4)).reject == Reject::invalid_record);
  CHECK(run(patched<std::int32_t>(good, kRecordCountAt, 0)).reject == Reject::invalid_record);
  CHECK(run(patched<std::int32_t>(good, kLastOffsetDeltaAt, -2)).reject == Reject::invalid_record);
  CHECK(run(patched<std::uint16_t>(good, kAttributesAt, kControlBit)).reject == Reject::invalid_record);
  CHECK(run(patched<std::uint16_t>(good, kAttributesAt, 7)).reject == Reject::unknown_server_error);
  CHECK(run(patched<std::int64_t>(good, kProducerIdAt, 5)).reject == Reject::invalid_record);
  // The header promises two records, three are there, and the reverse.
  const std::string two =
      patched<std::int32_t>(patched<std::int32_t>(good, kRecordCountAt, 2), kLastOffsetDeltaAt, 1);
  CHECK(run(two).reject == Reject::invalid_record);
  const std::string four =
      patched<std::int32_t>(patched<std::int32_t>(good, kRecordCountAt, 4), kLastOffsetDeltaAt, 3);
  CHECK(run(four).reject == Reject::invalid_record);
}

TEST_CASE("a compressed body that its codec cannot read is answered as Kafka does") {
  const std::string good = batch_of({});
  for (const std::uint16_t codec : {1, 2, 3, 4}) {
    const Validated out = run(patched<std::uint16_t>(good, kAttributesAt, codec));
    CHECK(!out.ok());
    CHECK((out.reject == Reject::unknown_server_error || out.reject == Reject::invalid_record));
  }
}

TEST_CASE("a record without a key is named by its index on a compacted topic") {
  BatchBuilder builder({});
  builder.append(0, 1, "k", "v");
  builder.append(1, 1, std::nullopt, "v");
  builder.append(2, 1, std::nullopt, "v");
  const Validated out = run(*builder.finish(), {.compacted = true});
  CHECK(out.reject == Reject::invalid_record);
  REQUIRE(out.record_errors.size() == 2);
  CHECK(out.record_errors[0].index == 1);
  CHECK(out.record_errors[1].index == 2);
}

TEST_CASE("timestamps beyond the limits are refused, in both directions and at the ends of the range") {
  const ValidateOptions limits{.now_ms = 100000, .before_max_ms = 1000, .after_max_ms = 500};
  CHECK(run(batch_of({}, 1, 99000), limits).ok());
  CHECK(run(batch_of({}, 1, 98999), limits).reject == Reject::invalid_timestamp);
  CHECK(run(batch_of({}, 1, 100500), limits).ok());
  CHECK(run(batch_of({}, 1, 100501), limits).reject == Reject::invalid_timestamp);
  CHECK(run(batch_of({}, 1, -1), limits).ok());  // no timestamp
  CHECK(run(batch_of({}, 1, INT64_MAX), limits).reject == Reject::invalid_timestamp);
  CHECK(run(batch_of({}, 1, INT64_MIN), {.now_ms = 1000}).ok());
}

TEST_CASE("compression.type makes another codec of the same records") {
  const std::string sent = batch_of({});
  const Validated out = run(sent, {.next_offset = 7, .target = Codec::zstd});
  REQUIRE(out.ok());
  const std::string stored = whole(out);
  const BatchView view(stored);
  CHECK(view.codec() == Codec::zstd);
  CHECK(view.offset_field() == 7);
  CHECK(view.is_valid());
  CHECK(out.last_offset == 9);
}

TEST_CASE("message sets v0 and v1 become one v2 batch, single and compressed") {
  for (const std::int8_t magic : {0, 1}) {
    for (int codec = 0; codec <= 3; ++codec) {
      const std::string sent = batch_of({.magic = magic, .codec = static_cast<Codec>(codec)});
      const Validated out = run(sent, {.next_offset = 10});
      CAPTURE(out.message);
      REQUIRE(out.ok());
      const std::string stored = whole(out);
      const BatchView view(stored);
      CHECK(view.magic() == 2);
      CHECK(view.record_count() == 3);
      CHECK(view.codec() == static_cast<Codec>(codec));
      CHECK(out.last_offset == 12);
      CHECK(out.max_timestamp == (magic == 0 ? kNoTimestamp : 1002));
    }
  }
}

TEST_CASE("a topic of format 1 keeps messages v1, converts v0 and refuses producer ids") {
  const ValidateOptions format1{.next_offset = 50, .to_magic = 1};
  const std::string of_magic_1 = batch_of({.magic = 1});
  const Validated kept = run(of_magic_1, format1);
  REQUIRE(kept.ok());
  CHECK(kept.many.size() == 3);
  CHECK(kept.many[2].view().offset_field() == 52);
  CHECK(BatchView(kept.many[2].head).is_valid());
  const std::string of_magic_0 = batch_of({.magic = 0});
  const Validated up = run(of_magic_0, format1);
  REQUIRE(up.ok());
  CHECK(up.many[0].view().magic() == 1);
  const std::string of_magic_2 = batch_of({.codec = Codec::gzip});
  const Validated down = run(of_magic_2, format1);
  REQUIRE(down.ok());
  CHECK(down.many.size() == 1);
  CHECK(down.many[0].view().magic() == 1);
  CHECK(run(batch_of({.producer_id = 3, .producer_epoch = 0, .base_sequence = 0}), format1).reject ==
        Reject::unsupported_for_message_format);
}

TEST_CASE("a compressed set that hides compressed or broken messages is refused") {
  std::string inner;
  write_message(inner, 1, 0, static_cast<std::uint8_t>(Codec::gzip), 5, "k", "v");
  std::string wrapper;
  write_message(wrapper, 1, 0, static_cast<std::uint8_t>(Codec::snappy), 5, std::nullopt,
                *compress(Codec::snappy, inner, 1));
  CHECK(run(wrapper).reject == Reject::invalid_record);
  inner.clear();
  write_message(inner, 1, 0, 0, 5, "k", "v");
  inner.back() = 'w';
  wrapper.clear();
  write_message(wrapper, 1, 0, static_cast<std::uint8_t>(Codec::snappy), 5, std::nullopt,
                *compress(Codec::snappy, inner, 1));
  CHECK(run(wrapper).reject == Reject::corrupt_message);
}
