// Encoder: writes a message into a string or a chain that the caller owns. Into a chain, record batches are
// linked (slices, file ranges), not copied. Flexible encoding is a mode of it, not another set of functions.
// It cannot fail: text that is longer than the wire's 32,767 bytes is cut there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/protocol/fields.h"
#include "bytes/chain.h"

namespace tandem::broker::protocol {

class Encoder final : public Fields {
 public:
  Encoder(std::string& out, std::int16_t version, bool flexible)
      : Fields(version, flexible, Mode::reads_values), out_(&out) {}
  Encoder(bytes::Chain& out, std::int16_t version, bool flexible)
      : Fields(version, flexible, Mode::reads_values), out_(&out.tail()), chain_(&out) {}

 private:
  void value(bool& v) override;
  void value(std::int8_t& v) override;
  void value(std::int16_t& v) override;
  void value(std::int32_t& v) override;
  void value(std::int64_t& v) override;
  void value(double& v) override;
  void value(Uuid& v) override;
  void value(std::string& v) override;
  void value(std::optional<std::string>& v) override;
  void value(Bytes& v) override;
  void value(std::optional<Bytes>& v) override;
  void value(Records& v) override;
  std::int64_t open_array(std::int64_t size, bool nullable, std::size_t bytes_min) override;
  void close_array() override {}
  void open_struct() override;
  void close_struct() override;
  bool open_tag(std::uint32_t tag, bool is_absent) override;
  void close_tag() override;

  void text(std::string_view v);
  void null_text();
  void length(std::uint64_t size);  // of bytes and records
  void null_length();
  void link(const Records::Piece& piece);

  // Tagged fields of the open structs wait in tags_ until their struct closes, because their number and sizes
  // come first on the wire.
  struct Section {
    std::uint32_t count = 0;
    std::size_t start = 0;  // in tags_
  };
  struct Tag {
    std::uint32_t tag = 0;
    std::size_t start = 0;  // in *out_
  };

  std::string* out_;
  bytes::Chain* chain_ = nullptr;
  std::string tags_;
  std::vector<Section> sections_;
  std::vector<Tag> open_tags_;
};

// Walks a const message: describe() is not const so that one text serves reading and writing, and an
// encoder changes nothing.
template <Described M>
void encode_body(Encoder& encoder, const M& message) {
  encoder.walk(const_cast<M&>(message));
}

// A message of its own (no header), as tests and stored records need it.
template <Described M>
std::string encode(const M& message, std::int16_t version) {
  std::string out;
  Encoder encoder(out, version, version >= M::kFlexibleSince);
  encode_body(encoder, message);
  return out;
}

}  // namespace tandem::broker::protocol
