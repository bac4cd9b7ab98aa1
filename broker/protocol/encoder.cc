#include "broker/protocol/encoder.h"

#include "base/check.h"
#include "bytes/writer.h"

namespace tandem::broker::protocol {

void Encoder::value(bool& v) { bytes::Writer(*out_).boolean(v); }
void Encoder::value(std::int8_t& v) { bytes::Writer(*out_).i8(v); }
void Encoder::value(std::int16_t& v) { bytes::Writer(*out_).i16(v); }
void Encoder::value(std::int32_t& v) { bytes::Writer(*out_).i32(v); }
void Encoder::value(std::int64_t& v) { bytes::Writer(*out_).i64(v); }
void Encoder::value(double& v) { bytes::Writer(*out_).f64(v); }

void Encoder::value(Uuid& v) { out_->append(reinterpret_cast<const char*>(v.bytes.data()), v.bytes.size()); }

void Encoder::text(std::string_view v) {
  v = v.substr(0, kTextBytesMax);
  bytes::Writer writer(*out_);
  if (flexible_) {
    writer.uvarint(v.size() + 1);
  } else {
    writer.i16(static_cast<std::int16_t>(v.size()));
  }
  writer.bytes(v);
}

void Encoder::null_text() {
  bytes::Writer writer(*out_);
  if (flexible_) {
    writer.uvarint(0);
  } else {
    writer.i16(-1);
  }
}

void Encoder::length(std::uint64_t size) {
  ENSURE(size <= INT32_MAX, "a field of {} bytes", size);
  bytes::Writer writer(*out_);
  if (flexible_) {
    writer.uvarint(size + 1);
  } else {
    writer.i32(static_cast<std::int32_t>(size));
  }
}

void Encoder::null_length() {
  bytes::Writer writer(*out_);
  if (flexible_) {
    writer.uvarint(0);
  } else {
    writer.i32(-1);
  }
}

void Encoder::value(std::string& v) { text(v); }

void Encoder::value(std::optional<std::string>& v) {
  if (v) {
    text(*v);
  } else if (when_.nullable(version_)) {
    null_text();
  } else {
    text({});  // a version that cannot say null
  }
}

void Encoder::value(Bytes& v) {
  length(v.data.size());
  out_->append(v.data);
}

void Encoder::value(std::optional<Bytes>& v) {
  if (v) {
    value(*v);
  } else if (when_.nullable(version_)) {
    null_length();
  } else {
    length(0);
  }
}

void Encoder::value(Records& v) {
  if (v.is_null()) {
    null_length();
    return;
  }
  length(v.size());
  if (const auto* slice = std::get_if<bytes::Slice>(&v.content())) {
    link(*slice);
  } else if (const auto* range = std::get_if<bytes::FileRange>(&v.content())) {
    link(*range);
  } else {
    for (const Records::Piece& piece : std::get<Records::Pieces>(v.content())) link(piece);
  }
}

void Encoder::link(const Records::Piece& piece) {
  ENSURE(open_tags_.empty(), "records in a tagged field");
  if (const auto* slice = std::get_if<bytes::Slice>(&piece)) {
    if (chain_ == nullptr) {
      out_->append(slice->view());
      return;
    }
    chain_->append(*slice);
  } else {
    ENSURE(chain_ != nullptr, "a file range has no bytes to copy into a string");
    chain_->append(std::get<bytes::FileRange>(piece));
  }
  out_ = &chain_->tail();
}

std::int64_t Encoder::open_array(std::int64_t size, bool nullable, std::size_t) {
  bytes::Writer writer(*out_);
  if (size < 0 && !nullable) size = 0;
  if (flexible_) {
    writer.uvarint(static_cast<std::uint64_t>(size + 1));
  } else {
    writer.i32(static_cast<std::int32_t>(size));
  }
  return size;
}

void Encoder::open_struct() {
  if (flexible_) sections_.push_back({0, tags_.size()});
}

void Encoder::close_struct() {
  if (!flexible_) return;
  const Section section = sections_.back();
  sections_.pop_back();
  bytes::Writer(*out_).uvarint(section.count);
  if (section.count == 0) return;
  out_->append(tags_, section.start);
  tags_.resize(section.start);
}

bool Encoder::open_tag(std::uint32_t tag, bool is_absent) {
  if (is_absent || !flexible_) return false;
  open_tags_.push_back({tag, out_->size()});
  return true;
}

void Encoder::close_tag() {
  const Tag tag = open_tags_.back();
  open_tags_.pop_back();
  const std::string_view content = std::string_view(*out_).substr(tag.start);
  bytes::Writer writer(tags_);
  writer.uvarint(tag.tag);
  writer.uvarint(content.size());
  writer.bytes(content);
  out_->resize(tag.start);
  ++sections_.back().count;
}

}  // namespace tandem::broker::protocol
