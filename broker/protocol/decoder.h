// Decoder: reads a message from a frame. Nothing is trusted: every length is checked against the bytes that
// are there before anything is allocated for it; the first fault makes the rest empty and is told once at the
// end. Record batches come out as slices of the frame. Unknown tagged fields are skipped; tags must ascend.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "broker/protocol/fields.h"
#include "bytes/reader.h"
#include "bytes/slice.h"

namespace tandem::broker::protocol {

class Decoder final : public Fields {
 public:
  // `frame` is what is left to read; records keep its block alive.
  Decoder(bytes::Slice frame, std::int16_t version, bool flexible)
      : Fields(version, flexible, Mode::fills_values), frame_(std::move(frame)), in_(frame_.view()) {}

  // What went wrong, if anything. Bytes after the message are left alone, as Kafka does.
  base::Status status() const;
  std::size_t remaining() const { return in_.remaining(); }

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

  std::int64_t text_length();   // -1: null
  std::int64_t bytes_length();  // -1: null
  void fail(const char* what);
  void next_tag();

  // The tagged fields at the end of an open struct, read in step with describe(), which names tags ascending.
  struct Section {
    bool started = false;
    std::uint32_t left = 0;      // tags after the pending one
    std::int64_t pending = -1;   // tag number, -1: none
    std::uint32_t size = 0;      // of the pending tag's content
    std::size_t content_at = 0;  // where it starts
  };

  bytes::Slice frame_;
  bytes::Reader in_;
  std::vector<Section> sections_;
  const char* fault_ = nullptr;
  const char* fault_field_ = "";
};

// A message of its own (no header) that must be decoded whole.
template <Described M>
base::Result<M> decode(bytes::Slice bytes, std::int16_t version) {
  M message;
  Decoder decoder(std::move(bytes), version, version >= M::kFlexibleSince);
  decoder.walk(message);
  if (auto status = decoder.status(); !status) return status.error();
  return message;
}

}  // namespace tandem::broker::protocol
