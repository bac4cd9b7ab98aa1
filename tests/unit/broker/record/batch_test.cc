#include "broker/record/batch.h"

#include <doctest/doctest.h>

#include "broker/record/builder.h"
#include "broker/record/convert.h"

using namespace tandem::broker::record;

namespace {

std::string three_records(std::int8_t magic, Codec codec, std::int64_t base = 100) {
  BatchBuilder builder({.magic = magic, .codec = codec, .base_offset = base});
  builder.append(base, 1000, "k0", "v0");
  builder.append(base + 1, 3000, std::nullopt, "v1");
  builder.append(base + 2, 2000, "k2", std::nullopt);
  return *builder.finish();
}

std::vector<RecordView> read_all(std::string_view bytes, std::vector<std::string>& keep) {
  std::vector<RecordView> out;
  BatchCursor cursor(bytes);
  while (cursor.next()) {
    CHECK(cursor.batch().is_valid());
    RecordReader reader(cursor.batch());
    RecordView record;
    while (reader.next(record)) {
      for (Bytes* field : {&record.key, &record.value}) {
        if (!*field) continue;
        keep.push_back(std::string(**field));
      }
      out.push_back(record);
      out.back().key = record.key ? Bytes("") : std::nullopt;
      out.back().value = record.value ? Bytes("") : std::nullopt;
    }
    REQUIRE(!reader.error());
  }
  CHECK(cursor.ended() == CursorEnd::end);
  return out;
}

}  // namespace

TEST_CASE("what the builder writes in every magic and codec reads back with offsets, timestamps and nulls") {
  for (int magic = 0; magic <= 2; ++magic) {
    for (int codec = 0; codec <= (magic == 2 ? 4 : 3); ++codec) {
      CAPTURE(magic);
      CAPTURE(codec);
      const std::string set = three_records(static_cast<std::int8_t>(magic), static_cast<Codec>(codec));
      std::vector<std::string> bytes;
      const auto records = read_all(set, bytes);
      REQUIRE(records.size() == 3);
      for (int i = 0; i < 3; ++i) CHECK(records[i].offset == 100 + i);
      CHECK(records[1].timestamp == (magic == 0 ? kNoTimestamp : 3000));
      CHECK(!records[1].key);
      CHECK(!records[2].value);
      CHECK(bytes == std::vector<std::string>{"k0", "v0", "v1", "k2"});
    }
  }
}

TEST_CASE("a cut batch is partial, a false size or magic is corrupt") {
  const std::string set = three_records(2, Codec::none);
  for (std::size_t cut = 1; cut < set.size(); ++cut) {
    BatchCursor cursor(std::string_view(set).substr(0, cut));
    CHECK(!cursor.next());
    CHECK(cursor.ended() == CursorEnd::partial);
  }
  for (const std::int32_t size : {-1, 0, 13, 48}) {
    std::string bad = set;
    store_be(bad.data() + 8, size);
    BatchCursor cursor(bad);
    CHECK(!cursor.next());
    CHECK(cursor.ended() == CursorEnd::corrupt);
  }
  std::string bad = set;
  bad[kMagicAt] = 3;
  BatchCursor cursor(bad);
  CHECK(!cursor.next());
  CHECK(cursor.ended() == CursorEnd::corrupt);
}

TEST_CASE("the last sequence turns over behind INT_MAX") {
  BatchBuilder builder({.producer_id = 1, .producer_epoch = 0, .base_sequence = INT32_MAX});
  for (int i = 0; i < 3; ++i) builder.append(i, 0, "k", "v");
  CHECK(BatchView(*builder.finish()).last_sequence() == 1);
}

TEST_CASE("down-conversion keeps offsets, leaves control batches out and refuses zstd") {
  const std::string stored = three_records(2, Codec::gzip) +
                             write_end_marker({.base_offset = 103, .producer_id = 7, .producer_epoch = 0}, 5,
                                              {ControlType::commit, 1}) +
                             three_records(2, Codec::none, 104);
  for (const std::int8_t magic : {0, 1}) {
    const auto converted = down_convert(stored, magic, 105);
    REQUIRE(converted.has_value());
    std::vector<std::string> bytes;
    const auto records = read_all(converted->bytes, bytes);
    REQUIRE(records.size() == 5);
    CHECK(records[0].offset == 100);  // a compressed set goes whole
    CHECK(records[3].offset == 105);
    CHECK(records[0].magic == magic);
  }
  const auto refused = down_convert(three_records(2, Codec::zstd), 1, 0);
  REQUIRE(!refused.has_value());
  CHECK(refused.error().code == tandem::base::Errc::unsupported);
}

TEST_CASE(
    "converted messages take as many bytes as were stored, with a message that is never whole behind them") {
  const std::string stored = three_records(2, Codec::none) + three_records(2, Codec::none, 103);
  auto converted = down_convert(stored, 0, 0).value();
  const std::string whole = converted.bytes;
  REQUIRE(whole.size() > 100);
  const std::string padded = fit_converted(converted, whole.size() + 20);
  REQUIRE(padded.size() == whole.size() + 20);
  CHECK(padded.substr(0, whole.size()) == whole);
  BatchCursor cursor(padded);
  while (cursor.next()) {
  }
  CHECK(cursor.consumed() == whole.size());
  CHECK(fit_converted(converted, whole.size() - 1) == whole.substr(0, whole.size() - 1));
  CHECK(fit_converted(converted, 1).size() == converted.first_batch_bytes);
  CHECK(fit_converted({.bytes = "", .found_batches = true}, 78).size() == 12);
  CHECK(fit_converted({}, 5).empty());
}

TEST_CASE("an end marker reads back and an ordinary record is none") {
  const std::string batch =
      write_end_marker({.producer_id = 7, .producer_epoch = 0}, 5, {ControlType::commit, 9});
  const BatchView view(batch);
  CHECK(view.control());
  CHECK(view.transactional());
  RecordReader reader(view);
  RecordView record;
  REQUIRE(reader.next(record));
  const auto marker = read_end_marker(record);
  REQUIRE(marker);
  CHECK(marker->type == ControlType::commit);
  CHECK(marker->coordinator_epoch == 9);
  record.key = "x";
  CHECK(!read_end_marker(record));
}
