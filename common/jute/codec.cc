#include "jute/codec.h"

#include <limits>

namespace tandem::jute {

namespace {

std::int32_t wire_length(std::size_t size) {
  ENSURE(size <= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()), "{} bytes", size);
  return static_cast<std::int32_t>(size);
}

}  // namespace

void Encoder::string(std::string_view v) {
  writer_.i32(wire_length(v.size()));
  writer_.bytes(v);
}

void Encoder::value(const char*, Buffer& v) {
  if (v) {
    string(*v);
  } else {
    writer_.i32(-1);
  }
}

void Encoder::value(const char*, BufferView& v) {
  if (v) {
    string(*v);
  } else {
    writer_.i32(-1);
  }
}

std::size_t Encoder::open_vector(const char*, std::size_t size, std::size_t (*)()) {
  writer_.i32(wire_length(size));
  return size;
}

BufferView Decoder::take() {
  const std::int32_t length = reader_.i32();
  if (length == -1) return std::nullopt;
  if (length < 0) {
    reader_.fail();
    return std::nullopt;
  }
  return reader_.bytes(static_cast<std::size_t>(length));
}

void Decoder::value(const char*, std::string& v) { v = take().value_or(std::string_view()); }

void Decoder::value(const char*, std::string_view& v) { v = take().value_or(std::string_view()); }

void Decoder::value(const char*, Buffer& v) {
  const BufferView bytes = take();
  if (bytes) {
    v.emplace(*bytes);
  } else {
    v.reset();
  }
}

void Decoder::value(const char*, BufferView& v) { v = take(); }

std::size_t Decoder::open_vector(const char*, std::size_t, std::size_t (*min_size)()) {
  const std::int32_t count = reader_.i32();
  if (count <= 0) return 0;
  if (static_cast<std::size_t>(count) > reader_.remaining() / min_size()) {
    reader_.fail();
    return 0;
  }
  return static_cast<std::size_t>(count);
}

void Printer::label(const char* name) {
  if (!out_.empty() && out_.back() != '{' && out_.back() != '[') out_ += ' ';
  if (*name != '\0') {
    out_ += name;
    out_ += '=';
  }
}

void Printer::value(const char* name, std::int32_t& v) {
  label(name);
  out_ += std::to_string(v);
}

void Printer::value(const char* name, std::int64_t& v) {
  label(name);
  out_ += std::to_string(v);
}

void Printer::value(const char* name, bool& v) {
  label(name);
  out_ += v ? "true" : "false";
}

void Printer::value(const char* name, Buffer& v) { quoted(name, v ? BufferView(*v) : std::nullopt); }

void Printer::quoted(const char* name, BufferView v) {
  label(name);
  if (!v) {
    out_ += "null";
    return;
  }
  out_ += '"';
  for (const char c : *v) {
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (c >= 0x20 && c < 0x7f) {
      out_ += c;
    } else {
      out_ += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
    }
  }
  out_ += '"';
}

std::size_t Printer::open_vector(const char* name, std::size_t size, std::size_t (*)()) {
  label(name);
  out_ += '[';
  return size;
}

void Printer::open_record(const char* name) {
  label(name);
  out_ += '{';
}

std::int64_t Randomizer::number() {
  return random_.chance(0.5) ? random_.between(-4, 40) : static_cast<std::int64_t>(random_.next());
}

std::string Randomizer::text() {
  std::string out(random_.below(12), '/');
  for (char& c : out) c = static_cast<char>('a' + random_.below(26));
  return out;
}

void Randomizer::value(const char*, Buffer& v) {
  if (random_.chance(0.2)) {
    v.reset();
  } else {
    v = text();
  }
}

}  // namespace tandem::jute
