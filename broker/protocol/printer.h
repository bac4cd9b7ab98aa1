// Printer: a message as one line of text for logs and tests: {group_id="g", members=[{...}], records=<67 B>}.
// Secrets are not shown.
#pragma once

#include <string>
#include <vector>

#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

class Printer final : public Fields {
 public:
  Printer(std::string& out, std::int16_t version) : Fields(version, true, Mode::reads_values), out_(out) {}

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
  void close_array() override;
  void open_struct() override;
  void close_struct() override;
  bool open_tag(std::uint32_t tag, bool is_absent) override;
  void close_tag() override {}

  struct Level {
    bool named = false;  // inside a struct
    bool first = true;
    char closing = 0;
  };

  void item();
  template <class T>
  void number(const T& v);
  void quoted(std::string_view text);
  void blob(std::uint64_t size);

  std::string& out_;
  std::vector<Level> levels_;
};

template <Described M>
std::string print(const M& message, std::int16_t version) {
  std::string out;
  Printer printer(out, version);
  printer.walk(const_cast<M&>(message));  // a printer changes nothing
  return out;
}

}  // namespace tandem::broker::protocol
