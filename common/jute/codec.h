// Walkers over described records (fields.h): encoder, decoder, printer and randomizer.
// The encoder appends to the caller's string and cannot fail. The decoder reads only bytes that are there,
// with the reader's sticky error; no vector grows beyond remaining bytes / minimum element size. Limit kept
// by Apache too: a negative count other than -1 is an empty vector.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "bytes/reader.h"
#include "bytes/writer.h"
#include "jute/fields.h"

namespace tandem::jute {

class Encoder final : public Fields {
 public:
  explicit Encoder(std::string& out) : writer_(out) {}
  void value(const char*, std::int32_t& v) override { writer_.i32(v); }
  void value(const char*, std::int64_t& v) override { writer_.i64(v); }
  void value(const char*, bool& v) override { writer_.boolean(v); }
  void value(const char*, std::string& v) override { string(v); }
  void value(const char*, std::string_view& v) override { string(v); }
  void value(const char*, Buffer& v) override;
  void value(const char*, BufferView& v) override;
  std::size_t open_vector(const char*, std::size_t size, std::size_t (*)()) override;

 private:
  void string(std::string_view v);

  bytes::Writer writer_;
};

class Decoder final : public Fields {
 public:
  explicit Decoder(bytes::Reader& reader) : reader_(reader) {}
  void value(const char*, std::int32_t& v) override { v = reader_.i32(); }
  void value(const char*, std::int64_t& v) override { v = reader_.i64(); }
  void value(const char*, bool& v) override { v = reader_.boolean(); }
  void value(const char*, std::string& v) override;
  void value(const char*, std::string_view& v) override;
  void value(const char*, Buffer& v) override;
  void value(const char*, BufferView& v) override;
  std::size_t open_vector(const char*, std::size_t, std::size_t (*min_size)()) override;
  void optional_tail(bool& present) override { present = reader_.remaining() > 0; }

 private:
  BufferView take();

  bytes::Reader& reader_;
};

// `name=value` pairs in braces, for logs and dumps; bytes that are not printable ASCII come as \xNN.
class Printer final : public Fields {
 public:
  explicit Printer(std::string& out) : out_(out) {}
  void value(const char* name, std::int32_t& v) override;
  void value(const char* name, std::int64_t& v) override;
  void value(const char* name, bool& v) override;
  void value(const char* name, std::string& v) override { quoted(name, std::string_view(v)); }
  void value(const char* name, std::string_view& v) override { quoted(name, v); }
  void value(const char* name, Buffer& v) override;
  void value(const char* name, BufferView& v) override { quoted(name, v); }
  std::size_t open_vector(const char* name, std::size_t size, std::size_t (*)()) override;
  void close_vector() override { out_ += ']'; }
  void open_record(const char* name) override;
  void close_record() override { out_ += '}'; }

 private:
  void label(const char* name);
  void quoted(const char* name, BufferView v);

  std::string& out_;
};

// Fills a record with random values, small strings and vectors, nulls now and then: property tests, fuzz
// seeds. Views are left as they are.
class Randomizer final : public Fields {
 public:
  explicit Randomizer(base::Random& random) : random_(random) {}
  void value(const char*, std::int32_t& v) override { v = static_cast<std::int32_t>(number()); }
  void value(const char*, std::int64_t& v) override { v = number(); }
  void value(const char*, bool& v) override { v = random_.chance(0.5); }
  void value(const char*, std::string& v) override { v = text(); }
  void value(const char*, std::string_view&) override {}
  void value(const char*, Buffer& v) override;
  void value(const char*, BufferView&) override {}
  std::size_t open_vector(const char*, std::size_t, std::size_t (*)()) override { return random_.below(4); }

 private:
  std::int64_t number();
  std::string text();

  base::Random& random_;
};

template <Record R>
void encode(std::string& out, const R& record) {
  Encoder encoder(out);
  const_cast<R&>(record).describe(encoder);  // describe serves readers and writers; the encoder only reads
}

template <Record R>
std::string encoded(const R& record) {
  std::string out;
  encode(out, record);
  return out;
}

// Leaves the reader behind the record; check reader.ok() after the last one.
template <Record R>
void decode(bytes::Reader& reader, R& record) {
  Decoder decoder(reader);
  record.describe(decoder);
}

// A record at the start of `bytes`; what follows it is ignored, as Apache does.
template <Record R>
base::Result<R> decoded(std::string_view bytes) {
  bytes::Reader reader(bytes);
  R record{};
  decode(reader, record);
  if (!reader.ok())
    return base::make_error(base::Errc::truncated, "Jute record does not fit in {} bytes", bytes.size());
  return record;
}

template <Record R>
std::string printed(const R& record) {
  std::string out;
  Printer printer(out);
  printer("", const_cast<R&>(record));  // the printer only reads
  return out;
}

}  // namespace tandem::jute
