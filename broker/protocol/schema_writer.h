// SchemaWriter: renders the shape of a message as text, one line a field with its versions. docs/protocol.md
// is its output over the table of APIs and the table of errors.
#pragma once

#include <string>

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

class SchemaWriter final : public Fields {
 public:
  explicit SchemaWriter(std::string& out, std::int16_t version_max)
      : Fields(version_max, true, Mode::names_fields), out_(out) {}

 private:
  void value(bool&) override { line("bool"); }
  void value(std::int8_t&) override { line("int8"); }
  void value(std::int16_t&) override { line("int16"); }
  void value(std::int32_t&) override { line("int32"); }
  void value(std::int64_t&) override { line("int64"); }
  void value(double&) override { line("float64"); }
  void value(Uuid&) override { line("uuid"); }
  void value(std::string&) override { line("string"); }
  void value(std::optional<std::string>&) override { line("string", true); }
  void value(Bytes&) override { line("bytes"); }
  void value(std::optional<Bytes>&) override { line("bytes", true); }
  void value(Records&) override { line("records", true); }
  std::int64_t open_array(std::int64_t size, bool nullable, std::size_t bytes_min) override;
  void close_array() override {}
  void open_struct() override;
  void close_struct() override { --depth_; }
  bool open_tag(std::uint32_t tag, bool is_absent) override;
  void close_tag() override { tag_ = -1; }

  void line(const char* type, bool optional = false);

  std::string& out_;
  int depth_ = 0;
  bool in_array_ = false;  // the next value is an array's element
  When array_when_;
  std::int64_t tag_ = -1;
};

// The whole of docs/protocol.md.
std::string render_protocol_reference();

}  // namespace tandem::broker::protocol
