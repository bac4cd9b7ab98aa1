#include "broker/protocol/decoder.h"

#include <algorithm>

namespace tandem::broker::protocol {

base::Status Decoder::status() const {
  if (fault_ != nullptr)
    return base::make_error(base::Errc::invalid_argument, "{} in field '{}'", fault_, fault_field_);
  if (!in_.ok())
    return base::make_error(base::Errc::truncated, "the message ends inside field '{}' or before it", name_);
  return {};
}

void Decoder::fail(const char* what) {
  if (!failed_ && in_.ok()) {
    fault_ = what;
    fault_field_ = name_;
  }
  failed_ = true;
  in_.fail();
}

void Decoder::value(bool& v) { v = in_.boolean(); }
void Decoder::value(std::int8_t& v) { v = in_.i8(); }
void Decoder::value(std::int16_t& v) { v = in_.i16(); }
void Decoder::value(std::int32_t& v) { v = in_.i32(); }
void Decoder::value(std::int64_t& v) { v = in_.i64(); }
void Decoder::value(double& v) { v = in_.f64(); }

void Decoder::value(Uuid& v) {
  const std::string_view raw = in_.bytes(v.bytes.size());
  if (in_.ok()) std::copy(raw.begin(), raw.end(), v.bytes.begin());
}

std::int64_t Decoder::text_length() {
  const std::int64_t length = flexible_ ? static_cast<std::int64_t>(in_.uvarint32()) - 1 : in_.i16();
  if (length > kTextBytesMax) fail("text too long");
  if (length < -1) fail("negative length");
  return in_.ok() ? length : 0;
}

std::int64_t Decoder::bytes_length() {
  const std::int64_t length = flexible_ ? static_cast<std::int64_t>(in_.uvarint32()) - 1 : in_.i32();
  if (length < -1) fail("negative length");
  return in_.ok() ? length : 0;
}

void Decoder::value(std::string& v) {
  const std::int64_t length = text_length();
  if (length < 0) return fail("null is not allowed");
  v.assign(in_.bytes(static_cast<std::size_t>(length)));
  if (!in_.ok()) failed_ = true;
}

void Decoder::value(std::optional<std::string>& v) {
  const std::int64_t length = text_length();
  if (length < 0) {
    if (!when_.nullable(version_)) fail("null is not allowed");
    v.reset();
    return;
  }
  v.emplace(in_.bytes(static_cast<std::size_t>(length)));
}

void Decoder::value(Bytes& v) {
  const std::int64_t length = bytes_length();
  if (length < 0) return fail("null is not allowed");
  v.data.assign(in_.bytes(static_cast<std::size_t>(length)));
}

void Decoder::value(std::optional<Bytes>& v) {
  const std::int64_t length = bytes_length();
  if (length < 0) {
    if (!when_.nullable(version_)) fail("null is not allowed");
    v.reset();
    return;
  }
  v.emplace().data.assign(in_.bytes(static_cast<std::size_t>(length)));
}

void Decoder::value(Records& v) {
  const std::int64_t length = bytes_length();
  if (length < 0) {
    v = Records::null();
    return;
  }
  const std::size_t at = in_.position();
  in_.skip(static_cast<std::size_t>(length));
  v = Records(in_.ok() ? frame_.sub(at, static_cast<std::size_t>(length)) : bytes::Slice());
}

std::int64_t Decoder::open_array(std::int64_t, bool nullable, std::size_t bytes_min) {
  const std::int64_t size = flexible_ ? static_cast<std::int64_t>(in_.uvarint32()) - 1 : in_.i32();
  if (!in_.ok()) {
    failed_ = true;
    return 0;
  }
  if (size < 0) {
    if (size == -1 && nullable) return -1;
    fail(size == -1 ? "null is not allowed" : "negative array size");
    return 0;
  }
  if (static_cast<std::uint64_t>(size) > in_.remaining() / bytes_min) {
    fail("more array elements than bytes");
    return 0;
  }
  return size;
}

void Decoder::open_struct() {
  if (flexible_) sections_.emplace_back();
}

void Decoder::close_struct() {
  if (!in_.ok()) failed_ = true;  // ends the array around it
  if (!flexible_) return;
  Section& section = sections_.back();
  if (!section.started) next_tag();
  while (section.pending >= 0) {
    in_.skip(section.size);
    next_tag();
  }
  sections_.pop_back();
}

// Moves the innermost struct's section to its next tag on the wire.
void Decoder::next_tag() {
  Section& section = sections_.back();
  if (!section.started) {
    section.started = true;
    section.left = in_.uvarint32();
  }
  const std::int64_t previous = section.pending;
  section.pending = -1;
  if (!in_.ok() || section.left == 0) return;
  --section.left;
  const std::int64_t tag = in_.uvarint32();
  section.size = in_.uvarint32();
  section.content_at = in_.position();
  if (in_.ok() && tag <= previous) fail("tags do not ascend");
  if (in_.ok() && section.size > in_.remaining()) fail("tagged field longer than the message");
  if (in_.ok()) section.pending = tag;
}

bool Decoder::open_tag(std::uint32_t tag, bool) {
  if (!flexible_) return false;
  Section& section = sections_.back();
  if (!section.started) next_tag();
  while (section.pending >= 0 && section.pending < tag) {
    in_.skip(section.size);
    next_tag();
  }
  return section.pending == tag;
}

void Decoder::close_tag() {
  const Section& section = sections_.back();
  if (in_.ok() && in_.position() != section.content_at + section.size) fail("tagged field of a wrong size");
  next_tag();
}

}  // namespace tandem::broker::protocol
