#include "tests/bench/kafka_wire.h"

#include "base/checksum.h"
#include "base/clock.h"
#include "bytes/reader.h"
#include "bytes/writer.h"
#include "tests/bench/options.h"

namespace tandem::bench {

namespace {

void put_text(bytes::Writer& writer, std::string_view text) {
  writer.i16(static_cast<std::int16_t>(text.size()));
  writer.bytes(text);
}

std::string frame(std::int16_t api, std::int16_t version, const std::string& body) {
  std::string out;
  bytes::Writer writer(out);
  const std::size_t length_at = writer.reserve_i32();
  writer.i16(api);
  writer.i16(version);
  writer.i32(0);
  put_text(writer, "bench");
  writer.bytes(body);
  writer.patch_i32(length_at, static_cast<std::int32_t>(out.size() - 4));
  return out;
}

std::string text_of(bytes::Reader& reader) { return std::string(reader.bytes(reader.u16())); }

}  // namespace

KafkaBatch make_batch(std::size_t batch_bytes, std::size_t record_bytes) {
  KafkaBatch batch;
  std::string records;
  bytes::Writer writer(records);
  while (batch.records == 0 || records.size() + record_bytes + 16 < batch_bytes - 61) {
    std::string record;
    bytes::Writer fields(record);
    fields.i8(0);
    fields.varlong(0);
    fields.varint(batch.records++);
    fields.varint(-1);  // no key
    fields.varint(static_cast<std::int32_t>(record_bytes));
    fields.bytes(std::string(record_bytes, 'v'));
    fields.varint(0);  // no headers
    writer.varint(static_cast<std::int32_t>(record.size()));
    writer.bytes(record);
  }
  std::string summed;
  bytes::Writer checked(summed);
  checked.i16(0);
  checked.i32(batch.records - 1);
  const std::int64_t now_ms = base::SystemClock().wall().ms;  // older records would fall to retention
  checked.i64(now_ms);
  checked.i64(now_ms);
  checked.i64(-1);  // no producer id, epoch, sequence
  checked.i16(-1);
  checked.i32(-1);
  checked.i32(batch.records);
  checked.bytes(records);
  bytes::Writer out(batch.bytes);
  out.i64(0);
  out.i32(static_cast<std::int32_t>(summed.size() + 9));
  out.i32(-1);
  out.i8(2);
  out.u32(base::crc32c(summed));
  out.bytes(summed);
  return batch;
}

std::string produce_frame(const std::string& topic, std::int32_t partition, std::int16_t acks,
                          const KafkaBatch& batch) {
  std::string body;
  bytes::Writer writer(body);
  writer.i16(-1);  // no transaction
  writer.i16(acks);
  writer.i32(30'000);
  writer.i32(1);
  put_text(writer, topic);
  writer.i32(1);
  writer.i32(partition);
  writer.i32(static_cast<std::int32_t>(batch.bytes.size()));
  writer.bytes(batch.bytes);
  return frame(0, 7, body);
}

std::string fetch_frame(const std::string& topic, std::int32_t partition, std::int64_t offset,
                        std::int32_t max_bytes) {
  std::string body;
  bytes::Writer writer(body);
  writer.i32(-1);   // a consumer
  writer.i32(500);  // longest wait, ms
  writer.i32(1);
  writer.i32(max_bytes);
  writer.i8(0);
  writer.i32(0);
  writer.i32(-1);
  writer.i32(1);
  put_text(writer, topic);
  writer.i32(1);
  writer.i32(partition);
  writer.i32(-1);
  writer.i64(offset);
  writer.i64(-1);
  writer.i32(max_bytes);
  writer.i32(0);
  put_text(writer, "");
  return frame(1, 11, body);
}

std::string metadata_frame(const std::string& topic) {
  std::string body;
  bytes::Writer writer(body);
  writer.i32(1);
  put_text(writer, topic);
  return frame(3, 1, body);
}

std::string create_topic_frame(const std::string& topic, std::int32_t partitions) {
  std::string body;
  bytes::Writer writer(body);
  writer.i32(1);
  put_text(writer, topic);
  writer.i32(partitions);
  writer.i16(1);
  writer.i32(0);
  writer.i32(0);
  writer.i32(30'000);
  writer.boolean(false);
  return frame(19, 1, body);
}

std::int16_t produce_error(std::string_view body) {
  bytes::Reader reader(body);
  reader.i32();
  text_of(reader);
  reader.i32();
  reader.i32();
  const std::int16_t error = reader.i16();
  if (!reader.ok()) broken("Produce response");
  return error;
}

std::int16_t create_topic_error(std::string_view body) {
  bytes::Reader reader(body);
  reader.i32();
  text_of(reader);
  const std::int16_t error = reader.i16();
  if (!reader.ok()) broken("CreateTopics response");
  return error;
}

std::int16_t metadata_error(std::string_view body) {
  bytes::Reader reader(body);
  for (std::int32_t brokers = reader.i32(); brokers > 0 && reader.ok(); --brokers) {
    reader.i32();
    text_of(reader);
    reader.i32();
    const std::uint16_t rack = reader.u16();
    reader.skip(rack == 0xffff ? 0 : rack);
  }
  reader.i32();
  reader.i32();
  const std::int16_t error = reader.i16();
  if (!reader.ok()) broken("Metadata response");
  return error;
}

Fetched parse_fetch(std::string_view body) {
  bytes::Reader reader(body);
  Fetched fetched;
  reader.i32();
  fetched.error = reader.i16();
  reader.i32();
  if (reader.i32() == 0) return fetched;
  text_of(reader);
  reader.i32();
  reader.i32();
  if (fetched.error == 0) fetched.error = reader.i16();
  fetched.high_watermark = reader.i64();
  reader.skip(16);  // last stable and log start offset
  const std::int32_t aborted = reader.i32();
  reader.skip(aborted > 0 ? static_cast<std::size_t>(aborted) * 16 : 0);
  reader.i32();
  fetched.record_bytes = reader.u32();
  if (!reader.ok() || fetched.record_bytes > reader.remaining()) broken("Fetch response");
  while (reader.remaining() >= 61) {  // batch by batch; the last may be cut
    bytes::Reader header(reader.rest());
    const std::int64_t base_offset = header.i64();
    const std::size_t size = 12 + header.u32();
    header.skip(11);
    const std::int32_t last_delta = header.i32();
    if (size > reader.remaining()) break;
    fetched.next_offset = base_offset + last_delta + 1;
    reader.skip(size);
  }
  return fetched;
}

}  // namespace tandem::bench
