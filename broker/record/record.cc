#include "broker/record/record.h"

#include <algorithm>

#include "base/checksum.h"

namespace tandem::broker::record {

using base::Errc;
using base::make_error;

namespace {

constexpr std::size_t kLengthMax = 5;       // bytes of a record's length varint
constexpr std::size_t kWindowStep = 65536;  // decompressed at a time

Bytes read_varint_bytes(bytes::Reader& reader) {
  const std::int32_t size = reader.varint();
  if (size < -1) reader.fail();
  if (size < 0 || !reader.ok()) return std::nullopt;
  return reader.bytes(static_cast<std::size_t>(size));
}

Bytes read_i32_bytes(bytes::Reader& reader) {
  const std::int32_t size = reader.i32();
  if (size < -1) reader.fail();
  if (size < 0 || !reader.ok()) return std::nullopt;
  return reader.bytes(static_cast<std::size_t>(size));
}

// A v0/v1 message behind its overhead: {crc, magic, attributes, [timestamp], key, value}.
bool parse_message(std::string_view message, RecordView& out) {
  bytes::Reader reader(message);
  const std::uint32_t crc = reader.u32();
  out.magic = reader.i8();
  const std::uint8_t attributes = reader.u8();
  if (out.magic != 0 && out.magic != 1) return false;
  out.timestamp = out.magic == 1 ? reader.i64() : kNoTimestamp;
  out.key = read_i32_bytes(reader);
  out.value = read_i32_bytes(reader);
  out.compressed = (attributes & kCodecMask) != 0;
  out.headers = {};
  out.header_count = 0;
  out.size = static_cast<std::uint32_t>(message.size() + kLogOverhead);
  out.crc_ok = reader.ok() && crc == base::crc32(message.substr(4));
  return reader.at_end();
}

}  // namespace

bool parse_record(std::string_view body, const BatchView& batch, RecordView& out) {
  bytes::Reader reader(body);
  reader.i8();  // attributes: unused by the format
  const std::int64_t timestamp_delta = reader.varlong();
  out.offset = batch.offset_field() + reader.varint();
  out.timestamp = batch.timestamp_type() == TimestampType::log_append
                      ? batch.max_timestamp()
                      : static_cast<std::int64_t>(static_cast<std::uint64_t>(batch.base_timestamp()) +
                                                  static_cast<std::uint64_t>(timestamp_delta));
  out.key = read_varint_bytes(reader);
  out.value = read_varint_bytes(reader);
  out.header_count = reader.varint();
  if (!reader.ok() || out.header_count < 0 ||
      static_cast<std::size_t>(out.header_count) > reader.remaining())  // a header takes two bytes at least
    return false;
  out.headers = reader.rest();
  for (std::int32_t i = 0; i < out.header_count; ++i) {
    const std::int32_t key_size = reader.varint();
    if (key_size < 0) return false;
    reader.skip(static_cast<std::size_t>(key_size));
    read_varint_bytes(reader);
    if (!reader.ok()) return false;
  }
  out.compressed = false;
  out.magic = 2;
  out.crc_ok = true;
  out.size = static_cast<std::uint32_t>(body.size());
  return reader.at_end();
}

void write_record(bytes::Writer& out, std::int64_t timestamp_delta, std::int32_t offset_delta, Bytes key,
                  Bytes value, std::string_view headers, std::int32_t header_count) {
  std::string body;
  bytes::Writer writer(body);
  const auto field = [&writer](const Bytes& bytes) {
    writer.varint(bytes ? static_cast<std::int32_t>(bytes->size()) : -1);
    if (bytes) writer.bytes(*bytes);
  };
  writer.i8(0);
  writer.varlong(timestamp_delta);
  writer.varint(offset_delta);
  field(key);
  field(value);
  writer.varint(header_count);
  writer.bytes(headers);
  out.varint(static_cast<std::int32_t>(body.size()));
  out.bytes(body);
}

Header read_header(bytes::Reader& headers) {
  Header header;
  const std::int32_t size = headers.varint();
  header.key = headers.bytes(static_cast<std::size_t>(std::max(size, 0)));
  header.value = read_varint_bytes(headers);
  return header;
}

RecordReader::RecordReader(const BatchView& batch, ReaderLimits limits) : batch_(batch), limits_(limits) {
  if (batch.magic() < 2) return;
  if (!batch.compressed()) {
    window_ = batch.body();
  } else if (!batch.known_codec()) {
    fail(make_error(Errc::corrupt, "codec {} is unknown", batch.attributes() & kCodecMask));
  } else {
    inflater_ = make_inflater(batch.codec(), batch.body(), batch.magic());
    inflated_all_ = false;
  }
}

bool RecordReader::fail(base::Error error) {
  error_ = std::move(error);
  return false;
}

bool RecordReader::next(RecordView& out) {
  if (error_) return false;
  return batch_.magic() >= 2 ? next_v2(out) : next_message(out);
}

bool RecordReader::need(std::size_t count) {
  if (window_.size() >= count || inflated_all_) return window_.size() >= count;
  // Keep what is left of the window at the front, then decompress behind it.
  if (!window_.empty() && window_.data() != buffer_.data())
    std::copy(window_.begin(), window_.end(), buffer_.begin());
  std::size_t size = window_.size();
  while (size < count) {
    // Room grows with what really came out, so that a false length costs nothing.
    if (buffer_.size() - size < kWindowStep / 2) buffer_.resize(std::max(kWindowStep, buffer_.size() * 2));
    const auto more = inflater_->read(buffer_.data() + size, buffer_.size() - size);
    if (!more) {
      window_ = {};
      return fail(more.error());
    }
    if (*more == 0) {
      inflated_all_ = true;
      break;
    }
    size += *more;
    inflated_ += *more;
    if (inflated_ > limits_.batch_bytes_max)
      return fail(make_error(Errc::limit_exceeded, "a batch of {} bytes expands beyond {} bytes",
                             batch_.size(), limits_.batch_bytes_max));
  }
  window_ = std::string_view(buffer_).substr(0, size);
  return size >= count;
}

bool RecordReader::finish_v2() {
  need(1);
  if (error_) return false;
  if (!window_.empty())
    return fail(
        make_error(Errc::corrupt, "{} bytes behind the last of {} records", window_.size(), returned_));
  return false;
}

bool RecordReader::next_v2(RecordView& out) {
  if (returned_ >= batch_.record_count()) return finish_v2();
  if (window_.size() < kLengthMax) need(kLengthMax);
  if (error_) return false;
  bytes::Reader head(window_);
  const std::int32_t size = head.varint();
  if (!head.ok() || size < 0)
    return fail(
        make_error(Errc::corrupt, "record {} of {} has no valid length", returned_, batch_.record_count()));
  const std::size_t whole = head.position() + static_cast<std::size_t>(size);
  if (inflater_ && whole > limits_.record_bytes_max)
    return fail(make_error(Errc::limit_exceeded, "record {} claims {} bytes", returned_, size));
  if (window_.size() < whole && !need(whole)) {
    if (error_) return false;
    return fail(make_error(Errc::corrupt, "record {} of {} claims {} bytes, {} are there", returned_,
                           batch_.record_count(), size, window_.size()));
  }
  const std::string_view body =
      window_.substr(whole - static_cast<std::size_t>(size), static_cast<std::size_t>(size));
  window_.remove_prefix(whole);
  if (!parse_record(body, batch_, out))
    return fail(make_error(Errc::corrupt, "record {} of {} is malformed", returned_, batch_.record_count()));
  out.size = static_cast<std::uint32_t>(whole);
  ++returned_;
  return true;
}

bool RecordReader::load_inner_messages() {
  RecordView wrapper;
  if (!parse_message(batch_.bytes().substr(kLogOverhead), wrapper))
    return fail(make_error(Errc::corrupt, "message at offset {} is malformed", batch_.offset_field()));
  if (!wrapper.value)
    return fail(make_error(Errc::invalid_argument, "compressed set at offset {} has no value",
                           batch_.offset_field()));
  if (!batch_.known_codec() || batch_.codec() == Codec::zstd)
    return fail(make_error(Errc::invalid_argument, "codec {} in a set of magic {}",
                           batch_.attributes() & kCodecMask, batch_.magic()));
  auto inner = decompress(batch_.codec(), *wrapper.value, batch_.magic(), limits_.record_bytes_max);
  if (!inner) return fail(inner.error());
  buffer_ = std::move(*inner);
  window_ = buffer_;
  std::int64_t last = -1;
  bytes::Reader scan(window_);
  while (scan.remaining() >= kLogOverhead) {
    const std::int64_t offset = scan.i64();
    const std::int32_t size = scan.i32();
    if (size < static_cast<std::int32_t>(kMessageSizeMinV0))
      return fail(make_error(Errc::corrupt, "inner message of {} bytes", size));
    if (static_cast<std::size_t>(size) > scan.remaining())
      break;  // a cut last message is left out, as Kafka does
    scan.skip(static_cast<std::size_t>(size));
    last = offset;
    ++returned_;
    window_ = std::string_view(buffer_).substr(0, scan.position());
  }
  if (returned_ == 0) return fail(make_error(Errc::invalid_argument, "compressed set without messages"));
  // v1 has relative offsets and the wrapper bears the last absolute one (0 from some librdkafka).
  if (batch_.magic() == 1 && batch_.offset_field() != 0) {
    if (batch_.offset_field() < last)
      return fail(make_error(Errc::invalid_argument, "wrapper offset {} is before its last message {}",
                             batch_.offset_field(), last));
    inner_base_ = batch_.offset_field() - last;
  }
  return true;
}

bool RecordReader::next_message(RecordView& out) {
  if (!batch_.compressed()) {
    if (started_) return false;
    started_ = true;
    if (!parse_message(batch_.bytes().substr(kLogOverhead), out))
      return fail(make_error(Errc::corrupt, "message at offset {} is malformed", batch_.offset_field()));
    out.offset = batch_.offset_field();
    return true;
  }
  if (!started_) {
    started_ = true;
    if (!load_inner_messages()) return false;
  }
  if (window_.empty()) return false;
  const auto offset = load_be<std::int64_t>(window_.data());
  const auto size = static_cast<std::size_t>(load_be<std::int32_t>(window_.data() + 8));
  if (!parse_message(window_.substr(kLogOverhead, size), out))
    return fail(make_error(Errc::corrupt, "inner message at offset {} is malformed", offset));
  out.offset = inner_base_ + offset;
  if (batch_.magic() == 1 && batch_.timestamp_type() == TimestampType::log_append)
    out.timestamp = batch_.max_timestamp();
  window_.remove_prefix(kLogOverhead + size);
  return true;
}

}  // namespace tandem::broker::record
