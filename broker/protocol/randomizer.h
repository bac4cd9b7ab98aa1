// Randomizer: fills a message with values that its version can carry: for round-trip tests, fuzz seeds and
// the differential. The same seed gives the same message.
#pragma once

#include "base/random.h"
#include "broker/protocol/fields.h"

namespace tandem::broker::protocol {

class Randomizer final : public Fields {
 public:
  Randomizer(base::Random& random, std::int16_t version, bool flexible)
      : Fields(version, flexible, Mode::fills_values), random_(random) {}

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
  void close_array() override { --depth_; }
  void open_struct() override {}
  void close_struct() override {}
  bool open_tag(std::uint32_t, bool) override { return flexible_; }
  void close_tag() override {}

  template <class T>
  T number();
  std::string text();

  base::Random& random_;
  int depth_ = 0;  // of open arrays
};

}  // namespace tandem::broker::protocol
